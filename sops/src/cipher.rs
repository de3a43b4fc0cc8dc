//! One value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::rand_core::RngCore;
use aes_gcm::aead::{AeadInPlace, KeyInit, OsRng};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce, Tag};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::secret::SecretBytes;
use crate::tree::{Kind, Scalar};

/// What encrypts a file's values: 32 bytes, wiped when dropped, never printed.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl DataKey {
    /// A new key.
    pub fn generate() -> DataKey {
        let mut key = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut *key);
        DataKey(key)
    }

    /// A key that was unwrapped; none where it has not 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<DataKey> {
        Some(DataKey(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &*self.0
    }
}

/// The parts of a value's ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ciphertext<'a> {
    data: &'a str,
    iv: &'a str,
    tag: &'a str,
    /// As the file has it.
    pub(crate) kind: &'a str,
}

/// What ciphertext holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Scalar(Scalar),
    Comment(SecretBytes),
}

/// Why ciphertext cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CipherError {
    /// The key, the place or the bytes are others.
    Tampered,
    /// The type is not known.
    UnknownType,
}

impl<'a> Ciphertext<'a> {
    /// The parts of a text that is ciphertext.
    pub(crate) fn parse(text: &'a str) -> Option<Ciphertext<'a>> {
        let inner = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
        let (data, rest) = inner.split_once(",iv:")?;
        let (iv, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        let whole = [data, iv, tag, kind].iter().all(|part| !part.contains([',', '[', ']', ' ']));
        (whole && !iv.is_empty() && !kind.is_empty()).then_some(Ciphertext { data, iv, tag, kind })
    }

    /// The type, where it is known; a comment has none.
    pub(crate) fn value_kind(&self) -> Option<Kind> {
        Some(match self.kind {
            "str" => Kind::Str,
            "int" | "int64" => Kind::Int,
            "float" => Kind::Float,
            "bool" => Kind::Bool,
            "time" => Kind::Time,
            "bytes" => Kind::Bytes,
            _ => return None,
        })
    }

    pub(crate) fn is_comment(&self) -> bool {
        self.kind == "comment"
    }

    /// What it holds, if it was made with this key for this place.
    pub(crate) fn open(&self, key: &DataKey, aad: &str) -> Result<Opened, CipherError> {
        let kind = match self.value_kind() {
            Some(kind) => Some(kind),
            None if self.is_comment() => None,
            None => return Err(CipherError::UnknownType),
        };
        let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| CipherError::Tampered);
        let mut data = Zeroizing::new(decode(self.data)?);
        let (iv, tag) = (decode(self.iv)?, decode(self.tag)?);
        if tag.len() != 16 {
            return Err(CipherError::Tampered);
        }
        let tag = Tag::from_slice(&tag);
        let opened = match iv.len() {
            32 => gcm::<U32>(key).and_then(|cipher| {
                let iv = Nonce::from_slice(&iv);
                cipher.decrypt_in_place_detached(iv, aad.as_bytes(), &mut data, tag).ok()
            }),
            // Other tools than sops write the usual 12 bytes, or 16.
            12 => gcm::<U12>(key).and_then(|cipher| {
                let iv = Nonce::from_slice(&iv);
                cipher.decrypt_in_place_detached(iv, aad.as_bytes(), &mut data, tag).ok()
            }),
            16 => gcm::<U16>(key).and_then(|cipher| {
                let iv = Nonce::from_slice(&iv);
                cipher.decrypt_in_place_detached(iv, aad.as_bytes(), &mut data, tag).ok()
            }),
            _ => None,
        };
        opened.ok_or(CipherError::Tampered)?;
        let text = match (kind, data.as_slice()) {
            (Some(Kind::Bool), b"True" | b"true") => SecretBytes::from("true"),
            (Some(Kind::Bool), b"False" | b"false") => SecretBytes::from("false"),
            (Some(Kind::Bool), _) => return Err(CipherError::Tampered),
            (_, bytes) => SecretBytes::new(bytes.to_vec()),
        };
        Ok(match kind {
            Some(kind) => Opened::Scalar(Scalar { kind, text }),
            None => Opened::Comment(text),
        })
    }
}

fn gcm<N: aes_gcm::aead::generic_array::ArrayLength<u8>>(
    key: &DataKey,
) -> Option<AesGcm<Aes256, N>> {
    AesGcm::<Aes256, N>::new_from_slice(key.bytes()).ok()
}

/// Ciphertext of a value's bytes for one place; an empty value stays empty.
pub(crate) fn seal(bytes: &[u8], kind: &str, key: &DataKey, aad: &str) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let mut iv = [0; 32];
    OsRng.fill_bytes(&mut iv);
    let mut data = bytes.to_vec();
    let sealed = gcm::<U32>(key).and_then(|cipher| {
        let iv = Nonce::from_slice(&iv);
        cipher.encrypt_in_place_detached(iv, aad.as_bytes(), &mut data).ok()
    });
    // AES-GCM refuses 64 GiB and more, which no file within the limits has.
    let Some(tag) = sealed else { return String::new() };
    let (data, iv, tag) =
        (BASE64_STANDARD.encode(data), BASE64_STANDARD.encode(iv), BASE64_STANDARD.encode(tag));
    format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{kind}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_place_open_a_value() {
        let key = DataKey::generate();
        let text = seal(b"secret", "str", &key, "a:b:");
        let cipher = Ciphertext::parse(&text).expect("ciphertext");
        assert_eq!(cipher.open(&key, "a:b:"), Ok(Opened::Scalar(Scalar::str("secret"))));
        assert_eq!(cipher.open(&key, "a:c:"), Err(CipherError::Tampered));
        assert_eq!(cipher.open(&DataKey::generate(), "a:b:"), Err(CipherError::Tampered));
        let newer = text.replace("type:str", "type:decimal");
        let cipher = Ciphertext::parse(&newer).expect("ciphertext");
        assert_eq!(cipher.open(&key, "a:b:"), Err(CipherError::UnknownType));
    }

    #[test]
    fn text_that_only_looks_like_it_is_no_ciphertext() {
        for text in
            ["ENC[", "ENC[AES256_GCM,data:,iv:,tag:,type:]", "ENC[AES256_GCM,data:YQ==]", ""]
        {
            assert_eq!(Ciphertext::parse(text), None, "{text}");
        }
    }
}
