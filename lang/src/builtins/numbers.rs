//! Numbers.

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{Evaluator, arithmetic, mismatch};
use crate::source::Span;
use crate::tree::BinaryOp;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("add", 2, |e, args, at| operate(BinaryOp::Add, e, args, at)),
    builtin("sub", 2, |e, args, at| operate(BinaryOp::Sub, e, args, at)),
    builtin("mul", 2, |e, args, at| operate(BinaryOp::Mul, e, args, at)),
    builtin("div", 2, |e, args, at| operate(BinaryOp::Div, e, args, at)),
    builtin("lessThan", 2, less_than),
    builtin("bitAnd", 2, |e, args, at| bits(e, args, at, |a, b| a & b)),
    builtin("bitOr", 2, |e, args, at| bits(e, args, at, |a, b| a | b)),
    builtin("bitXor", 2, |e, args, at| bits(e, args, at, |a, b| a ^ b)),
    builtin("ceil", 1, |e, args, at| round(e, args, at, f64::ceil)),
    builtin("floor", 1, |e, args, at| round(e, args, at, f64::floor)),
];

fn operate<'a>(op: BinaryOp, e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    arithmetic(op, e.force_at(args[0], at)?, e.force_at(args[1], at)?, (at, at, at))
}

fn less_than<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(Value::Bool(e.less(args[0], args[1], at)?))
}

fn bits<'a>(
    e: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
    op: fn(i64, i64) -> i64,
) -> Result<Value<'a>> {
    Ok(Value::Int(op(e.expect_int(args[0], at)?, e.expect_int(args[1], at)?)))
}

fn round<'a>(
    e: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
    op: fn(f64) -> f64,
) -> Result<Value<'a>> {
    match e.force_at(args[0], at)? {
        Value::Int(value) => Ok(Value::Int(value)),
        Value::Float(value) => {
            let rounded = op(value);
            // 2^63 itself does not fit; NaN is in no range.
            if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded) {
                return Ok(Value::Int(rounded as i64));
            }
            let message = format!("{} does not fit a 64-bit integer", shortest_float(value));
            Err(Diagnostic::error("eval::overflow", at, message).into())
        }
        other => Err(mismatch("a number", other, at)),
    }
}

/// A float with six significant digits, as C's `%g` prints it: how Nix shows floats.
pub(crate) fn shortest_float(value: f64) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        return trim_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim_zeros(mantissa), exponent.abs())
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::shortest_float;

    #[test]
    fn floats_as_c_prints_them() {
        let cases = [
            (0.1, "0.1"),
            (1.0, "1"),
            (1e6, "1e+06"),
            (123_456.0, "123456"),
            (1_234_567.0, "1.23457e+06"),
            (1e-5, "1e-05"),
            (0.000_123, "0.000123"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (1e100, "1e+100"),
        ];
        for (value, expected) in cases {
            assert_eq!(shortest_float(value), expected);
        }
    }
}
