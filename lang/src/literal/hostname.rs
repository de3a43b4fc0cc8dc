//! Host names: one DNS label, or several with dots.

use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::{cut, opt};
use nom::multi::separated_list1;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// The longest label and the longest name that DNS carries.
const LABEL: usize = 63;
const NAME: usize = 253;

/// A host's own name: one label of letters, digits and inner hyphens.
pub fn hostname(text: &str) -> Result<(), LiteralError> {
    whole("a hostname", text, |input| {
        let (rest, label) = label(input)?;
        if rest.starts_with('.') {
            return Fault::said(rest, rest.len(), "a hostname is one label, without dots")
                .help(format!("keep `{label}` here; the domain has an option of its own"))
                .fatal();
        }
        Ok((rest, ()))
    })
}

/// A fully qualified domain name: at least two labels; a final dot is allowed.
pub fn fqdn(text: &str) -> Result<(), LiteralError> {
    whole("a fully qualified domain name", text, |input| {
        let (rest, labels) = separated_list1(char('.'), label).parse(input)?;
        let (rest, dot) = opt(char('.')).parse(rest)?;
        if dot.is_some() && !rest.is_empty() {
            cut(label).parse(rest)?;
        }
        if rest.is_empty() && labels.len() < 2 {
            return Fault::said(input, input.len(), "only one label: a full name has a domain too")
                .help(format!("write something like {}.example.org", labels.join(".")))
                .fatal();
        }
        if input.len() > NAME + usize::from(dot.is_some()) {
            let message = format!("too long: a name has at most {NAME} characters");
            return Fault::said(input, input.len(), message).fatal();
        }
        Ok((rest, ()))
    })
}

fn label(input: &str) -> Parsed<'_, &str> {
    let (rest, label) =
        expect("a letter or a digit", take_while1(|c: char| c.is_ascii_alphanumeric() || c == '-'))
            .parse(input)?;
    if rest.starts_with('_') {
        return Fault::said(rest, 1, "`_` is not allowed in a host name")
            .help("use `-` instead")
            .fatal();
    }
    if label.starts_with('-') {
        return Fault::said(input, 1, "a label does not begin with `-`").fatal();
    }
    if label.ends_with('-') {
        return Fault::said(&input[label.len() - 1..], 1, "a label does not end with `-`").fatal();
    }
    if label.len() > LABEL {
        let message = format!("too long: a label has at most {LABEL} characters");
        return Fault::said(input, label.len(), message).fatal();
    }
    Ok((rest, label))
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn hostnames() {
        let texts = ["node1", "node-1", "node_1", "-node", "node-", "node1.lan", "", "nöde"];
        insta::assert_snapshot!(show(&texts, super::hostname), @r"
        node1
          = ()
        node-1
          = ()
        node_1
            ^ `_` is not allowed in a host name
          help: use `-` instead
        -node
        ^ a label does not begin with `-`
        node-
            ^ a label does not end with `-`
        node1.lan
             ^^^^ a hostname is one label, without dots
          help: keep `node1` here; the domain has an option of its own

        ^ an empty string is not a hostname
        nöde
         ^ not a hostname: expected the end, found `ö`
        ");
    }

    #[test]
    fn full_names() {
        let texts = ["a.example.org", "a.example.org.", "node1", "a..b", "a.-b"];
        insta::assert_snapshot!(show(&texts, super::fqdn), @r"
        a.example.org
          = ()
        a.example.org.
          = ()
        node1
        ^^^^^ only one label: a full name has a domain too
          help: write something like node1.example.org
        a..b
          ^ not a fully qualified domain name: expected a letter or a digit, found `.`
        a.-b
          ^ a label does not begin with `-`
        ");
    }
}
