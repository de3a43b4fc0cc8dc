//! `pkgs`: the fleet's own packages, the catalogue's, and a Debian package for any other name.

use cairn_lang::{
    Attrs, AttrsBuilder, Diagnostic, Evaluator, Fallback, Result, Root, Span, Value, VirtualPath,
};

use super::outline::FleetValue;
use crate::standard::catalogue;

/// Where Debian's packages have their files.
const DEBIAN_ROOT: &str = "/usr";

pub(super) fn pkgs<'a>(eval: &Evaluator<'a>, fleet: &FleetValue<'a>) -> Result<Value<'a>> {
    Ok(with(eval, fleet.packages(eval)?))
}

/// `pkgs` with these packages of a fleet's own.
pub(crate) fn with<'a>(eval: &Evaluator<'a>, own: Option<&'a Attrs<'a>>) -> Value<'a> {
    let debian = eval.primop("debian", 1, |eval, args, at| {
        let name = eval.expect_str(args.first().copied().unwrap_or(Value::Null), at)?;
        package(eval, name, at)
    });
    let mut all = AttrsBuilder::new();
    for attr in own.into_iter().flat_map(|own| own.iter()) {
        all.copy(attr);
    }
    let is_own = |name: &str| own.is_some_and(|own| own.get_str(name).is_some());
    let lib = VirtualPath { root: Root::Cairn, path: "lib".to_owned() };
    let lib = eval.thunk(move |eval| eval.import(&lib, Span::NONE));
    // For a Debian package that has the name of one of the fleet's, or of the catalogue's.
    let debian_set = AttrsBuilder::new().finish_with(eval, Fallback, &[debian]);
    for (name, value) in [("lib", lib), ("debian", debian_set)] {
        if !is_own(name) {
            all.set(name, value);
        }
    }
    let arguments = eval.attrs([("debian", debian_set), ("lib", lib)]);
    for name in catalogue().filter(|name| !is_own(name)) {
        let file = VirtualPath { root: Root::Cairn, path: format!("packages/{name}.nix") };
        all.set(
            name,
            eval.thunk(move |eval| {
                let function = eval.import(&file, Span::NONE)?;
                eval.call(function, &[arguments], Span::NONE)
            }),
        );
    }
    all.finish_with(eval, Fallback, &[debian])
}

fn package<'a>(eval: &Evaluator<'a>, name: &str, at: Span) -> Result<Value<'a>> {
    if let Some(help) = of_nixpkgs(name) {
        let message = format!("`pkgs.{name}` is of nixpkgs, and Cairn builds nothing");
        return Err(Diagnostic::error("package::bad-name", at, message).with_help(help).into());
    }
    if !crate::manifest::is_debian_name(name) {
        let message = format!("`{name}` is no name of a Debian package, and none of the fleet's");
        let help = "Debian's names hold lower-case letters, digits and `+ - .`; the fleet's own \
                    are in its `outputs.packages`";
        return Err(Diagnostic::error("package::bad-name", at, message).with_help(help).into());
    }
    Ok(eval.attrs([
        ("type", eval.str("package")),
        ("kind", eval.str("debian")),
        ("name", eval.str(name)),
        ("outPath", eval.str(DEBIAN_ROOT)),
    ]))
}

/// What stands here for a name of nixpkgs that is no package: a function that builds, or a set.
fn of_nixpkgs(name: &str) -> Option<&'static str> {
    Some(match name {
        "writeText" | "writeTextFile" | "writeTextDir" => {
            "write the text in `environment.etc.<name>.text`, and name the file by its path in /etc"
        }
        "writeShellScript"
        | "writeShellScriptBin"
        | "writeShellApplication"
        | "writeScript"
        | "writeScriptBin" => {
            "write the script in `systemd.services.<name>.script`, or in `environment.etc.<name>` \
             with `mode = \"0755\"`"
        }
        "python3Packages" | "perlPackages" | "nodePackages" | "rubyPackages" => {
            "take Debian's package by its own name, such as `pkgs.python3-requests`"
        }
        "runCommand" | "buildEnv" | "symlinkJoin" | "stdenv" | "mkShell" | "callPackage" => {
            "take Debian's package, or a finished download with `lib.fetchPackage`"
        }
        "fetchurl" | "fetchzip" | "fetchFromGitHub" => {
            "make a package of a finished download with `lib.fetchPackage`"
        }
        _ if name.starts_with("linuxPackages") || name.starts_with("linuxKernel") => {
            "the host keeps its kernel; Debian's others are packages such as `pkgs.linux-image-amd64`"
        }
        _ => return None,
    })
}
