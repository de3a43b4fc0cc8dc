//! `pkgs`: the fleet's own packages, and a Debian package for any other name.

use cairn_lang::{
    AttrsBuilder, Diagnostic, Evaluator, Fallback, Result, Root, Span, Value, VirtualPath,
};

use super::outline::FleetValue;

/// Where Debian's packages have their files.
const DEBIAN_ROOT: &str = "/usr";

pub(super) fn pkgs<'a>(eval: &Evaluator<'a>, fleet: &FleetValue<'a>) -> Result<Value<'a>> {
    let debian = eval.primop("debian", 1, |eval, args, at| {
        let name = eval.expect_str(args.first().copied().unwrap_or(Value::Null), at)?;
        package(eval, name, at)
    });
    let mut all = AttrsBuilder::new();
    let own = fleet.packages(eval)?;
    for attr in own.into_iter().flat_map(|own| own.iter()) {
        all.copy(attr);
    }
    let is_own = |name: &str| own.is_some_and(|own| own.get_str(name).is_some());
    if !is_own("lib") {
        let lib = VirtualPath { root: Root::Cairn, path: "lib".to_owned() };
        all.set("lib", eval.thunk(move |eval| eval.import(&lib, Span::NONE)));
    }
    if !is_own("debian") {
        // For a Debian package that has the name of one of the fleet's.
        all.set("debian", AttrsBuilder::new().finish_with(eval, Fallback, &[debian]));
    }
    Ok(all.finish_with(eval, Fallback, &[debian]))
}

fn package<'a>(eval: &Evaluator<'a>, name: &str, at: Span) -> Result<Value<'a>> {
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
