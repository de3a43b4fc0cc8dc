//! `lib.fetchPackage`: a package that is an archive or binary from some URL.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::data::Data;
use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator, STORE};
use crate::literal::Literal;
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::{Attrs, Value};

const KNOWN: [&str; 5] = ["name", "version", "url", "hash", "bin"];

/// `fetchPackage { name; version ? null; url; hash; bin ? { <name> = null; }; }`
pub(crate) fn fetch_package<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    if let Some(unknown) =
        set.sorted().into_iter().find(|attr| !KNOWN.contains(&attr.name.as_str()))
    {
        let message = format!("`fetchPackage` has no argument `{}`", unknown.name);
        let mut error =
            Diagnostic::error("name::unexpected-argument", unknown.span.or(at), message);
        error.help = did_you_mean(unknown.name.as_str(), KNOWN);
        return Err(error.into());
    }
    let (name, _) = field(eval, set, "name", at)?;
    let (url, url_at) = field(eval, set, "url", at)?;
    if let Err(error) = Literal::Url.check(&url) {
        let mut out = Diagnostic::error("type::mismatch", url_at, format!("`url`: {error}"));
        out.help = error.help;
        return Err(out.into());
    }
    let (hash, hash_at) = field(eval, set, "hash", at)?;
    let sha256 = sha256(&hash, hash_at)?;
    let version = match set.get(symbol!("version")) {
        Some(attr) => eval.force_attr(attr)?,
        None => Value::Null,
    };
    let bin = match set.get(symbol!("bin")) {
        Some(attr) => eval.force_attr(attr)?,
        None => eval.attrs([(name.as_str(), Value::Null)]),
    };
    let id = recipe(&name, &sha256, &eval.to_data(bin, at)?);
    let mut out = AttrsBuilder::with_capacity(8);
    out.set("type", eval.str_in("package"));
    out.set("kind", eval.str_in("fetched"));
    out.set("name", eval.str(&name));
    out.set("version", version);
    out.set("url", eval.str(&url));
    out.set("sha256", eval.str(&sha256));
    out.set("bin", bin);
    out.set("outPath", eval.str(&format!("{STORE}/{id}-{name}")));
    Ok(out.finish(eval))
}

/// The hash of what makes a package what it is: canonical JSON, keys in byte order.
fn recipe(name: &str, sha256: &str, bin: &Data) -> String {
    let recipe = serde_json::json!({ "bin": json(bin), "name": name, "sha256": sha256 });
    // serde_json's map keeps keys in byte order, and writes no spaces.
    blake3::hash(recipe.to_string().as_bytes()).to_hex().to_string()
}

fn json(data: &Data) -> serde_json::Value {
    match data {
        Data::Str(text) => text.as_str().into(),
        Data::Attrs(set) => set.iter().map(|(name, data)| (name.clone(), json(data))).collect(),
        _ => serde_json::Value::Null,
    }
}

fn field<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    name: &str,
    at: Span,
) -> Result<(String, Span)> {
    let Some(attr) = set.get_str(name) else {
        let message = format!("`fetchPackage` needs the argument `{name}`");
        return Err(Diagnostic::error("name::missing-argument", at, message).into());
    };
    let value = eval.force_attr(attr)?;
    let span = eval.value_span(attr.span.or(at));
    Ok((eval.expect_str(value, span)?.to_owned(), span))
}

/// Hex of a SHA-256 that is written as hex or as `sha256-<base64>`.
fn sha256(hash: &str, at: Span) -> Result<String> {
    let plain = |hash: &str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain(hash) {
        return Ok(hash.to_ascii_lowercase());
    }
    let bytes = hash.strip_prefix("sha256-").and_then(|text| STANDARD.decode(text).ok());
    match bytes {
        Some(bytes) if bytes.len() == 32 => {
            Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        _ => {
            Err(Diagnostic::error("type::mismatch", at, format!("{hash:?} is not a SHA-256 hash"))
                .with_help("write 64 hexadecimal digits, as `sha256sum` prints them, or sha256-…")
                .into())
        }
    }
}
