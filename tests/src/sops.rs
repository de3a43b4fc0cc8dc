//! Encrypted files for tests.

use cairn_sops::{File, Format, NoHelper, Plain, Recipient};

/// A SOPS file in YAML with the content `plain`, which these public keys open.
#[must_use]
pub fn encrypted(plain: &str, recipients: &[&str]) -> String {
    encrypted_as(Format::Yaml, plain.as_bytes(), recipients)
}

/// A SOPS file in `format`.
#[must_use]
pub fn encrypted_as(format: Format, plain: &[u8], recipients: &[&str]) -> String {
    let plain = Plain::parse(plain, format).unwrap();
    let recipients = recipients.iter().map(|key| Recipient::parse(key).unwrap()).collect();
    let (file, _) = File::create(&plain, &[recipients], 0, None, false, &mut NoHelper).unwrap();
    String::from_utf8(file.write().unwrap()).unwrap()
}
