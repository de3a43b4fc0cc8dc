//! `lib.ip` and `lib.cidr`: arithmetic with addresses and networks, which are strings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::literal::{self, LiteralError};
use crate::source::Span;
use crate::value::Value;

/// `lib.ip`
pub(crate) fn ip_functions<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let mut out = AttrsBuilder::new();
    out.set(
        "family",
        eval.primop("family", 1, |eval, args, at| {
            Ok(Value::Int(if address(eval, args[0], at)?.is_ipv4() { 4 } else { 6 }))
        }),
    );
    out.set(
        "isIPv4",
        eval.primop("isIPv4", 1, |eval, args, at| {
            Ok(Value::Bool(literal::ip::ipv4(eval.expect_str(args[0], at)?).is_ok()))
        }),
    );
    out.set(
        "isIPv6",
        eval.primop("isIPv6", 1, |eval, args, at| {
            Ok(Value::Bool(literal::ip::ipv6(eval.expect_str(args[0], at)?).is_ok()))
        }),
    );
    out.set(
        "add",
        eval.primop("add", 2, |eval, args, at| {
            let (count, address) = (eval.expect_int(args[0], at)?, address(eval, args[1], at)?);
            match add(address, i128::from(count)) {
                Some(address) => Ok(eval.str(&address.to_string())),
                None => {
                    let message = format!("{address} plus {count} is not an address");
                    Err(Diagnostic::error("eval::address", at, message).into())
                }
            }
        }),
    );
    out.finish(eval)
}

/// `lib.cidr`
pub(crate) fn cidr_functions<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let mut out = AttrsBuilder::new();
    out.set(
        "parse",
        eval.primop("parse", 1, |eval, args, at| {
            let net = network(eval, args[0], at)?;
            let fields = [
                ("address", eval.str(&net.addr().to_string())),
                ("prefixLength", Value::Int(i64::from(net.prefix_len()))),
                ("netmask", eval.str(&net.netmask().to_string())),
                ("family", Value::Int(if net.addr().is_ipv4() { 4 } else { 6 })),
            ];
            Ok(eval.attrs(fields))
        }),
    );
    out.set(
        "family",
        eval.primop("family", 1, |eval, args, at| {
            Ok(Value::Int(if network(eval, args[0], at)?.addr().is_ipv4() { 4 } else { 6 }))
        }),
    );
    out.set(
        "contains",
        eval.primop("contains", 2, |eval, args, at| {
            let net = network(eval, args[1], at)?;
            let text = eval.expect_str(args[0], at)?;
            Ok(Value::Bool(match literal::cidr::cidr(text) {
                Ok(inner) => net.contains(&inner),
                Err(_) => net.contains(&address(eval, args[0], at)?),
            }))
        }),
    );
    out.set(
        "overlaps",
        eval.primop("overlaps", 2, |eval, args, at| {
            let (a, b) = (network(eval, args[0], at)?, network(eval, args[1], at)?);
            Ok(Value::Bool(a.contains(&b) || b.contains(&a)))
        }),
    );
    out.set(
        "host",
        eval.primop("host", 2, |eval, args, at| {
            let (number, net) = (eval.expect_int(args[0], at)?, network(eval, args[1], at)?);
            // A negative number counts from the end.
            let start = if number < 0 { net.broadcast() } else { net.network() };
            let offset = if number < 0 { i128::from(number) + 1 } else { i128::from(number) };
            match add(start, offset).filter(|address| net.contains(address)) {
                Some(address) => Ok(eval.str(&address.to_string())),
                None => {
                    let message = format!("{net} has no address number {number}");
                    Err(Diagnostic::error("eval::address", at, message)
                        .with_help("0 is the network's own address, -1 the last one")
                        .into())
                }
            }
        }),
    );
    out.set(
        "subnet",
        eval.primop("subnet", 3, |eval, args, at| {
            let (bits, number) = (eval.expect_int(args[0], at)?, eval.expect_int(args[1], at)?);
            let net = network(eval, args[2], at)?;
            let subnet = u8::try_from(bits).ok().and_then(|bits| {
                net.subnets(net.prefix_len().checked_add(bits)?)
                    .ok()?
                    .nth(usize::try_from(number).ok()?)
            });
            match subnet {
                Some(subnet) => Ok(eval.str(&subnet.to_string())),
                None => {
                    let message =
                        format!("{net} has no subnet number {number} with {bits} more bits");
                    Err(Diagnostic::error("eval::address", at, message).into())
                }
            }
        }),
    );
    out.finish(eval)
}

fn add(address: IpAddr, count: i128) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let bits = i128::from(address.to_bits()).checked_add(count)?;
            u32::try_from(bits).ok().map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            let step = count.unsigned_abs();
            let bits = if count < 0 { bits.checked_sub(step) } else { bits.checked_add(step) };
            bits.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
        }
    }
}

fn address<'a>(eval: &Evaluator<'a>, value: Value<'a>, at: Span) -> Result<IpAddr> {
    let text = eval.expect_str(value, at)?;
    literal::ip::ip(text).map_err(|error| wrong(text, &error, at))
}

fn network<'a>(eval: &Evaluator<'a>, value: Value<'a>, at: Span) -> Result<IpNet> {
    let text = eval.expect_str(value, at)?;
    literal::cidr::cidr(text).map_err(|error| wrong(text, &error, at))
}

#[cold]
fn wrong(text: &str, error: &LiteralError, at: Span) -> Box<Diagnostic> {
    let mut out = Diagnostic::error("type::mismatch", at, format!("{text:?}: {error}"));
    out.help.clone_from(&error.help);
    out.into()
}
