//! Sizes in bytes: `512M`, `1Gi`. Units are powers of 1024, as systemd and the kernel count.

use nom::Parser;
use nom::character::complete::{alpha1, digit1, space0};
use nom::combinator::opt;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

const UNITS: [(&[&str], u32); 7] = [
    (&["B"], 0),
    (&["K", "Ki", "KiB"], 10),
    (&["M", "Mi", "MiB"], 20),
    (&["G", "Gi", "GiB"], 30),
    (&["T", "Ti", "TiB"], 40),
    (&["P", "Pi", "PiB"], 50),
    (&["E", "Ei", "EiB"], 60),
];

/// A size in bytes.
pub fn size(text: &str) -> Result<u64, LiteralError> {
    whole("a size", text, grammar)
}

fn grammar(input: &str) -> Parsed<'_, u64> {
    let (unit, digits) = expect("a number", digit1).parse(input)?;
    if unit.starts_with('.') {
        return Fault::said(unit, unit.len(), "a size is a whole number")
            .help("write it in the next smaller unit: 1536M for 1.5G")
            .fatal();
    }
    let (unit, _) = space0(unit)?;
    let (rest, name) = opt(alpha1).parse(unit)?;
    let name = name.unwrap_or("B");
    let Some(shift) = UNITS.iter().find(|(names, _)| names.contains(&name)).map(|(_, n)| *n) else {
        return unknown_unit(unit, name).fatal();
    };
    match digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)) {
        Some(bytes) => Ok((rest, bytes)),
        None => Fault::said(input, digits.len(), "more bytes than can be counted (16 EiB)").fatal(),
    }
}

fn unknown_unit<'t>(unit: &'t str, name: &str) -> Fault<'t> {
    let fault = Fault::said(unit, name.len(), format!("`{name}` is not a unit of size"));
    let letter = name.chars().next().map(|c| c.to_ascii_uppercase());
    match letter.filter(|c| "KMGTPE".contains(*c)) {
        Some(letter) => {
            fault.help(format!("write {letter} or {letter}i: units are powers of 1024"))
        }
        None => fault.help("the units are B, K, M, G, T, P, E, in powers of 1024"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn sizes() {
        let texts = ["512", "512M", "1 GiB", "10MB", "1.5G", "lots", "17E", "1k", "1X"];
        insta::assert_snapshot!(show(&texts, super::size), @r"
        512
          = 512
        512M
          = 536870912
        1 GiB
          = 1073741824
        10MB
          ^^ `MB` is not a unit of size
          help: write M or Mi: units are powers of 1024
        1.5G
         ^^^ a size is a whole number
          help: write it in the next smaller unit: 1536M for 1.5G
        lots
        ^ not a size: expected a number, found `l`
        17E
        ^^ more bytes than can be counted (16 EiB)
        1k
         ^ `k` is not a unit of size
          help: write K or Ki: units are powers of 1024
        1X
         ^ `X` is not a unit of size
          help: the units are B, K, M, G, T, P, E, in powers of 1024
        ");
    }
}
