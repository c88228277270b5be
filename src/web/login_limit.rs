//! Slows down guessing. In: an account name and the address that tries it. Out: whether this try may be made.
//! Kept in memory and bounded: whoever floods it with names loses only the memory of other tries.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

const MINUTE_MS: i64 = 60_000;
/// Tries at once for an account from one address; then one a minute.
const TRIES: f64 = 10.0;
/// Tries a minute from one address, whatever the account.
const ADDRESS_TRIES: f64 = 100.0;
const MOST_ENTRIES: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: i64,
}

/// The tries of the last while.
#[derive(Debug, Default)]
pub struct LoginLimit {
    buckets: Mutex<HashMap<(String, IpAddr), Bucket>>,
}

impl LoginLimit {
    /// Takes one try; false where there is none left.
    pub fn allow(&self, account: &str, address: IpAddr, now: i64) -> bool {
        let account: String = account.trim().to_lowercase().chars().take(190).collect();
        let mut buckets = self
            .buckets
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= MOST_ENTRIES {
            buckets.retain(|_, bucket| now - bucket.at < 10 * MINUTE_MS);
            if buckets.len() >= MOST_ENTRIES {
                buckets.clear();
            }
        }
        // The empty name stands for the address itself, which is slowed down too.
        let by_address = take(
            buckets.entry((String::new(), address)),
            ADDRESS_TRIES,
            ADDRESS_TRIES,
            now,
        );
        let by_account = take(buckets.entry((account, address)), TRIES, 1.0, now);
        by_address && by_account
    }

    /// Signing in forgives what was mistyped before.
    pub fn forget(&self, account: &str, address: IpAddr) {
        let mut buckets = self
            .buckets
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        buckets.remove(&(account.trim().to_lowercase(), address));
    }
}

fn take(
    entry: std::collections::hash_map::Entry<'_, (String, IpAddr), Bucket>,
    size: f64,
    per_minute: f64,
    now: i64,
) -> bool {
    let bucket = entry.or_insert(Bucket {
        tokens: size,
        at: now,
    });
    let minutes = (now - bucket.at).max(0) as f64 / MINUTE_MS as f64;
    bucket.tokens = (bucket.tokens + minutes * per_minute).min(size);
    bucket.at = now;
    if bucket.tokens < 1.0 {
        return false;
    }
    bucket.tokens -= 1.0;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn ten_tries_then_one_a_minute() {
        let limit = LoginLimit::default();
        for _ in 0..10 {
            assert!(limit.allow("Jane@example.com", HOME, 0));
        }
        assert!(!limit.allow("jane@example.com ", HOME, 0));
        assert!(!limit.allow("jane@example.com", HOME, 59_000));
        assert!(limit.allow("jane@example.com", HOME, 60_500));
        assert!(!limit.allow("jane@example.com", HOME, 60_500));
        assert!(limit.allow("mira@example.com", HOME, 60_500));
        limit.forget("jane@example.com", HOME);
        assert!(limit.allow("jane@example.com", HOME, 60_500));
    }

    #[test]
    fn an_address_has_a_limit_of_its_own() {
        let limit = LoginLimit::default();
        let allowed = (0..150)
            .filter(|number| limit.allow(&format!("user{number}"), HOME, 0))
            .count();
        assert_eq!(allowed, 100);
    }
}
