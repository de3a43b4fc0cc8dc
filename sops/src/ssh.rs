//! Keys of OpenSSH, as far as forms of age follow from them.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use bech32::{ToBase32, Variant};
use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

/// A public key's algorithm and its blob.
pub(crate) fn parse_public(text: &str) -> Result<(String, Vec<u8>), String> {
    let mut words = text.split_ascii_whitespace();
    let (Some(algorithm), Some(blob)) = (words.next(), words.next()) else {
        return Err("a public key of SSH is `ALGORITHM BASE64`".to_owned());
    };
    let blob = BASE64_STANDARD.decode(blob).map_err(|_| "its key is no base64".to_owned())?;
    let named = read_string(&mut blob.as_slice()).map(<[u8]>::to_vec);
    if named.as_deref() != Some(algorithm.as_bytes()) {
        return Err(format!("its key is none of {algorithm}"));
    }
    Ok((algorithm.to_owned(), blob))
}

/// `SHA256:…`, as ssh-keygen prints it.
pub(crate) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", BASE64_STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// The recipient of age that an ed25519 public key is, by way of the curves' equivalence.
pub(crate) fn age_recipient(blob: &[u8]) -> Option<String> {
    let mut rest = blob;
    let (algorithm, point) = (read_string(&mut rest)?, read_string(&mut rest)?);
    if algorithm != b"ssh-ed25519" {
        return None;
    }
    let point = CompressedEdwardsY::from_slice(point).ok()?.decompress()?;
    let montgomery = point.to_montgomery();
    bech32::encode("age", montgomery.as_bytes().to_base32(), Variant::Bech32).ok()
}

/// The identity of age that an unencrypted ed25519 private key is (`AGE-SECRET-KEY-1…`).
pub(crate) fn age_identity(private: &str) -> Option<Zeroizing<String>> {
    let lines = private
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "-----BEGIN OPENSSH PRIVATE KEY-----");
    let body = lines.skip(1).take_while(|line| !line.starts_with("-----"));
    let body = Zeroizing::new(body.collect::<String>());
    let blob = Zeroizing::new(BASE64_STANDARD.decode(&*body).ok()?);
    let mut rest = blob.strip_prefix(b"openssh-key-v1\0")?;
    let (cipher, _kdf, _options) =
        (read_string(&mut rest)?, read_string(&mut rest)?, read_string(&mut rest)?);
    let (keys, after) = rest.split_at_checked(4)?;
    rest = after;
    if cipher != b"none" || keys != [0, 0, 0, 1] {
        return None;
    }
    let _public = read_string(&mut rest)?;
    let mut private = read_string(&mut rest)?.get(8..)?;
    let (algorithm, _public) = (read_string(&mut private)?, read_string(&mut private)?);
    let pair = read_string(&mut private)?;
    if algorithm != b"ssh-ed25519" {
        return None;
    }
    let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(pair.get(..32)?)));
    let secret = hash.get(..32)?.to_base32();
    let text = bech32::encode("age-secret-key-", secret, Variant::Bech32).ok()?;
    let text = Zeroizing::new(text);
    Some(Zeroizing::new(text.to_ascii_uppercase()))
}

/// A string of SSH's encoding: its length in four bytes, and its bytes.
fn read_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let (string, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(string)
}
