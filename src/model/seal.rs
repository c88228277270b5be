//! Encryption at rest. In: the secret key, what it is for, and bytes. Out: sealed bytes that only a server with the same
//! key reads, and the bytes again.
//!
//! ChaCha20-Poly1305 under a key that HKDF-SHA256 derives for the purpose. Sealed: version (1), nonce (12), ciphertext
//! with its tag.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};

const VERSION: u8 = 1;

/// Seals and opens what belongs to one purpose.
pub struct Seal {
    key: LessSafeKey,
    purpose: &'static str,
}

impl Seal {
    pub fn new(secret_key: &str, purpose: &'static str) -> Self {
        let salt = Salt::new(HKDF_SHA256, b"bugle sealed v1");
        let key: UnboundKey = salt
            .extract(secret_key.as_bytes())
            .expand(&[purpose.as_bytes()], &CHACHA20_POLY1305)
            .expect("a key of this length can be derived")
            .into();
        Self {
            key: LessSafeKey::new(key),
            purpose,
        }
    }

    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0u8; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let mut body = plain.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.purpose.as_bytes()),
                &mut body,
            )
            .expect("what fits into memory can be sealed");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        sealed
    }

    /// The bytes; none if they were sealed with another key, or altered.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        if *version != VERSION {
            return None;
        }
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        let mut body = body.to_vec();
        let plain = self
            .key
            .open_in_place(
                Nonce::try_assume_unique_for_key(nonce).ok()?,
                Aad::from(self.purpose.as_bytes()),
                &mut body,
            )
            .ok()?
            .len();
        body.truncate(plain);
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_purpose_open_what_was_sealed() {
        let seal = Seal::new("0123456789abcdef0123456789abcdef", "letters");
        let sealed = seal.seal(b"a secret");
        assert!(memchr::memmem::find(&sealed, b"secret").is_none());
        assert_ne!(sealed, seal.seal(b"a secret"), "each time differently");
        assert_eq!(seal.open(&sealed).as_deref(), Some(&b"a secret"[..]));
        let other = Seal::new("another key, also of 32 characters", "letters");
        assert_eq!(other.open(&sealed), None);
        let purpose = Seal::new("0123456789abcdef0123456789abcdef", "tokens");
        assert_eq!(purpose.open(&sealed), None);
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(seal.open(&altered), None, "byte {at}");
        }
        assert_eq!(seal.open(b""), None);
    }
}
