//! Builtins of Nix that make no sense without a store, a network, a clock or an environment.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

const NO_STORE: &str = "there is no Nix store and nothing is built while evaluating";
const NO_NETWORK: &str = "an evaluation never uses the network";
const NO_ENVIRONMENT: &str = "an evaluation never looks at the machine it runs on";
const USE_FILES: &str = "a path in a string (`\"${./file}\"`) is shipped with the generation; text \
                         goes into `environment.etc` or `resources.files`";
const USE_PACKAGES: &str = "packages come from `pkgs`: Debian's by name, others by \
                            `lib.fetchPackage { name; url; hash; }`";
const USE_INPUTS: &str = "declare it under `inputs` in cairn.nix";
const USE_OPTIONS: &str = "declare an option and set it per host, or pass `--set`";

/// Name, why it is not here, what to use instead.
const ABSENT: [(&str, &str, &str); 22] = [
    ("derivation", NO_STORE, USE_PACKAGES),
    ("derivationStrict", NO_STORE, USE_PACKAGES),
    ("placeholder", NO_STORE, USE_PACKAGES),
    ("storePath", NO_STORE, USE_PACKAGES),
    ("outputOf", NO_STORE, USE_PACKAGES),
    ("toFile", NO_STORE, USE_FILES),
    ("path", NO_STORE, USE_FILES),
    ("filterSource", NO_STORE, USE_FILES),
    ("fetchurl", NO_NETWORK, USE_PACKAGES),
    ("fetchTarball", NO_NETWORK, USE_INPUTS),
    ("fetchGit", NO_NETWORK, USE_INPUTS),
    ("fetchMercurial", NO_NETWORK, USE_INPUTS),
    ("fetchTree", NO_NETWORK, USE_INPUTS),
    ("fetchClosure", NO_NETWORK, USE_INPUTS),
    ("getFlake", NO_NETWORK, USE_INPUTS),
    ("parseFlakeRef", NO_NETWORK, USE_INPUTS),
    ("flakeRefToString", NO_NETWORK, USE_INPUTS),
    ("findFile", NO_ENVIRONMENT, USE_INPUTS),
    ("currentTime", NO_ENVIRONMENT, USE_OPTIONS),
    ("currentSystem", NO_ENVIRONMENT, USE_OPTIONS),
    ("exec", NO_ENVIRONMENT, USE_OPTIONS),
    ("importNative", NO_ENVIRONMENT, USE_OPTIONS),
];

/// The error of asking for an environment variable.
pub(super) fn no_variable(name: &str, at: Span) -> Box<Diagnostic> {
    let message = format!("there is no variable `{name}`: {NO_ENVIRONMENT}");
    Diagnostic::error("name::unavailable", at, message).with_help(USE_OPTIONS).into()
}

/// The error of using a builtin (perhaps written `__name`) that Nix has and Cairn has not.
pub(crate) fn unavailable(name: &str, at: Span) -> Option<Box<Diagnostic>> {
    let plain = name.strip_prefix("__").unwrap_or(name);
    let (_, why, instead) = ABSENT.iter().find(|(absent, ..)| *absent == plain)?;
    let message = format!("there is no `{name}`: {why}");
    Some(Diagnostic::error("name::unavailable", at, message).with_help(*instead).into())
}
