//! What a plain scalar means: the rules of Go's yaml.v3, which sops reads with.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::tree::{Kind, Node, Scalar};

/// A scalar without quotes and tag.
///
/// # Errors
/// A number that sops refuses.
pub(crate) fn resolve(text: &str) -> Result<Node, &'static str> {
    let of = |kind, text: &str| Ok(Node::Scalar(Scalar::of(kind, text)));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Node::Null),
        "true" | "True" | "TRUE" => return of(Kind::Bool, "true"),
        "false" | "False" | "FALSE" => return of(Kind::Bool, "false"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return of(Kind::Float, "+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => return of(Kind::Float, "-Inf"),
        ".nan" | ".NaN" | ".NAN" => return of(Kind::Float, "NaN"),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return of(Kind::Str, text);
    }
    if let Some(time) = time(text) {
        return of(Kind::Time, &time);
    }
    if let Some(whole) = whole(text) {
        return match i64::try_from(whole) {
            Ok(whole) => of(Kind::Int, &whole.to_string()),
            Err(_) if u64::try_from(whole).is_ok() => {
                Err("a whole number that is too large for sops: put it in quotes")
            }
            Err(_) => of_float(text),
        };
    }
    of_float(text)
}

fn of_float(text: &str) -> Result<Node, &'static str> {
    Ok(Node::Scalar(match float(text) {
        Some(float) => Scalar::of(Kind::Float, float.to_string()),
        None => Scalar::str(text),
    }))
}

/// A scalar with one of YAML's own tags; none where its text is not of that type.
pub(crate) fn tagged(tag: &str, text: &str) -> Option<Node> {
    let wanted = match tag {
        "str" => return Some(Node::Scalar(Scalar::str(text))),
        "binary" => {
            let packed: String = text.split_ascii_whitespace().collect();
            return Some(Node::Scalar(Scalar::str(BASE64_STANDARD.decode(packed).ok()?)));
        }
        "null" => return (resolve(text) == Ok(Node::Null)).then_some(Node::Null),
        "int" => Kind::Int,
        "bool" => Kind::Bool,
        "timestamp" => Kind::Time,
        "float" => {
            return float(text)
                .map(|float| Node::Scalar(Scalar::of(Kind::Float, float.to_string())));
        }
        _ => return None,
    };
    let node = resolve(text).ok()?;
    matches!(&node, Node::Scalar(scalar) if scalar.kind == wanted).then_some(node)
}

/// A whole number in base 10, 16, 8 (`0o17`, and `017` as in YAML 1.1) or 2, with `_` between digits.
fn whole(text: &str) -> Option<i128> {
    let text = text.replace('_', "");
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text.as_str()),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match (lower.get(..2), lower.get(2..)) {
        (Some("0x"), Some(rest)) => (16, rest),
        (Some("0o"), Some(rest)) => (8, rest),
        (Some("0b"), Some(rest)) => (2, rest),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.as_str()),
        _ => (10, lower.as_str()),
    };
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -value } else { value })
}

/// A number with a fraction or an exponent, or too large for a whole one.
fn float(text: &str) -> Option<f64> {
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((before, fraction)) => digits(before) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let fits = fits
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent)
        });
    if !fits {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A date, or a date and a time, as RFC 3339; in UTC where no zone is said.
fn time(text: &str) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits != 4 || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    if text.len() <= 10 {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || text.len() < 8 {
            return None;
        }
        let number = |text: &str| text.parse::<i8>().ok();
        let date = jiff::civil::Date::new(year.parse().ok()?, number(month)?, number(day)?).ok()?;
        return Some(format!("{date}T00:00:00Z"));
    }
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, zone) = match rest.find(['Z', 'z', '+', '-', ' ']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, "Z"),
    };
    let zone = zone.trim().to_ascii_uppercase();
    let full = format!("{date}T{clock}{zone}");
    full.parse::<jiff::Timestamp>().ok()?;
    Some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_sops_takes_them_for() {
        let shown = |text: &str| match resolve(text) {
            Err(_) => "refused".to_owned(),
            Ok(Node::Scalar(scalar)) => {
                format!("{} {}", scalar.kind.as_str(), scalar.text.expose_str().unwrap_or("?"))
            }
            _ => "null".to_owned(),
        };
        let expected = [
            ("yes", "str yes"),
            ("~", "null"),
            ("True", "bool true"),
            ("017", "int 15"),
            ("0x1F", "int 31"),
            ("-0b11", "int -3"),
            ("1_000", "int 1000"),
            ("1.50", "float 1.5"),
            ("1e3", "float 1000"),
            ("1e400", "str 1e400"),
            ("9223372036854775808", "refused"),
            ("18446744073709551616", "float 18446744073709552000"),
            ("1.2.3", "str 1.2.3"),
            ("10.0.0.1", "str 10.0.0.1"),
            ("-", "str -"),
            ("0x", "str 0x"),
            ("2001-12-14", "time 2001-12-14T00:00:00Z"),
            ("2001-12-14 21:59:43.10 -05:00", "time 2001-12-14T21:59:43.10-05:00"),
            ("2001-99-14", "str 2001-99-14"),
            (".inf", "float +Inf"),
        ];
        for (text, means) in expected {
            assert_eq!(shown(text), means, "{text}");
        }
    }
}
