//! `cairn lsp`

use std::env;
use std::io::{BufReader, stdin, stdout};

use cairn_lsp::{Ended, Options, serve};
use clap::Args;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;

/// Serve an editor: diagnostics while typing, types, options, declarations, names
///
/// Editors start this and speak the Language Server Protocol with it over stdin and stdout.
#[derive(Debug, Args)]
#[command(after_help = "\
How to set up Neovim, VS Code, Helix and Emacs is in docs/editors.md. Without --fleet, the fleet is
that of the folder that the editor opens.

Example:
  cairn lsp")]
pub(crate) struct LspArgs {
    /// Speak over stdin and stdout, which is what happens anyway: some editors say so
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(global: &Global, args: &LspArgs) -> Result<(), CommandError> {
    // There is no other way to speak.
    let _ = args.stdio;
    let fleet = global.fleet.as_ref().map(|_| fleets::folder(global)).transpose()?;
    let cache = fleets::cache_folder().unwrap_or_else(|| env::temp_dir().join("cairn"));
    let standard = cache.join("standard").join(env!("CARGO_PKG_VERSION"));
    let options = Options { fleet, standard, cache, features: global.features() };
    match serve(options, BufReader::new(stdin()), stdout())? {
        Ended::Asked => Ok(()),
        Ended::Abandoned => Err(CommandError::user("the editor left without a goodbye")),
    }
}
