//! Ports and ranges of ports.

use nom::Parser;
use nom::character::complete::{char, digit1};
use nom::combinator::cut;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// All ports from `from` to `to`, both included; `from <= to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub from: u16,
    /// The highest port.
    pub to: u16,
}

/// A port as text, 0 to 65535.
pub fn port(text: &str) -> Result<u16, LiteralError> {
    whole("a port", text, number)
}

/// A range such as `8000-8100`.
pub fn port_range(text: &str) -> Result<PortRange, LiteralError> {
    whole("a range of ports", text, range)
}

fn range(input: &str) -> Parsed<'_, PortRange> {
    let (rest, from) = number(input)?;
    if let Some(highest) = rest.strip_prefix(':') {
        return Fault::said(rest, 1, "expected `-` between the two ports, found `:`")
            .help(format!("write {from}-{highest}"))
            .fatal();
    }
    let (rest, _) = cut(expect("`-` and the highest port", char('-'))).parse(rest)?;
    let (rest, to) = cut(number).parse(rest)?;
    if from > to {
        return Fault::said(input, input.len() - rest.len(), "the lowest port comes first")
            .help(format!("write {to}-{from}"))
            .fatal();
    }
    Ok((rest, PortRange { from, to }))
}

fn number(input: &str) -> Parsed<'_, u16> {
    let (rest, digits) = expect("a port from 0 to 65535", digit1).parse(input)?;
    match digits.parse::<u16>() {
        Ok(port) => Ok((rest, port)),
        Err(_) => {
            Fault::said(input, digits.len(), format!("`{digits}` is too large: ports end at 65535"))
                .fatal()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn ranges() {
        let texts = ["8000-8100", "8000", "8100-8000", "8000:8100", "80-70000", "a-b", "1-2-3"];
        insta::assert_snapshot!(show(&texts, super::port_range), @r"
        8000-8100
          = PortRange { from: 8000, to: 8100 }
        8000
            ^ not a range of ports: expected `-` and the highest port, but the text ends here
        8100-8000
        ^^^^^^^^^ the lowest port comes first
          help: write 8000-8100
        8000:8100
            ^ expected `-` between the two ports, found `:`
          help: write 8000-8100
        80-70000
           ^^^^^ `70000` is too large: ports end at 65535
        a-b
        ^ not a range of ports: expected a port from 0 to 65535, found `a`
        1-2-3
           ^ not a range of ports: expected the end, found `-`
        ");
    }

    #[test]
    fn ports() {
        insta::assert_snapshot!(show(&["6443", "65536", "http"], super::port), @r"
        6443
          = 6443
        65536
        ^^^^^ `65536` is too large: ports end at 65535
        http
        ^ not a port: expected a port from 0 to 65535, found `h`
        ");
    }
}
