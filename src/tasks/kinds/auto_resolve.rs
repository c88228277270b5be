//! Resolves what does not happen any more. In: projects that ask for it, with the hours to wait. Out: resolved issues, whose
//! activity says why.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::{lifecycle_steps, now_ms};
use crate::tasks::{Periodic, Task, TaskError};

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AutoResolve {}

impl Task for AutoResolve {
    const NAME: &'static str = "auto_resolve";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let now = now_ms();
        let mut total = 0;
        for (project_id, hours) in app.store.read(lifecycle_steps::resolving_by_age).await? {
            let mut after = Some(0);
            while let Some(from) = after {
                let resolved;
                (resolved, after) = app
                    .store
                    .write(move |conn| {
                        lifecycle_steps::resolve_by_age(conn, project_id, hours, from, now)
                    })
                    .await?;
                total += resolved;
            }
        }
        if total > 0 {
            tracing::info!(issues = total, "resolved what was not seen any more");
        }
        Ok(())
    }
}

impl Periodic for AutoResolve {
    const EVERY: Duration = Duration::from_secs(15 * 60);
}
