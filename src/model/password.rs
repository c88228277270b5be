//! Passwords. In: what a person typed. Out: an argon2id hash to store, or whether it matches one.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password needs at least 8 characters")]
    TooShort,
    #[error("a password has at most 128 characters")]
    TooLong,
    #[error("this password is among the most common ones; choose another")]
    Common,
}

/// The head of every public list of leaked passwords, of 8 characters and more.
const COMMON: &[&str] = &[
    "12345678",
    "123456789",
    "1234567890",
    "password",
    "password1",
    "password123",
    "qwertyuiop",
    "qwerty123",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "letmein1",
    "welcome1",
    "admin123",
    "passw0rd",
    "1q2w3e4r",
    "1qaz2wsx",
    "11111111",
    "00000000",
    "88888888",
    "abcd1234",
    "starwars",
    "whatever",
    "computer",
    "changeme",
    "administrator",
    "1234qwer",
    "asdfghjkl",
    "q1w2e3r4",
    "zxcvbnm1",
    "dragon123",
    "monkey123",
    "secret123",
];

fn hasher() -> Argon2<'static> {
    // OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
    let params =
        Params::new(19_456, 2, 1, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Checks the rules and hashes. Takes about 20 ms of one core: keep it off the request threads.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let length = password.chars().count();
    if length < 8 {
        return Err(PasswordError::TooShort);
    }
    if length > 128 {
        return Err(PasswordError::TooLong);
    }
    if COMMON.contains(&password.to_lowercase().as_str()) {
        return Err(PasswordError::Common);
    }
    let hash = hasher()
        .hash_password(password.as_bytes())
        .expect("hashing needs only memory and random bytes");
    Ok(hash.to_string())
}

/// Whether a password belongs to a stored hash. Without a hash it does the same work and says no, so that nobody
/// can tell a missing account by its speed.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rX0pKNh0QZ7l1cZwPtnK3yPzO0x4n2i3D0eXn1vSbmU";
    let parsed = PasswordHash::new(stored.unwrap_or(NOBODY)).or_else(|_| PasswordHash::new(NOBODY));
    let Ok(parsed) = parsed else {
        return false;
    };
    let matches = hasher()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok();
    matches && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let stored = hash("correct horse").expect("a fine password");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("correct horse", Some(&stored)));
        assert!(!verify("wrong horse", Some(&stored)));
        assert!(!verify("correct horse", None));
        assert!(!verify("correct horse", Some("garbage")));
    }

    #[test]
    fn short_long_and_common_ones_are_refused() {
        assert_eq!(hash("short"), Err(PasswordError::TooShort));
        assert_eq!(hash(&"x".repeat(129)), Err(PasswordError::TooLong));
        assert_eq!(hash("Password123"), Err(PasswordError::Common));
    }
}
