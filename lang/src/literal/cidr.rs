//! Networks in CIDR notation. Host bits must be zero: a set one is nearly always a slip.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use nom::Parser;
use nom::character::complete::{char, digit1};
use nom::combinator::{cut, peek};

use super::fault::{Fault, LiteralError, Parsed, expect, whole};
use super::ip::ip_grammar;

/// A network of either family, such as `10.42.0.0/16`.
pub fn cidr(text: &str) -> Result<IpNet, LiteralError> {
    whole("a network (CIDR)", text, network)
}

/// An IPv4 network.
pub fn cidr4(text: &str) -> Result<Ipv4Net, LiteralError> {
    match cidr(text)? {
        IpNet::V4(net) => Ok(net),
        IpNet::V6(_) => Err(LiteralError::new(0..text.len(), "an IPv6 network, not an IPv4 one")),
    }
}

/// An IPv6 network.
pub fn cidr6(text: &str) -> Result<Ipv6Net, LiteralError> {
    match cidr(text)? {
        IpNet::V6(net) => Ok(net),
        IpNet::V4(_) => Err(LiteralError::new(0..text.len(), "an IPv4 network, not an IPv6 one")),
    }
}

fn network(input: &str) -> Parsed<'_, IpNet> {
    let (slash, address) = ip_grammar(input)?;
    let (rest, _) = cut(expect("`/` and the length of the prefix", char('/'))).parse(slash)?;
    let number = &slash[slash.len() - rest.len()..];
    let (rest, digits) = cut(expect("the length of the prefix", digit1)).parse(number)?;
    let (_, ()) = peek(not_a_dotted_mask).parse(rest)?;
    let widest = if address.is_ipv4() { 32 } else { 128 };
    let net = digits.parse::<u8>().ok().and_then(|bits| IpNet::new(address, bits).ok());
    let Some(net) = net else {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        let message =
            format!("`/{digits}` is too long: an {family} prefix has at most {widest} bits");
        return Fault::said(number, digits.len(), message).fatal();
    };
    if net.network() != address {
        return host_bits(input, input.len() - slash.len(), net).fatal();
    }
    Ok((rest, net))
}

fn not_a_dotted_mask(rest: &str) -> Parsed<'_, ()> {
    if rest.starts_with('.') {
        return Fault::said(rest, rest.len(), "a netmask in dotted form")
            .help("write the number of bits instead: `/24` for 255.255.255.0")
            .fatal();
    }
    Ok((rest, ()))
}

fn host_bits(input: &str, len: usize, net: IpNet) -> Fault<'_> {
    let prefix = net.prefix_len();
    let last = net.max_prefix_len() - prefix;
    let set = match (net.addr(), net.hostmask()) {
        (IpAddr::V4(a), IpAddr::V4(m)) => IpAddr::V4((a.to_bits() & m.to_bits()).into()),
        (IpAddr::V6(a), IpAddr::V6(m)) => IpAddr::V6((a.to_bits() & m.to_bits()).into()),
        (address, _) => address,
    };
    let message = format!(
        "host bits are set: the last {last} bits of a /{prefix} must be zero, here they are {set}"
    );
    Fault::said(input, len, message)
        .help(format!("the network that holds this address is {}", net.trunc()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn networks() {
        let texts = [
            "10.42.0.0/16",
            "2001:cafe:42::/56",
            "0.0.0.0/0",
            "10.42.0.1/16",
            "10.42.0.0/33",
            "10.42.0.0",
            "10.42.0.0/",
            "10.42.0.0/255.255.0.0",
            "2001:cafe:42::1/56",
            "10.42.0.0/16x",
            "10.420.0.0/16",
            "pods",
        ];
        insta::assert_snapshot!(show(&texts, super::cidr), @r"
        10.42.0.0/16
          = 10.42.0.0/16
        2001:cafe:42::/56
          = 2001:cafe:42::/56
        0.0.0.0/0
          = 0.0.0.0/0
        10.42.0.1/16
        ^^^^^^^^^ host bits are set: the last 16 bits of a /16 must be zero, here they are 0.0.0.1
          help: the network that holds this address is 10.42.0.0/16
        10.42.0.0/33
                  ^^ `/33` is too long: an IPv4 prefix has at most 32 bits
        10.42.0.0
                 ^ not a network (CIDR): expected `/` and the length of the prefix, but the text ends here
        10.42.0.0/
                  ^ not a network (CIDR): expected the length of the prefix, but the text ends here
        10.42.0.0/255.255.0.0
                     ^^^^^^^^ a netmask in dotted form
          help: write the number of bits instead: `/24` for 255.255.255.0
        2001:cafe:42::1/56
        ^^^^^^^^^^^^^^^ host bits are set: the last 72 bits of a /56 must be zero, here they are ::1
          help: the network that holds this address is 2001:cafe:42::/56
        10.42.0.0/16x
                    ^ not a network (CIDR): expected the end, found `x`
        10.420.0.0/16
           ^^^ `420` is too large: each number of an IPv4 address is at most 255
        pods
        ^ not a network (CIDR): expected a number from 0 to 255, found `p`
        ");
    }

    #[test]
    fn families() {
        insta::assert_snapshot!(show(&["10.42.0.0/16", "2001:cafe::/56"], super::cidr4), @r"
        10.42.0.0/16
          = 10.42.0.0/16
        2001:cafe::/56
        ^^^^^^^^^^^^^^ an IPv6 network, not an IPv4 one
        ");
        insta::assert_snapshot!(show(&["10.42.0.0/16", "2001:cafe::/56"], super::cidr6), @r"
        10.42.0.0/16
        ^^^^^^^^^^^^ an IPv4 network, not an IPv6 one
        2001:cafe::/56
          = 2001:cafe::/56
        ");
    }
}
