//! Ends sign-ins that are too old: 14 days without use, or 30 days after they began.
//! In: the clock. Out: fewer session rows; pages refuse such a session before its row goes.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::{now_ms, sessions};
use crate::tasks::{Periodic, Task, TaskError};

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ExpiredSessions {}

impl Task for ExpiredSessions {
    const NAME: &'static str = "expired_sessions";
    const MAX_ATTEMPTS: u32 = 5;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let now = now_ms();
        let ended = app
            .store
            .write(move |conn| sessions::delete_expired(conn, now))
            .await?;
        tracing::debug!(ended, "expired sessions removed");
        Ok(())
    }
}

impl Periodic for ExpiredSessions {
    const EVERY: Duration = Duration::from_secs(60 * 60);
}
