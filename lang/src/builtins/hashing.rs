//! Hashes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("hashString", 2, hash_string),
    builtin("hashFile", 2, hash_file),
    builtin("convertHash", 1, convert_hash),
];

const ALGORITHMS: [(&str, usize); 4] = [("md5", 16), ("sha1", 20), ("sha256", 32), ("sha512", 64)];
/// Nix's base 32: no letters that could spell words.
const BASE32: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

fn digest(algorithm: &str, bytes: &[u8], at: Span) -> Result<String> {
    Ok(match algorithm {
        "md5" => hex(&Md5::digest(bytes)),
        "sha1" => hex(&Sha1::digest(bytes)),
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        other => {
            return Err(unknown("hash algorithm", other, ALGORITHMS.map(|(name, _)| name), at));
        }
    })
}

fn unknown<const N: usize>(
    what: &str,
    found: &str,
    known: [&'static str; N],
    at: Span,
) -> Box<Diagnostic> {
    let mut error =
        Diagnostic::error("type::mismatch", at, format!("there is no {what} `{found}`"));
    error.help =
        did_you_mean(found, known).or_else(|| Some(format!("one of {}", known.join(", "))));
    error.into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash_string<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let text = e.expect_str(args[1], at)?;
    Ok(e.str(&digest(e.expect_str(args[0], at)?, text.as_bytes(), at)?))
}

fn hash_file<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let algorithm = e.expect_str(args[0], at)?;
    let path = e.expect_path(args[1], at)?;
    let bytes = e.world.roots.read(&path).map_err(|error| e.world.unreadable(&path, &error, at))?;
    Ok(e.str(&digest(algorithm, &bytes, at)?))
}

fn convert_hash<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let spec = e.expect_attrs(args[0], at)?;
    let part = |name: &str| match spec.get_str(name) {
        Some(attr) => e.expect_str(e.force_attr(attr)?, attr.span.or(at)).map(Some),
        None => Ok(None),
    };
    let missing = |name| e.missing(Value::Attrs(spec), Symbol::new(name), at);
    let text = part("hash")?.ok_or_else(|| missing("hash"))?;
    let format = part("toHashFormat")?.ok_or_else(|| missing("toHashFormat"))?;
    let asked = part("hashAlgo")?;
    let (algorithm, body) = match (text.split_once([':', '-']), asked) {
        (Some((named, body)), None) => (named, body),
        (Some((named, body)), Some(asked)) if named == asked => (named, body),
        (Some(_), Some(asked)) => {
            let message = format!("`{text}` is no {asked} hash");
            return Err(Diagnostic::error("type::mismatch", at, message)
                .with_help("leave `hashAlgo` out: the hash says what it is")
                .into());
        }
        (None, Some(asked)) => (asked, text),
        (None, None) => return Err(missing("hashAlgo")),
    };
    let names = ALGORITHMS.map(|(name, _)| name);
    let Some((_, size)) = ALGORITHMS.into_iter().find(|(name, _)| *name == algorithm) else {
        return Err(unknown("hash algorithm", algorithm, names, at));
    };
    let Some(bytes) = decode(body, size) else {
        let message = format!("`{text}` is no {algorithm} hash");
        return Err(Diagnostic::error("type::mismatch", at, message).into());
    };
    Ok(e.str(&match format {
        "base16" => hex(&bytes),
        "nix32" | "base32" => base32(&bytes),
        "base64" => BASE64.encode(&bytes),
        "sri" => format!("{algorithm}-{}", BASE64.encode(&bytes)),
        other => {
            return Err(unknown("hash format", other, ["base16", "nix32", "base64", "sri"], at));
        }
    }))
}

/// A hash of this many bytes, in whichever form its length says.
fn decode(text: &str, size: usize) -> Option<Vec<u8>> {
    if text.len() == size * 2 {
        let digit = |at: usize| char::from(*text.as_bytes().get(at)?).to_digit(16);
        let byte = |at: usize| Some((digit(at * 2)? << 4 | digit(at * 2 + 1)?) as u8);
        return (0..size).map(byte).collect();
    }
    if text.len() == base32_length(size) {
        return unbase32(text, size);
    }
    BASE64.decode(text).ok().filter(|bytes| bytes.len() == size)
}

fn base32_length(size: usize) -> usize {
    (size * 8).div_ceil(5)
}

fn base32(bytes: &[u8]) -> String {
    let digit = |n: usize| {
        let (i, j) = (n * 5 / 8, n * 5 % 8);
        let low = u16::from(bytes.get(i).copied().unwrap_or(0)) >> j;
        let high = u16::from(bytes.get(i + 1).copied().unwrap_or(0)) << (8 - j);
        char::from(BASE32[usize::from((low | high) & 31)])
    };
    (0..base32_length(bytes.len())).rev().map(digit).collect()
}

fn unbase32(text: &str, size: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; size];
    for (n, c) in text.bytes().rev().enumerate() {
        let digit = BASE32.iter().position(|known| *known == c)? as u16;
        let (i, j) = (n * 5 / 8, n * 5 % 8);
        let shifted = digit << j;
        *bytes.get_mut(i)? |= shifted as u8;
        match bytes.get_mut(i + 1) {
            Some(next) => *next |= (shifted >> 8) as u8,
            None if shifted >> 8 != 0 => return None,
            None => {}
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_goes_both_ways() {
        let bytes = Sha256::digest(b"abc").to_vec();
        assert_eq!(base32(&bytes), "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s");
        assert_eq!(decode(&base32(&bytes), 32), Some(bytes));
    }
}
