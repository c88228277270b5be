//! Hashing passwords without holding up pages. In: what was typed. Out: a hash or a verdict, from a blocking thread, a
//! few at a time.

use super::blocking;
use super::error::PageError;
use super::site::Site;
use crate::model::password::{self, PasswordError};

/// Hashes a new password.
pub async fn hash(site: &Site, typed: &str) -> Result<Result<String, PasswordError>, PageError> {
    let typed = typed.to_owned();
    on_blocking_thread(site, move || password::hash(&typed)).await
}

/// Checks a password; takes as long where there is no account.
pub async fn verify(site: &Site, typed: &str, stored: Option<String>) -> Result<bool, PageError> {
    // Longer ones were never accepted, and hashing a megabyte is work.
    let typed: String = typed.chars().take(200).collect();
    on_blocking_thread(site, move || password::verify(&typed, stored.as_deref())).await
}

async fn on_blocking_thread<T: Send + 'static>(
    site: &Site,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PageError> {
    let _permit = site
        .hashing
        .acquire()
        .await
        .expect("the semaphore is never closed");
    blocking::run(work).await
}
