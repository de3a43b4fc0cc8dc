//! SSH public keys, one line as in `authorized_keys`: options, algorithm, key, comment.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while1};
use nom::character::complete::{char, space1};
use nom::combinator::{cut, opt, recognize, rest};
use nom::multi::{many0_count, many1};
use nom::sequence::{preceded, terminated};

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// The algorithms that OpenSSH takes keys of.
const ALGORITHMS: [&str; 8] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
];

/// A public key and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPublicKey {
    /// `restrict,command="…"`, or empty.
    pub options: String,
    /// `ssh-ed25519`, ….
    pub algorithm: String,
    /// The key itself, base64 as written.
    pub key: String,
    /// What follows it, or empty.
    pub comment: String,
}

/// One public key; the end of the line that it had in a file may be there.
pub fn ssh_public_key(text: &str) -> Result<SshPublicKey, LiteralError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if let Some(at) = text.find('\n') {
        return Err(LiteralError::new(at..text.len(), "more than one line")
            .help("give each key as a string of its own"));
    }
    if text.starts_with("-----BEGIN") {
        return Err(LiteralError::new(0..text.len(), "a key file, not a public key's line")
            .help("if it is a private key, revoke it now; use the line of the .pub file"));
    }
    whole("an SSH public key", text, grammar)
}

fn grammar(input: &str) -> Parsed<'_, SshPublicKey> {
    // Within quotes, sshd reads `\"` as a quote.
    let within = alt((tag("\\\""), tag("\\"), is_not("\"\\")));
    let quoted = recognize((char('"'), many0_count(within), char('"')));
    let options = recognize(many1(alt((quoted, is_not(" \t\"")))));
    let known = ALGORITHMS.iter().any(|name| input.starts_with(name));
    let (at, options) = if known {
        (input, None)
    } else {
        let (at, found) = opt(terminated(options, space1)).parse(input)?;
        // A first word that no algorithm follows is a misspelt algorithm, not options.
        let follows = ALGORITHMS.iter().any(|name| at.starts_with(name));
        if follows { (at, found) } else { (input, None) }
    };
    let word = || take_while1(|c: char| !c.is_whitespace());
    let (after, algorithm) = expect("the key's algorithm", word()).parse(at)?;
    if !ALGORITHMS.contains(&algorithm) {
        return unknown_algorithm(at, algorithm).fatal();
    }
    let (at, _) = cut(expect("a space and the key", space1)).parse(after)?;
    let (after, key) = cut(expect("the key in base64", word())).parse(at)?;
    if let Err(fault) = check_blob(at, algorithm, key) {
        return fault.fatal();
    }
    let (after, comment) = opt(preceded(space1, rest)).parse(after)?;
    Ok((
        after,
        SshPublicKey {
            options: options.unwrap_or_default().to_owned(),
            algorithm: algorithm.to_owned(),
            key: key.to_owned(),
            comment: comment.unwrap_or_default().to_owned(),
        },
    ))
}

fn unknown_algorithm<'t>(at: &'t str, algorithm: &str) -> Fault<'t> {
    let message = format!("`{algorithm}` is not an algorithm of SSH keys");
    let fault = Fault::said(at, algorithm.len(), message);
    let nearest = ALGORITHMS
        .iter()
        .map(|name| (strsim::damerau_levenshtein(name, algorithm), *name))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    match nearest {
        Some((_, name)) => fault.help(format!("did you mean {name}?")),
        None => fault.help("a public key is a line like `ssh-ed25519 AAAA… me@laptop`"),
    }
}

/// The key's own bytes begin with the name of its algorithm: a cut or pasted-over key shows here.
fn check_blob<'t>(at: &'t str, algorithm: &str, key: &str) -> Result<(), Fault<'t>> {
    let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    if let Some((offset, found)) = key.char_indices().find(|(_, c)| !base64(*c)) {
        let message = format!("`{found}` is not base64");
        return Err(Fault::said(&at[offset..], found.len_utf8(), message));
    }
    let fault = |message: &str| {
        Fault::said(at, key.len(), message).help("copy the whole line of the .pub file")
    };
    let blob = STANDARD
        .decode(key)
        .map_err(|_| fault("the key is cut short: its base64 does not end where it should"))?;
    match field(&blob) {
        Some((named, rest)) if named == algorithm.as_bytes() => {
            if whole_fields(rest) {
                Ok(())
            } else {
                Err(fault("the key is cut short"))
            }
        }
        _ => Err(fault(&format!("the key is not of the algorithm {algorithm}"))),
    }
}

/// The first field of a key, which has its length before it, and what follows.
fn field(blob: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = blob.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)
}

/// Whether there is a field, and the last ends where the key does.
fn whole_fields(mut rest: &[u8]) -> bool {
    while let Some((_, after)) = field(rest) {
        if after.is_empty() {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn keys() {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR";
        let texts = [
            &format!("{key} me@laptop"),
            &format!("restrict,command=\"echo a b\" {key}"),
            &format!(r#"from="10.0.0.0/8,*.lan",command="echo \"a b\"" {key} me @ work"#),
            &format!("{key}\n"),
            &format!("{key}\n{key}"),
            "ssh-ed22519 AAAA",
            "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUq",
            "ssh-ed25519 AAAA*",
            "ssh-ed25519",
            "hello",
        ];
        insta::assert_snapshot!(show(&texts, super::ssh_public_key), @r#"
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR me@laptop
          = SshPublicKey { options: "", algorithm: "ssh-ed25519", key: "AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR", comment: "me@laptop" }
        restrict,command="echo a b" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR
          = SshPublicKey { options: "restrict,command=\"echo a b\"", algorithm: "ssh-ed25519", key: "AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR", comment: "" }
        from="10.0.0.0/8,*.lan",command="echo \"a b\"" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR me @ work
          = SshPublicKey { options: "from=\"10.0.0.0/8,*.lan\",command=\"echo \\\"a b\\\"\"", algorithm: "ssh-ed25519", key: "AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR", comment: "me @ work" }
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR

          = SshPublicKey { options: "", algorithm: "ssh-ed25519", key: "AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR", comment: "" }
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR
                                                                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ more than one line
          help: give each key as a string of its own
        ssh-ed22519 AAAA
        ^^^^^^^^^^^ `ssh-ed22519` is not an algorithm of SSH keys
          help: did you mean ssh-ed25519?
        ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUqW8m3yJm9a0bR
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the key is not of the algorithm ssh-rsa
          help: copy the whole line of the .pub file
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5A
                    ^^^^^^^^^^^^^^^^^^^^^ the key is cut short: its base64 does not end where it should
          help: copy the whole line of the .pub file
        ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1o9QmKzCqv5Dxbq1Zc9vI0sZCc0oUq
                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the key is cut short
          help: copy the whole line of the .pub file
        ssh-ed25519 AAAA*
                        ^ `*` is not base64
        ssh-ed25519
                   ^ not an SSH public key: expected a space and the key, but the text ends here
        hello
        ^^^^^ `hello` is not an algorithm of SSH keys
          help: a public key is a line like `ssh-ed25519 AAAA… me@laptop`
        "#);
    }
}
