//! Adds up the counts of tags that large batches leave behind. In: rows of sums. Out: the counts that pages read, about a
//! second later.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::app::App;
use crate::store::digest::tags;

/// Between two looks: the longer, the more sums meet the same values.
const PAUSE: Duration = Duration::from_secs(1);
/// How soon an order to stop is seen.
const STEP: Duration = Duration::from_millis(100);

/// Works until `stop`; run it on a thread of its own. What is left then is added up after the next start.
pub fn run(app: &std::sync::Arc<App>, stop: &AtomicBool) {
    let mut failing = false;
    while !stop.load(Ordering::Acquire) {
        let context = std::sync::Arc::clone(app);
        let folded = app
            .store
            .write_blocking(move |conn| tags::fold(conn, &context.digest_cache));
        match folded {
            Ok(rows) if rows > 0 => {
                failing = false;
                continue;
            }
            Ok(_) => failing = false,
            Err(error) if !failing => {
                tracing::warn!(%error, "counts of tags wait");
                failing = true;
            }
            Err(_) => {}
        }
        let mut waited = Duration::ZERO;
        while waited < PAUSE && !stop.load(Ordering::Acquire) {
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }
}
