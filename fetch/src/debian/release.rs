//! An archive's signed list of its indexes: `InRelease`.
//!
//! The signature is checked by `gpgv`, the verifier that apt itself has used since there are signed
//! archives: it is on every Debian, knows revoked and expired keys, and costs a fleet nothing, where an
//! OpenPGP library would add a hundred crates to audit. Only text that it hands out is read.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::control::field;

/// Why a signed list is not believed.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The verifier is not installed.
    #[error("`gpgv`, which checks the signatures of archives, is not installed")]
    NoVerifier,
    /// The keys cannot be read.
    #[error("the keyring {path} cannot be read: {source}")]
    Keyring {
        /// The file.
        path: String,
        /// What the file system said.
        source: io::Error,
    },
    /// No good signature by one of the keys.
    #[error("its signature is not good: {said}")]
    Bad {
        /// What the verifier found.
        said: String,
    },
    /// The verifier could not be run.
    #[error("`gpgv` cannot be run: {0}")]
    Run(io::Error),
}

/// Hashes that a signature may be over, by OpenPGP's numbers: SHA-256, SHA-384, SHA-512.
const STRONG: [&str; 3] = ["8", "9", "10"];

/// The text that one of `keys` has signed.
///
/// # Errors
/// When none has, or nobody can tell.
pub(crate) fn verified(signed: &[u8], keys: &[u8]) -> Result<String, SignatureError> {
    let folder = tempfile::tempdir().map_err(SignatureError::Run)?;
    let at = |name: &str| folder.path().join(name);
    let plain = dearmored(keys);
    let keys = plain.as_deref().unwrap_or(keys);
    for (name, bytes) in [("keyring.gpg", keys), ("signed", signed)] {
        fs::write(at(name), bytes).map_err(SignatureError::Run)?;
    }
    let output = Command::new("gpgv")
        .args(["--status-fd", "1", "--keyring"])
        .arg(at("keyring.gpg"))
        .arg("--output")
        .arg(at("text"))
        .arg(at("signed"))
        .env("LC_ALL", "C")
        .env("GNUPGHOME", folder.path())
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SignatureError::NoVerifier,
        _ => SignatureError::Run(error),
    })?;
    // One good signature is enough, as for apt: archives are signed by old and new keys at once. So the
    // exit code, which is about all of them, says nothing.
    judge(&String::from_utf8_lossy(&output.stdout))?;
    let text = fs::read(at("text")).map_err(SignatureError::Run)?;
    String::from_utf8(text).map_err(|_| SignatureError::Bad { said: "it is no text".to_owned() })
}

fn judge(status: &str) -> Result<(), SignatureError> {
    let bad = |said: String| Err(SignatureError::Bad { said });
    let lines = || status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let first = |line: &str, word: &str| line.split(' ').next() == Some(word);
    if lines().any(|line| first(line, "BADSIG")) {
        return bad("the text was changed after it was signed".to_owned());
    }
    // `GOODSIG` alone: one by an expired or revoked key has another word.
    let mut good = false;
    for line in lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["GOODSIG", ..] => good = true,
            ["EXPSIG" | "EXPKEYSIG" | "REVKEYSIG", ..] => good = false,
            ["VALIDSIG", _, _, _, _, _, _, _, hash, ..] if good && STRONG.contains(hash) => {
                return Ok(());
            }
            _ => {}
        }
    }
    let found = |word: &str| lines().any(|line| first(line, word));
    let keys: Vec<&str> =
        lines().filter_map(|line| line.strip_prefix("NO_PUBKEY ")).map(str::trim).collect();
    bad(if found("EXPKEYSIG") || found("KEYEXPIRED") {
        "the key has expired".to_owned()
    } else if found("REVKEYSIG") {
        "the key was revoked".to_owned()
    } else if found("EXPSIG") {
        "the signature has expired".to_owned()
    } else if !keys.is_empty() {
        format!("it is by {}, which the keyring does not hold", keys.join(" and "))
    } else if good {
        "it is over a hash that is too weak".to_owned()
    } else {
        "there is none".to_owned()
    })
}

/// The bytes of keys that are written as text.
fn dearmored(keys: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(keys).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PGP PUBLIC KEY BLOCK-----")?;
    let (body, _) = rest.split_once("-----END PGP PUBLIC KEY BLOCK-----")?;
    let lines = body.lines().skip(1).skip_while(|line| !line.trim().is_empty());
    let body: String =
        lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('=')).collect();
    STANDARD.decode(body).ok()
}

/// What the signed text says.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignedList {
    pub(crate) suite: Option<String>,
    pub(crate) codename: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) valid_until: Option<String>,
    pub(crate) by_hash: bool,
    pub(crate) architectures: Vec<String>,
    pub(crate) components: Vec<String>,
    /// Whether packages for all architectures are in each architecture's own index.
    pub(crate) all_in_each: bool,
    /// SHA-256 by path.
    pub(crate) files: BTreeMap<String, String>,
}

impl SignedList {
    pub(crate) fn parse(text: &str) -> SignedList {
        let get = |name: &str| field(text, name).map(str::to_owned);
        let words = |name: &str| {
            let words = field(text, name).unwrap_or_default().split_whitespace();
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let mut files = BTreeMap::new();
        for line in field(text, "SHA256").unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            if let (Some(hash), Some(_), Some(path)) = (words.next(), words.next(), words.next()) {
                files.insert(path.to_owned(), hash.to_ascii_lowercase());
            }
        }
        let architectures = words("Architectures");
        let apart = field(text, "No-Support-for-Architecture-all") != Some("Packages")
            && architectures.iter().any(|one| one == "all");
        SignedList {
            suite: get("Suite"),
            codename: get("Codename"),
            date: get("Date"),
            valid_until: get("Valid-Until"),
            by_hash: field(text, "Acquire-By-Hash") == Some("yes"),
            architectures,
            components: words("Components"),
            all_in_each: !apart,
            files,
        }
    }

    /// When it stops to be valid, if that is before `now`. A date that cannot be read is no date.
    pub(crate) fn expired(&self, now: Timestamp) -> Option<&str> {
        let until = self.valid_until.as_deref()?;
        // A zone by name is of the old grammar: archives write `UTC`.
        let numbered = until.replace("UTC", "+0000");
        match rfc2822::parse(&numbered) {
            Ok(time) if time.timestamp() >= now => None,
            _ => Some(until),
        }
    }

    /// Whether it is about the suite that was asked for. One that names none is about any.
    pub(crate) fn is_of(&self, suite: &str) -> bool {
        let suite = suite.trim_end_matches('/');
        let names = [&self.suite, &self.codename];
        let mut known = names.into_iter().flatten().peekable();
        known.peek().is_none()
            || known.any(|name| name == suite || suite.starts_with(&format!("{name}/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Suite: oldstable\nCodename: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n\
        Valid-Until: Sat, 18 Jul 2026 10:16:37 UTC\nAcquire-By-Hash: yes\nArchitectures: all amd64\n\
        Components: main contrib\nSHA256:\n AB12 10 main/binary-amd64/Packages\n cd 5 x\n";

    #[test]
    fn what_a_list_says() {
        let list = SignedList::parse(LIST);
        assert_eq!(list.files["main/binary-amd64/Packages"], "ab12");
        assert!(list.by_hash && !list.all_in_each);
        assert!(list.is_of("bookworm") && list.is_of("oldstable") && !list.is_of("trixie"));
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(list.expired(at("2026-07-18T10:16:37Z")), None);
        assert!(list.expired(at("2026-07-18T10:16:38Z")).is_some());
        let strange = SignedList { valid_until: Some("soon".to_owned()), ..list };
        assert_eq!(strange.expired(at("2026-07-18T10:16:37Z")), Some("soon"));
    }

    #[test]
    fn what_the_verifier_says() {
        let valid = |hash: &str| format!("[GNUPG:] VALIDSIG F 2026-01-01 1 0 4 0 1 {hash} 01 F\n");
        let good = "[GNUPG:] GOODSIG 1 a\n";
        assert!(judge(&format!("[GNUPG:] NO_PUBKEY 2\n{good}{}", valid("8"))).is_ok());
        let said = |status: &str| judge(status).expect_err("refused").to_string();
        assert!(said(&format!("{good}{}", valid("2"))).contains("weak"));
        assert!(said(&format!("[GNUPG:] EXPKEYSIG 1 a\n{}", valid("8"))).contains("expired"));
        assert!(said(&format!("[GNUPG:] BADSIG 1 a\n{good}{}", valid("8"))).contains("changed"));
        assert!(said("[GNUPG:] NO_PUBKEY ABC\n").contains("by ABC"));
        assert!(said("").contains("none"));
    }
}
