//! One attempt of a task that this process holds. In: the claimed row. Out: the row finished, put off or dead.
//! Panics are caught, the lease is prolonged meanwhile, and who loses it stops.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use super::TaskError;
use super::registry::{Kind, Run};
use crate::app::App;
use crate::store::tasks::{self, Claimed};
use crate::store::{Store, StoreError};
use crate::telemetry::METRICS;

/// How long a claim holds without renewal; a dead process's tasks are taken up after that.
pub(super) const LEASE: Duration = Duration::from_secs(45);

const PACE: Pace = Pace {
    lease: LEASE,
    renew_every: Duration::from_secs(10),
    stop_after: Duration::from_secs(30),
};

/// How a lease is kept while work goes on.
#[derive(Clone, Copy)]
struct Pace {
    lease: Duration,
    renew_every: Duration,
    /// Without a renewal for this long the work stops, well before anybody else may begin it.
    stop_after: Duration,
}

/// One attempt, and what it means for the row.
pub(super) async fn attempt(app: &Arc<App>, kind: &'static Kind, task: &Claimed, holder: &str) {
    let attempts = task.attempts.unsigned_abs();
    let counted = METRICS.tasks.kind(kind.name);
    counted.started.inc();
    let began = std::time::Instant::now();
    let outcome = if attempts > kind.max_attempts {
        // Counted before they were made: every allowed attempt ended with the process.
        Err(TaskError::GiveUp(format!(
            "the process ended during each of {} attempts",
            kind.max_attempts
        )))
    } else {
        match kind.start(&task.args, Arc::clone(app)) {
            Err(error) => Err(TaskError::GiveUp(format!(
                "the arguments cannot be read: {error}"
            ))),
            Ok(run) => match guarded(&app.store, task.id, holder, PACE, run).await {
                Some(outcome) => outcome,
                None => return,
            },
        }
    };
    counted.durations.observe(began.elapsed());
    if matches!(outcome, Err(TaskError::Retry(_) | TaskError::GiveUp(_))) {
        counted.failed.inc();
    }
    if let Err(error) = record(app, kind, task, holder, outcome).await {
        tracing::warn!(task = task.id, kind = kind.name, %error, "cannot record how a task ended; it will run again");
    }
}

/// Runs the work while prolonging its lease, with panics caught; nothing when the lease was lost.
async fn guarded(
    store: &Store,
    id: i64,
    holder: &str,
    pace: Pace,
    run: Run,
) -> Option<Result<(), TaskError>> {
    let mut work = std::pin::pin!(AssertUnwindSafe(run).catch_unwind());
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            outcome = &mut work => {
                return Some(outcome.unwrap_or_else(|panic| Err(TaskError::Retry(panic_text(&*panic)))));
            }
            () = sleep(pace.renew_every) => {}
        }
        let asked = Instant::now();
        let holder = holder.to_owned();
        let renewal =
            store.write(move |conn| tasks::renew(conn, id, &holder, pace.lease.as_millis() as i64));
        tokio::select! {
            outcome = &mut work => {
                return Some(outcome.unwrap_or_else(|panic| Err(TaskError::Retry(panic_text(&*panic)))));
            }
            answer = timeout(pace.renew_every, renewal) => match answer {
                Ok(Ok(true)) => renewed = asked,
                Ok(Ok(false)) => {
                    tracing::warn!(task = id, "the lease of a running task was lost");
                    return None;
                }
                Ok(Err(_)) | Err(_) if asked - renewed < pace.stop_after => {}
                Ok(Err(_)) | Err(_) => {
                    tracing::warn!(task = id, "the lease of a running task could not be renewed; it stops here");
                    return None;
                }
            }
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", said.unwrap_or("without a message"))
}

async fn record(
    app: &App,
    kind: &Kind,
    task: &Claimed,
    holder: &str,
    outcome: Result<(), TaskError>,
) -> Result<(), StoreError> {
    let (id, holder) = (task.id, holder.to_owned());
    let attempts = task.attempts.unsigned_abs();
    match outcome {
        Ok(()) => {
            app.store
                .write(move |conn| tasks::finish(conn, id, &holder))
                .await
        }
        Err(TaskError::Later(delay)) => {
            let delay = delay.as_millis() as i64;
            app.store
                .write(move |conn| tasks::put_off(conn, id, &holder, delay))
                .await
        }
        Err(TaskError::Retry(error)) if attempts < kind.max_attempts => {
            let delay = kind.delay_after(attempts);
            tracing::warn!(
                task = id,
                kind = kind.name,
                attempts,
                ?delay,
                error,
                "a task failed and will be tried again"
            );
            let delay = delay.as_millis() as i64;
            app.store
                .write(move |conn| tasks::retry_later(conn, id, &holder, delay, &error))
                .await
        }
        Err(TaskError::Retry(error) | TaskError::GiveUp(error)) => {
            tracing::error!(
                task = id,
                kind = kind.name,
                attempts,
                error,
                "a task failed for good: see `bugle dead-letters list`"
            );
            METRICS.tasks.kind(kind.name).dead.inc();
            app.store
                .write(move |conn| tasks::bury(conn, id, &holder, &error))
                .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tasks::NewTask;
    use crate::store::{DatabaseUrl, migrate};

    const HOLDER: &str = "this process";
    const QUICK: Pace = Pace {
        lease: Duration::from_secs(60),
        renew_every: Duration::from_millis(20),
        stop_after: Duration::from_secs(5),
    };

    async fn held_task(data: &tempfile::TempDir) -> (Store, i64) {
        let file = data.path().join("test.db");
        let url = DatabaseUrl::parse(&format!("sqlite:{}", file.display())).expect("a valid URL");
        migrate::run(&url).expect("migrations run");
        let store = Store::new(url);
        let ids = store.write(|conn| {
            let task = NewTask {
                kind: "test",
                args: String::new(),
                unique_key: None,
                run_at: 0,
            };
            tasks::enqueue(conn, &[task])?;
            let due = tasks::due(conn, &["test"], 0, 1)?;
            let ids: Vec<i64> = due.into_iter().map(|(id, _)| id).collect();
            tasks::claim(conn, &ids, &["test"], HOLDER, 100)?;
            Ok(ids)
        });
        let id = ids.await.expect("a claimed task")[0];
        (store, id)
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_that_may_pass() {
        let data = tempfile::TempDir::new().expect("a temporary folder");
        let (store, id) = held_task(&data).await;
        let run: Run = Box::pin(async { panic!("number {}", 7) });
        assert_eq!(
            guarded(&store, id, HOLDER, QUICK, run).await,
            Some(Err(TaskError::Retry("panicked: number 7".to_owned())))
        );
    }

    #[tokio::test]
    async fn long_work_keeps_its_lease() {
        let data = tempfile::TempDir::new().expect("a temporary folder");
        let (store, id) = held_task(&data).await;
        let run: Run = Box::pin(async {
            sleep(Duration::from_millis(300)).await;
            Ok(())
        });
        assert_eq!(guarded(&store, id, HOLDER, QUICK, run).await, Some(Ok(())));
        let free = store.read(|conn| tasks::due(conn, &["test"], 0, 1));
        assert_eq!(free.await.expect("reads"), [], "the lease was prolonged");
    }

    #[tokio::test]
    async fn work_without_a_lease_stops() {
        let data = tempfile::TempDir::new().expect("a temporary folder");
        let (store, id) = held_task(&data).await;
        let run: Run = Box::pin(std::future::pending());
        assert_eq!(guarded(&store, id, "somebody else", QUICK, run).await, None);
    }
}
