//! The small languages inside strings: addresses, ports, durations, flag lines.
//!
//! One grammar per type, written with nom, in a file of its own. Each parser turns the whole text
//! into a domain type, or names the characters at fault, what was expected there, and what helps.
//! The checker and the evaluator both use these, so a literal means the same to both.

pub mod calendar;
pub mod cidr;
pub mod duration;
pub mod fault;
pub mod file_mode;
pub mod flags;
pub mod hostname;
pub mod ip;
pub mod mac;
pub mod port;
pub mod size;
pub mod ssh_key;
pub mod url;

pub use fault::LiteralError;

/// A domain type whose values are written as strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Literal {
    /// An IPv4 or IPv6 address.
    Ip,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A network of either family.
    Cidr,
    /// An IPv4 network.
    Cidr4,
    /// An IPv6 network.
    Cidr6,
    /// Two ports and all between, `8000-8100`.
    PortRange,
    /// A hardware address.
    Mac,
    /// One DNS label.
    Hostname,
    /// A DNS name of at least two labels.
    Fqdn,
    /// An absolute URL.
    Url,
    /// A time span, `1h30m`.
    Duration,
    /// A number of bytes, `512M`.
    Size,
    /// Octal permissions, `0644`.
    FileMode,
    /// One line of an `authorized_keys` file.
    SshPublicKey,
    /// When something is due, as systemd's `OnCalendar=` has it.
    Calendar,
}

impl Literal {
    /// Every literal type, in the order of the reference.
    pub const ALL: [Literal; 16] = [
        Literal::Ip,
        Literal::Ipv4,
        Literal::Ipv6,
        Literal::Cidr,
        Literal::Cidr4,
        Literal::Cidr6,
        Literal::PortRange,
        Literal::Mac,
        Literal::Hostname,
        Literal::Fqdn,
        Literal::Url,
        Literal::Duration,
        Literal::Size,
        Literal::FileMode,
        Literal::SshPublicKey,
        Literal::Calendar,
    ];

    /// The name under `lib.types`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Literal::Ip => "ip",
            Literal::Ipv4 => "ipv4",
            Literal::Ipv6 => "ipv6",
            Literal::Cidr => "cidr",
            Literal::Cidr4 => "cidr4",
            Literal::Cidr6 => "cidr6",
            Literal::PortRange => "portRange",
            Literal::Mac => "mac",
            Literal::Hostname => "hostname",
            Literal::Fqdn => "fqdn",
            Literal::Url => "url",
            Literal::Duration => "duration",
            Literal::Size => "size",
            Literal::FileMode => "fileMode",
            Literal::SshPublicKey => "sshPublicKey",
            Literal::Calendar => "calendar",
        }
    }

    /// What a value is called in messages.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Literal::Ip => "IP address",
            Literal::Ipv4 => "IPv4 address",
            Literal::Ipv6 => "IPv6 address",
            Literal::Cidr => "network (CIDR)",
            Literal::Cidr4 => "IPv4 network (CIDR)",
            Literal::Cidr6 => "IPv6 network (CIDR)",
            Literal::PortRange => "range of ports",
            Literal::Mac => "hardware (MAC) address",
            Literal::Hostname => "hostname",
            Literal::Fqdn => "fully qualified domain name",
            Literal::Url => "URL",
            Literal::Duration => "duration",
            Literal::Size => "size in bytes",
            Literal::FileMode => "file mode",
            Literal::SshPublicKey => "SSH public key",
            Literal::Calendar => "calendar expression",
        }
    }

    /// Whether `text` is such a literal; the error points into `text`.
    pub fn check(self, text: &str) -> Result<(), LiteralError> {
        match self {
            Literal::Ip => ip::ip(text).map(drop),
            Literal::Ipv4 => ip::ipv4(text).map(drop),
            Literal::Ipv6 => ip::ipv6(text).map(drop),
            Literal::Cidr => cidr::cidr(text).map(drop),
            Literal::Cidr4 => cidr::cidr4(text).map(drop),
            Literal::Cidr6 => cidr::cidr6(text).map(drop),
            Literal::PortRange => port::port_range(text).map(drop),
            Literal::Mac => mac::mac(text).map(drop),
            Literal::Hostname => hostname::hostname(text),
            Literal::Fqdn => hostname::fqdn(text),
            Literal::Url => url::url(text).map(drop),
            Literal::Duration => duration::duration(text).map(drop),
            Literal::Size => size::size(text).map(drop),
            Literal::FileMode => file_mode::file_mode(text).map(drop),
            Literal::SshPublicKey => ssh_key::ssh_public_key(text).map(drop),
            Literal::Calendar => calendar::calendar(text).map(drop),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::{Literal, LiteralError, flags};

    /// Text that is nearly a literal: the characters that the grammars look for, and others.
    fn nearly() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9a-fx.:/% -]{0,40}",
            "[a-z0-9.:/@?#\\[\\]_%é-]{0,40}",
            "[-=a-z'\"\\\\ ,é]{0,40}",
            "(ssh-ed25519|ssh-rsa|restrict) ?[A-Za-z0-9+/=é \"]{0,40}",
            any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn errors_point_into_the_text(text in nearly()) {
            for literal in Literal::ALL {
                if let Err(error) = literal.check(&text) {
                    prop_assert!(text.get(error.at.clone()).is_some(), "{literal:?}: {error:?}");
                }
            }
            match flags::words(&text) {
                Err(error) => prop_assert!(text.get(error.at.clone()).is_some(), "{error:?}"),
                Ok(words) => for word in words {
                    prop_assert!(text.get(word.at.clone()).is_some());
                    let place = word.place(0..word.text.len());
                    prop_assert!(text.get(place).is_some());
                },
            }
        }
    }

    /// One line a failure: the text, carets under the characters at fault, the words.
    pub(crate) fn show<T: std::fmt::Debug>(
        texts: &[&str],
        parse: impl Fn(&str) -> Result<T, LiteralError>,
    ) -> String {
        let mut out = String::new();
        for text in texts {
            match parse(text) {
                Ok(value) => out.push_str(&format!("{text}\n  = {value:?}\n")),
                Err(error) => {
                    let lead = text[..error.at.start].chars().count();
                    let width = text[error.at.clone()].chars().count().max(1);
                    out.push_str(&format!(
                        "{text}\n{}{} {}\n",
                        " ".repeat(lead),
                        "^".repeat(width),
                        error.message
                    ));
                    if let Some(help) = error.help {
                        out.push_str(&format!("  help: {help}\n"));
                    }
                }
            }
        }
        out
    }
}
