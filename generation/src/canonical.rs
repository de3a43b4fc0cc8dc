//! Canonical JSON: one text for one value, so that a hash of the text names the value.
//!
//! Keys stand in byte order, there is no white space, numbers are integers, and strings escape only
//! what JSON demands. What is read must be what would have been written.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a value has no canonical text, or a text is not canonical.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// A float stands where only integers may.
    #[error("{number} is not an integer: only integers have one spelling")]
    NotAnInteger {
        /// The number as JSON writes it.
        number: String,
    },
    /// The text is no JSON, or not of the expected shape.
    #[error("malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The text says the right thing in another spelling.
    #[error("not in canonical form: the text differs from the one that its content would give")]
    NotCanonical,
}

/// Writes `value` in its one canonical spelling.
///
/// # Errors
/// When `value` holds a number that is not an integer, or a map whose keys are not strings.
pub fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(&serde_json::to_value(value)?, &mut out)?;
    Ok(out)
}

/// Reads a canonical text.
///
/// # Errors
/// When `bytes` is malformed, has fields that `T` does not know, or is spelled differently from
/// what [`to_vec`] writes: two spellings of one manifest would have two names.
pub fn from_slice<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes)?;
    if to_vec(&value)? == bytes { Ok(value) } else { Err(CanonicalError::NotCanonical) }
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Number(number) if !number.is_i64() && !number.is_u64() => {
            return Err(CanonicalError::NotAnInteger { number: number.to_string() });
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => write_object(members, out)?,
        scalar => serde_json::to_writer(&mut *out, scalar)?,
    }
    Ok(())
}

fn write_object(
    members: &serde_json::Map<String, Value>,
    out: &mut Vec<u8>,
) -> Result<(), CanonicalError> {
    // Sorted here, not left to the map: a feature of serde_json elsewhere in the tree can change it.
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (index, (key, member)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, key)?;
        out.push(b':');
        write(member, out)?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_spelling() {
        let text = to_vec(&json!({"b": [1, "ü\n"], "a": {"z": null, "": true}})).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), r#"{"a":{"":true,"z":null},"b":[1,"ü\n"]}"#);
    }

    #[test]
    fn integers_survive_whole() {
        assert_eq!(
            to_vec(&json!([u64::MAX, i64::MIN])).unwrap(),
            b"[18446744073709551615,-9223372036854775808]"
        );
        assert!(to_vec(&json!(1.5)).is_err());
    }

    #[test]
    fn another_spelling_is_refused() {
        assert!(from_slice::<Value>(b"{\"a\":1}").is_ok());
        assert!(matches!(from_slice::<Value>(b"{ \"a\": 1}"), Err(CanonicalError::NotCanonical)));
        assert!(matches!(from_slice::<Value>(b"{\"a\":"), Err(CanonicalError::Malformed(_))));
    }
}
