//! JSON: reading, and how it writes floats.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::value::Value;

/// The value of a JSON text.
pub(super) fn parse<'a>(e: &Evaluator<'a>, text: &str, at: Span) -> Result<Value<'a>> {
    let mut reader = Reader { e, at, text, place: 0 };
    let value = reader.value()?;
    reader.blanks();
    match reader.rest().chars().next() {
        None => Ok(value),
        Some(c) => Err(reader.wrong(&format!("unexpected `{c}` after the value"))),
    }
}

struct Reader<'e, 't, 'a> {
    e: &'e Evaluator<'a>,
    at: Span,
    text: &'t str,
    place: usize,
}

impl<'t, 'a> Reader<'_, 't, 'a> {
    fn rest(&self) -> &'t str {
        &self.text[self.place..]
    }

    #[cold]
    fn wrong(&self, why: &str) -> Box<Diagnostic> {
        let before = &self.text[..self.place];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count() + 1;
        let message = format!("this is no JSON: {why}, at line {line} column {column}");
        Diagnostic::error("type::json", self.at, message).into()
    }

    fn blanks(&mut self) {
        let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.place = self.text.len() - rest.len();
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.place += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        self.blanks();
        if self.take(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    #[cold]
    fn unexpected(&self, wanted: &str) -> Box<Diagnostic> {
        match self.rest().chars().next() {
            Some(c) => self.wrong(&format!("unexpected `{c}`, expected {wanted}")),
            None => self.wrong(&format!("it ends too early, expected {wanted}")),
        }
    }

    fn value(&mut self) -> Result<Value<'a>> {
        self.blanks();
        match self.rest().bytes().next() {
            Some(b'{') => self.e.deeper(self.at, || self.object()),
            Some(b'[') => self.e.deeper(self.at, || self.array()),
            Some(b'"') => Ok(self.e.str(&self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.take("null") => Ok(Value::Null),
            _ if self.take("true") => Ok(Value::Bool(true)),
            _ if self.take("false") => Ok(Value::Bool(false)),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn array(&mut self) -> Result<Value<'a>> {
        self.place += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.take("]") {
            return Ok(self.e.list(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.take("]") {
                return Ok(self.e.list(items));
            }
            self.expect(",")?;
        }
    }

    fn object(&mut self) -> Result<Value<'a>> {
        self.place += 1;
        let mut set = AttrsBuilder::new();
        self.blanks();
        if self.take("}") {
            return Ok(set.finish(self.e));
        }
        loop {
            self.blanks();
            if !self.rest().starts_with('"') {
                return Err(self.unexpected("a name between `\"`"));
            }
            let name = self.string()?;
            self.expect(":")?;
            set.set(name.as_str(), self.value()?);
            self.blanks();
            if self.take("}") {
                return Ok(set.finish(self.e));
            }
            self.expect(",")?;
        }
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Result<String> {
        self.place += 1;
        let mut out = String::new();
        loop {
            let plain = self.rest().find(|c: char| c == '"' || c == '\\' || c < ' ');
            let Some(plain) = plain else {
                self.place = self.text.len();
                return Err(self.unexpected("the closing quote"));
            };
            out.push_str(&self.rest()[..plain]);
            self.place += plain;
            if self.take("\"") {
                return Ok(out);
            }
            if !self.take("\\") {
                return Err(self.wrong("a control character in a string"));
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char> {
        let c = self.rest().chars().next().ok_or_else(|| self.unexpected("an escape"))?;
        let meant = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.code_point(),
            _ => return Err(self.wrong(&format!("`\\{c}` is no escape"))),
        };
        self.place += 1;
        Ok(meant)
    }

    /// `uXXXX`, or two of them for a character beyond 16 bits.
    fn code_point(&mut self) -> Result<char> {
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff if self.take("\\") => match self.hex()? {
                second @ 0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + second - 0xdc00,
                _ => first,
            },
            code => code,
        };
        match char::from_u32(code) {
            Some('\0') => Err(self.wrong("strings cannot hold the character 0")),
            Some(c) => Ok(c),
            None => Err(self.wrong("half of a surrogate pair")),
        }
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.rest().get(1..5).filter(|_| self.rest().starts_with('u'));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.place += 5;
                Ok(code)
            }
            None => Err(self.wrong("`\\u` needs four hexadecimal digits")),
        }
    }

    fn number(&mut self) -> Result<Value<'a>> {
        let start = self.place;
        self.take("-");
        if !self.take("0") && self.digits() == 0 {
            return Err(self.unexpected("a digit"));
        }
        let mut is_float = false;
        if self.take(".") {
            is_float = true;
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        if self.take("e") || self.take("E") {
            is_float = true;
            if !self.take("+") {
                self.take("-");
            }
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        let text = &self.text[start..self.place];
        if !is_float {
            if let Ok(value) = text.parse() {
                return Ok(Value::Int(value));
            }
            // Only what fits no 64 bits at all becomes a float.
            if text.parse::<u64>().is_ok() {
                return Err(self.wrong(&format!("{text} does not fit a 64-bit integer")));
            }
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Float(value)),
            _ => Err(self.wrong(&format!("{text} is too large for a float"))),
        }
    }

    fn digits(&mut self) -> usize {
        let rest = self.rest().trim_start_matches(|c: char| c.is_ascii_digit());
        let count = self.rest().len() - rest.len();
        self.place += count;
        count
    }
}

/// A float in JSON: the fewest digits that give the same float back, always with a point or an
/// exponent.
pub(crate) fn json_float(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        return format!("{value:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::json_float;

    #[test]
    fn floats() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e14, "100000000000000.0"),
            (1e15, "1e+15"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (1e100, "1e+100"),
            (f64::NAN, "null"),
        ];
        for (value, expected) in cases {
            assert_eq!(json_float(value), expected);
        }
    }
}
