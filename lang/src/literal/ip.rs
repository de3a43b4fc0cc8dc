//! IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::cut;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// An IPv4 address in dotted quad form, without leading zeros.
pub fn ipv4(text: &str) -> Result<Ipv4Addr, LiteralError> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(LiteralError::new(0..text.len(), "an IPv6 address, not an IPv4 one"));
    }
    whole("an IPv4 address", text, ipv4_grammar)
}

/// An IPv6 address, without a zone.
pub fn ipv6(text: &str) -> Result<Ipv6Addr, LiteralError> {
    if text.parse::<Ipv4Addr>().is_ok() {
        return Err(LiteralError::new(0..text.len(), "an IPv4 address, not an IPv6 one"));
    }
    whole("an IPv6 address", text, ipv6_grammar)
}

/// An address of either family; a colon before any dot makes it IPv6.
pub fn ip(text: &str) -> Result<IpAddr, LiteralError> {
    whole("an IP address", text, ip_grammar)
}

pub(crate) fn ip_grammar(input: &str) -> Parsed<'_, IpAddr> {
    let colon = input.find(':').unwrap_or(usize::MAX);
    if colon < input.find('.').unwrap_or(usize::MAX) {
        ipv6_grammar.map(IpAddr::V6).parse(input)
    } else {
        ipv4_grammar.map(IpAddr::V4).parse(input)
    }
}

pub(crate) fn ipv4_grammar(input: &str) -> Parsed<'_, Ipv4Addr> {
    let dot = |i| expect("`.` and another number", char('.')).parse(i);
    let (rest, (a, _, b, _, c, _, d)) =
        (octet, cut(dot), cut(octet), cut(dot), cut(octet), cut(dot), cut(octet)).parse(input)?;
    Ok((rest, Ipv4Addr::new(a, b, c, d)))
}

fn octet(input: &str) -> Parsed<'_, u8> {
    let (rest, digits) = expect("a number from 0 to 255", digit1).parse(input)?;
    if digits.len() > 1 && digits.starts_with('0') {
        let plain = digits.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        return Fault::said(input, digits.len(), format!("`{digits}` has a leading zero"))
            .help(format!("write {plain}: some programs read a leading zero as octal"))
            .fatal();
    }
    match digits.parse::<u8>() {
        Ok(value) => Ok((rest, value)),
        Err(_) => Fault::said(
            input,
            digits.len(),
            format!("`{digits}` is too large: each number of an IPv4 address is at most 255"),
        )
        .fatal(),
    }
}

const DIGIT: &str = "a hexadecimal digit or `:`";

pub(crate) fn ipv6_grammar(input: &str) -> Parsed<'_, Ipv6Addr> {
    let (rest, text) =
        expect(DIGIT, take_while1(|c: char| c.is_ascii_hexdigit() || c == ':' || c == '.'))
            .parse(input)?;
    if rest.starts_with('%') {
        return Fault::said(rest, rest.len(), "a zone is not part of an address")
            .help("leave the `%` and what follows out; name the interface in an option of its own")
            .fatal();
    }
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Ok((rest, address)),
        Err(_) => {
            // A character that no address holds explains more than the groups before it.
            if !rest.is_empty() && !rest.starts_with('/') {
                cut(expect(DIGIT, one_of(":"))).parse(rest)?;
            }
            why_not_ipv6(input, text).fatal()
        }
    }
}

/// The first thing wrong with `text`, which holds only hexadecimal digits, colons and dots.
fn why_not_ipv6<'t>(input: &'t str, text: &str) -> Fault<'t> {
    if let Some(at) = text.find(":::") {
        return Fault::said(&input[at..], 3, "`:::` is one colon too many");
    }
    let mut gaps = text.match_indices("::");
    let first_gap = gaps.next();
    if let Some((second, _)) = gaps.next() {
        return Fault::said(&input[second..], 2, "a second `::`: only one gap can be filled")
            .help("write the zeros of one of the two gaps out");
    }
    let mut at = 0;
    let mut groups = 0;
    for group in text.split(':') {
        if group.contains('.') {
            groups += 2;
            if let Err(error) = ipv4(group) {
                let here = &input[at + error.at.start..];
                return Fault::said(here, error.at.len(), error.message);
            }
        } else if group.len() > 4 {
            return Fault::said(
                &input[at..],
                group.len(),
                format!("`{group}` is too long: a group has at most 4 digits"),
            );
        } else if !group.is_empty() {
            groups += 1;
        }
        if groups > 8 {
            return Fault::said(&input[at..], group.len(), "too many groups: an address has 8");
        }
        at += group.len() + 1;
    }
    let end = text.len();
    if text.ends_with(':') && !text.ends_with("::") {
        return Fault::said(&input[end - 1..], 1, "a single `:` at the end");
    }
    if text.starts_with(':') && !text.starts_with("::") {
        return Fault::said(input, 1, "a single `:` at the beginning");
    }
    if first_gap.is_some() {
        return Fault::said(input, end, "`::` stands for at least one group, but there are 8");
    }
    Fault::said(&input[end..], 0, format!("only {groups} of 8 groups"))
        .help("`::` stands for the groups of zeros that are left out")
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn ipv4() {
        let texts =
            ["192.168.1.40", "::1", "", "192.168.1", "192.168.1.256", "10.0.0.01", "10.0.0.1x"];
        insta::assert_snapshot!(show(&texts, super::ipv4), @r"
        192.168.1.40
          = 192.168.1.40
        ::1
        ^^^ an IPv6 address, not an IPv4 one

        ^ an empty string is not an IPv4 address
        192.168.1
                 ^ not an IPv4 address: expected `.` and another number, but the text ends here
        192.168.1.256
                  ^^^ `256` is too large: each number of an IPv4 address is at most 255
        10.0.0.01
               ^^ `01` has a leading zero
          help: write 1: some programs read a leading zero as octal
        10.0.0.1x
                ^ not an IPv4 address: expected the end, found `x`
        ");
    }

    #[test]
    fn ipv6() {
        let texts = [
            "2001:cafe:42::1",
            "10.0.0.1",
            "::",
            "::ffff:10.0.0.1",
            "fe80::1%eth0",
            "1::2::3",
            "1:2:3",
            "12345::",
            "1:2:3:4:5:6:7:8:9",
            "20g1::1",
            "::1:",
            ":::",
        ];
        insta::assert_snapshot!(show(&texts, super::ipv6), @r"
        2001:cafe:42::1
          = 2001:cafe:42::1
        10.0.0.1
        ^^^^^^^^ an IPv4 address, not an IPv6 one
        ::
          = ::
        ::ffff:10.0.0.1
          = ::ffff:10.0.0.1
        fe80::1%eth0
               ^^^^^ a zone is not part of an address
          help: leave the `%` and what follows out; name the interface in an option of its own
        1::2::3
            ^^ a second `::`: only one gap can be filled
          help: write the zeros of one of the two gaps out
        1:2:3
             ^ only 3 of 8 groups
          help: `::` stands for the groups of zeros that are left out
        12345::
        ^^^^^ `12345` is too long: a group has at most 4 digits
        1:2:3:4:5:6:7:8:9
                        ^ too many groups: an address has 8
        20g1::1
          ^ not an IPv6 address: expected a hexadecimal digit or `:`, found `g`
        ::1:
           ^ a single `:` at the end
        :::
        ^^^ `:::` is one colon too many
        ");
    }

    #[test]
    fn either() {
        let texts = ["10.0.0.1", "::1", "node1"];
        insta::assert_snapshot!(show(&texts, super::ip), @r"
        10.0.0.1
          = 10.0.0.1
        ::1
          = ::1
        node1
        ^ not an IP address: expected a number from 0 to 255, found `n`
        ");
    }
}
