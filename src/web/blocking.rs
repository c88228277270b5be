//! Work that takes a core for a while. In: a closure. Out: its result, while request threads go on answering.

use super::error::PageError;
use crate::store::StoreError;

/// Runs `work` on a thread that may be held up.
pub async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PageError> {
    actix_web::web::block(work)
        .await
        .map_err(|_| PageError::Store(StoreError::Closed))
}
