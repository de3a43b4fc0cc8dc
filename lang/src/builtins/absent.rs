//! Builtins of Nix that make no sense without a store, a network, a clock or an environment.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

const NO_STORE: &str = "there is no Nix store and nothing is built while evaluating";
const NO_NETWORK: &str = "an evaluation never uses the network";
const NO_FLAKES: &str = "what a fleet takes from elsewhere are its inputs, and no flakes";
const NO_ENVIRONMENT: &str = "an evaluation never looks at the machine it runs on";
const NO_PROGRAMS: &str = "an evaluation runs no programs";
const USE_FILES: &str = "a path in a string (`\"${./file}\"`) is shipped with the generation; text \
                         goes into `environment.etc` or `resources.files`";
const USE_PACKAGES: &str = "packages come from `pkgs`: Debian's by name, others by \
                            `lib.fetchPackage { name; url; hash; }`";
const USE_INPUTS: &str = "declare it under `inputs` in cairn.nix";
const USE_OPTIONS: &str = "declare an option and set it per host, or pass `--set`";

/// Name, whether Nix has it in scope without `builtins.`, why it is not here, what to use instead.
const ABSENT: [(&str, bool, &str, &str); 22] = [
    ("derivation", true, NO_STORE, USE_PACKAGES),
    ("derivationStrict", true, NO_STORE, USE_PACKAGES),
    ("placeholder", true, NO_STORE, USE_PACKAGES),
    ("storePath", false, NO_STORE, USE_PACKAGES),
    ("outputOf", false, NO_STORE, USE_PACKAGES),
    ("toFile", false, NO_STORE, USE_FILES),
    ("path", false, NO_STORE, USE_FILES),
    ("filterSource", false, NO_STORE, USE_FILES),
    ("fetchurl", false, NO_NETWORK, USE_PACKAGES),
    ("fetchTarball", true, NO_NETWORK, USE_INPUTS),
    ("fetchGit", true, NO_NETWORK, USE_INPUTS),
    ("fetchMercurial", true, NO_NETWORK, USE_INPUTS),
    ("fetchTree", true, NO_NETWORK, USE_INPUTS),
    ("fetchFinalTree", false, NO_NETWORK, USE_INPUTS),
    ("fetchClosure", false, NO_NETWORK, USE_INPUTS),
    ("getFlake", false, NO_FLAKES, USE_INPUTS),
    ("parseFlakeRef", false, NO_FLAKES, USE_INPUTS),
    ("flakeRefToString", false, NO_FLAKES, USE_INPUTS),
    ("currentTime", false, NO_ENVIRONMENT, USE_OPTIONS),
    ("currentSystem", false, NO_ENVIRONMENT, USE_OPTIONS),
    ("exec", false, NO_PROGRAMS, USE_OPTIONS),
    ("importNative", false, NO_PROGRAMS, USE_PACKAGES),
];

/// Whether Nix has this name in scope everywhere and Cairn does not have it at all: a `with` does
/// not bring it either.
pub(crate) fn hidden_global(name: &str) -> bool {
    match name.strip_prefix("__") {
        Some(plain) => ABSENT.iter().any(|(absent, top, ..)| !top && *absent == plain),
        None => ABSENT.iter().any(|(absent, top, ..)| *top && *absent == name),
    }
}

/// The error of asking for an environment variable.
pub(super) fn no_variable(name: &str, at: Span) -> Box<Diagnostic> {
    let message = format!("there is no variable `{name}`: {NO_ENVIRONMENT}");
    Diagnostic::error("name::unavailable", at, message).with_help(USE_OPTIONS).into()
}

/// The error of using a builtin (perhaps written `__name`) that Nix has and Cairn has not.
pub(crate) fn unavailable(name: &str, at: Span) -> Option<Box<Diagnostic>> {
    let plain = name.strip_prefix("__").unwrap_or(name);
    let (_, _, why, instead) = ABSENT.iter().find(|(absent, ..)| *absent == plain)?;
    let message = format!("there is no `{name}`: {why}");
    Some(Diagnostic::error("name::unavailable", at, message).with_help(*instead).into())
}
