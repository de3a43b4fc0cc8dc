//! Hardware (MAC) addresses.

use nom::Parser;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::one_of;
use nom::combinator::cut;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// Six pairs of hexadecimal digits, all separated by `:` or all by `-`.
pub fn mac(text: &str) -> Result<[u8; 6], LiteralError> {
    whole("a hardware (MAC) address", text, grammar)
}

fn grammar(input: &str) -> Parsed<'_, [u8; 6]> {
    let mut bytes = [0; 6];
    let (mut rest, first) = pair(input)?;
    bytes[0] = first;
    let mut separator = None;
    for byte in bytes.iter_mut().skip(1) {
        let (after, found) = cut(expect("`:` and another pair", one_of(":-"))).parse(rest)?;
        if *separator.get_or_insert(found) != found {
            return Fault::said(rest, 1, "`:` and `-` are mixed")
                .help("use `:` throughout")
                .fatal();
        }
        (rest, *byte) = cut(pair).parse(after)?;
    }
    Ok((rest, bytes))
}

fn pair(input: &str) -> Parsed<'_, u8> {
    let digits = take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit());
    let (rest, digits) = expect("two hexadecimal digits", digits).parse(input)?;
    // Two hexadecimal digits always make a byte.
    Ok((rest, u8::from_str_radix(digits, 16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn macs() {
        let texts = [
            "02:00:5e:10:00:01",
            "02-00-5E-10-00-01",
            "02:00-5e:10:00:01",
            "02:00:5e:10:00",
            "2:0:5e:10:0:1",
            "02:00:5e:10:00:01:02",
            "zz:00:5e:10:00:01",
        ];
        insta::assert_snapshot!(show(&texts, super::mac), @r"
        02:00:5e:10:00:01
          = [2, 0, 94, 16, 0, 1]
        02-00-5E-10-00-01
          = [2, 0, 94, 16, 0, 1]
        02:00-5e:10:00:01
             ^ `:` and `-` are mixed
          help: use `:` throughout
        02:00:5e:10:00
                      ^ not a hardware (MAC) address: expected `:` and another pair, but the text ends here
        2:0:5e:10:0:1
        ^ not a hardware (MAC) address: expected two hexadecimal digits, found `2`
        02:00:5e:10:00:01:02
                         ^ not a hardware (MAC) address: expected the end, found `:`
        zz:00:5e:10:00:01
        ^ not a hardware (MAC) address: expected two hexadecimal digits, found `z`
        ");
    }
}
