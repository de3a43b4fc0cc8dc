//! `lib.fetchPackage`: a package that is an archive or binary from some URL.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator, STORE};
use crate::literal::Literal;
use crate::source::Span;
use crate::value::{Attrs, Value};

/// Kinds of machines that a package may have downloads for.
pub const PLATFORMS: [&str; 2] = ["x86_64-linux", "aarch64-linux"];

/// Stands for all of [`PLATFORMS`]: a package with one download for every machine.
pub const ANY_PLATFORM: &str = "any";

const KNOWN: [&str; 11] = [
    "name",
    "version",
    "url",
    "hash",
    "checksums",
    "bin",
    "files",
    "platforms",
    "description",
    "homepage",
    "licence",
];

/// What is said of one download.
const SOURCE: [&str; 5] = ["url", "hash", "checksums", "bin", "files"];

/// What is told to people alone.
const ABOUT: [&str; 3] = ["description", "homepage", "licence"];

/// Programs by their name on the path, and files by their path in the package: each a member of the
/// archive, or none where the download itself is the program.
pub type Members = BTreeMap<String, Option<String>>;

/// A download, and what is taken out of it.
struct Source {
    url: String,
    sha256: Option<String>,
    checksums: Option<String>,
    bin: Members,
    files: Members,
}

/// `fetchPackage { name; version ? null; url; hash ? null; bin ? { <name> = null; }; … }`
pub(crate) fn fetch_package<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    refuse_unknown(set, &KNOWN, "`fetchPackage`", at)?;
    let name = optional(eval, set, "name", at)?.map(|(name, _)| name);
    let sources = match set.get_str("platforms") {
        None => BTreeMap::from([(
            ANY_PLATFORM.to_owned(),
            source(eval, set, name.as_deref(), "`fetchPackage`", at)?,
        )]),
        Some(attr) => {
            let span = eval.value_span(attr.span.or(at));
            let platforms = eval.expect_attrs(eval.force_attr(attr)?, span)?;
            each_platform(eval, platforms, name.as_deref(), span)?
        }
    };
    let programs = sources.values().flat_map(|source| source.bin.keys());
    let Some(name) = name.or_else(|| programs.min().cloned()) else {
        let message = "`fetchPackage` needs the argument `name`, or a program in `bin`";
        return Err(Diagnostic::error("name::missing-argument", at, message).into());
    };
    let version = match set.get_str("version") {
        Some(attr) => eval.force_attr(attr)?,
        None => Value::Null,
    };
    let mut out = AttrsBuilder::with_capacity(16);
    out.set("type", eval.str_in("package"));
    out.set("kind", eval.str_in("fetched"));
    out.set("name", eval.str(&name));
    out.set("version", version);
    for about in ABOUT {
        if let Some(attr) = set.get_str(about) {
            out.copy(attr);
        }
    }
    if let Some(single) = sources.get(ANY_PLATFORM) {
        out.set("url", eval.str(&single.url));
        out.set("sha256", text_or_null(eval, single.sha256.as_deref()));
        out.set("bin", members(eval, &single.bin));
    }
    let folder = folder_of(&name, &sources);
    out.set("outPath", eval.str(&format!("{STORE}/{folder}")));
    let each = sources.iter().map(|(platform, source)| (platform.as_str(), source.value(eval)));
    out.set("platforms", eval.attrs(each));
    Ok(out.finish(eval))
}

/// The folder of a package in a node's store: a hash of all that makes the package what it is.
pub fn package_folder(name: &str, sha256: &str, bin: &Members, files: &Members) -> String {
    let mut recipe = serde_json::json!({ "bin": bin, "name": name, "sha256": sha256 });
    if let (false, Some(recipe)) = (files.is_empty(), recipe.as_object_mut()) {
        recipe.insert("files".to_owned(), serde_json::json!(files));
    }
    named(name, &recipe)
}

/// The folder as far as it is known here: which download a host gets, and the hash that the lock has
/// of it, is settled when the host's generation is made.
fn folder_of(name: &str, sources: &BTreeMap<String, Source>) -> String {
    if let Some(Source { sha256: Some(sha256), bin, files, .. }) = sources.get(ANY_PLATFORM) {
        return package_folder(name, sha256, bin, files);
    }
    let sources = sources.iter().map(|(platform, source)| {
        let Source { url, sha256, bin, files, .. } = source;
        let source = serde_json::json!({ "bin": bin, "files": files, "hash": sha256, "url": url });
        (platform.clone(), source)
    });
    let sources: serde_json::Map<_, _> = sources.collect();
    named(name, &serde_json::json!({ "name": name, "platforms": sources }))
}

/// serde_json's map keeps keys in byte order, and writes no spaces.
fn named(name: &str, recipe: &serde_json::Value) -> String {
    format!("{}-{name}", blake3::hash(recipe.to_string().as_bytes()).to_hex())
}

impl Source {
    fn value<'a>(&self, eval: &Evaluator<'a>) -> Value<'a> {
        eval.attrs([
            ("url", eval.str(&self.url)),
            ("sha256", text_or_null(eval, self.sha256.as_deref())),
            ("checksums", text_or_null(eval, self.checksums.as_deref())),
            ("bin", members(eval, &self.bin)),
            ("files", members(eval, &self.files)),
        ])
    }
}

fn text_or_null<'a>(eval: &Evaluator<'a>, text: Option<&str>) -> Value<'a> {
    text.map_or(Value::Null, |text| eval.str(text))
}

fn members<'a>(eval: &Evaluator<'a>, members: &Members) -> Value<'a> {
    let all = members.iter();
    eval.attrs(all.map(|(name, member)| (name.as_str(), text_or_null(eval, member.as_deref()))))
}

fn refuse_unknown(set: &Attrs<'_>, known: &[&'static str], place: &str, at: Span) -> Result<()> {
    let Some(unknown) = set.sorted().into_iter().find(|attr| !known.contains(&attr.name.as_str()))
    else {
        return Ok(());
    };
    let message = format!("{place} has no argument `{}`", unknown.name);
    let mut error = Diagnostic::error("name::unexpected-argument", unknown.span.or(at), message);
    error.help = did_you_mean(unknown.name.as_str(), known.iter().copied());
    Err(error.into())
}

fn each_platform<'a>(
    eval: &Evaluator<'a>,
    platforms: &'a Attrs<'a>,
    name: Option<&str>,
    at: Span,
) -> Result<BTreeMap<String, Source>> {
    let mut sources = BTreeMap::new();
    for attr in platforms.sorted() {
        let platform = attr.name.as_str();
        if !PLATFORMS.contains(&platform) {
            let message = format!("there is no platform `{platform}`");
            let help = did_you_mean(platform, PLATFORMS)
                .unwrap_or_else(|| format!("the platforms are: {}", PLATFORMS.join(", ")));
            let error = Diagnostic::error("package::no-platform", attr.span.or(at), message);
            return Err(error.with_help(help).into());
        }
        let span = eval.value_span(attr.span.or(at));
        let set = eval.expect_attrs(eval.force_attr(attr)?, span)?;
        let place = format!("`platforms.{platform}`");
        refuse_unknown(set, &SOURCE, &place, span)?;
        sources.insert(platform.to_owned(), source(eval, set, name, &place, span)?);
    }
    Ok(sources)
}

fn source<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    name: Option<&str>,
    place: &str,
    at: Span,
) -> Result<Source> {
    let Some(url) = optional(eval, set, "url", at)? else {
        let message = format!("{place} needs the argument `url`");
        return Err(Diagnostic::error("name::missing-argument", at, message).into());
    };
    let sha256 = optional(eval, set, "hash", at)?;
    let files = match set.get_str("files") {
        Some(attr) => taken(eval, attr, at)?,
        None => Members::new(),
    };
    let bin = match (set.get_str("bin"), name) {
        (Some(attr), _) => taken(eval, attr, at)?,
        (None, Some(name)) if files.is_empty() => Members::from([(name.to_owned(), None)]),
        (None, _) => Members::new(),
    };
    Ok(Source {
        url: checked("url", url)?,
        sha256: sha256.map(|(hash, at)| self::sha256(&hash, at)).transpose()?,
        checksums: optional(eval, set, "checksums", at)?
            .map(|url| checked("checksums", url))
            .transpose()?,
        bin,
        files,
    })
}

/// What is taken out of a download: by name, or members that keep the last part of theirs.
fn taken<'a>(eval: &Evaluator<'a>, attr: &crate::value::Attr<'a>, at: Span) -> Result<Members> {
    let span = eval.value_span(attr.span.or(at));
    let named = |member: &str| {
        let name = member.rsplit('/').next().unwrap_or(member);
        (name.to_owned(), Some(member.to_owned()))
    };
    match eval.force_attr(attr)? {
        Value::Str(member) => Ok(Members::from([named(member)])),
        Value::List(list) => {
            let members = list.iter().map(|item| {
                let member = eval.expect_str(eval.force_at(item, span)?, span)?;
                Ok(named(member))
            });
            members.collect()
        }
        value => {
            let set = eval.expect_attrs(value, span)?;
            let members = set.iter().map(|attr| {
                let at = eval.value_span(attr.span.or(span));
                let member = match eval.force_attr(attr)? {
                    Value::Null => None,
                    value => Some(eval.expect_str(value, at)?.to_owned()),
                };
                Ok((attr.name.as_str().to_owned(), member))
            });
            members.collect()
        }
    }
}

fn checked(field: &str, (url, at): (String, Span)) -> Result<String> {
    match Literal::Url.check(&url) {
        Ok(_) => Ok(url),
        Err(error) => {
            let mut out = Diagnostic::error("type::mismatch", at, format!("`{field}`: {error}"));
            out.help = error.help;
            Err(out.into())
        }
    }
}

/// The text of an argument and where it is; none where it is left out, or null.
fn optional<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    name: &str,
    at: Span,
) -> Result<Option<(String, Span)>> {
    let Some(attr) = set.get_str(name) else { return Ok(None) };
    let value = eval.force_attr(attr)?;
    let span = eval.value_span(attr.span.or(at));
    if matches!(value, Value::Null) {
        return Ok(None);
    }
    Ok(Some((eval.expect_str(value, span)?.to_owned(), span)))
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
