//! Runs tasks: claims them by lease, counts each attempt before it, backs off, buries, and drains on shutdown.
//! In: ids that are due, from the task table or from Redis. Out: rows finished, put off or dead.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::registry::{self, Kind};
use super::{TaskError, registry::Run};
use crate::app::App;
use crate::queue::tasks_redis::TaskExchange;
use crate::store::StoreError;
use crate::store::tasks::{self, Claimed};

/// Tasks that one node runs at a time: mail must not take the machine from the digest.
const SLOTS: usize = 8;
/// How long a claim holds without renewal; a dead runner's tasks are taken up after that.
const LEASE: Duration = Duration::from_secs(45);
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// Without a renewal for this long the work stops, well before anybody else may begin it.
const STOP_AFTER: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Ids offered to Redis in one sweep.
const SWEEP: i64 = 200;
/// A task due for longer than this is claimed from the table, whatever Redis made of its id.
const OVERDUE: Duration = Duration::from_secs(5);
/// What may still finish after the order to stop.
const DRAIN: Duration = Duration::from_secs(4);

/// Runs tasks until `stop` turns true; then finishes what it can and gives the rest back.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut exchange = app
        .config
        .redis_url
        .as_deref()
        .map(|url| TaskExchange::start(url, &app.config.redis_prefix));
    let mut runner = Runner::new(Arc::clone(&app));
    loop {
        runner.fill(exchange.as_mut()).await;
        let free = runner.free() > 0;
        tokio::select! {
            // The sender is gone only when the process is on its way out.
            _ = stop.wait_for(|stop| *stop) => break,
            Some(()) = runner.one_finished() => {}
            () = sleep(POLL_EVERY) => {}
            () = app.tasks_wake.notified(), if free => {}
            () = offered(exchange.as_mut()), if free => {}
        }
    }
    runner.drain().await;
}

async fn offered(exchange: Option<&mut TaskExchange>) {
    match exchange {
        Some(exchange) => exchange.offered().await,
        None => std::future::pending().await,
    }
}

struct Runner {
    app: Arc<App>,
    /// Names this process in the rows it holds; different after each start, so that an old claim is never ours.
    holder: String,
    kinds: Vec<&'static str>,
    tasks: JoinSet<i64>,
    held: HashSet<i64>,
}

impl Runner {
    fn new(app: Arc<App>) -> Self {
        Self {
            app,
            holder: random_holder(),
            kinds: registry::names(),
            tasks: JoinSet::new(),
            held: HashSet::new(),
        }
    }

    fn free(&self) -> usize {
        SLOTS - self.tasks.len()
    }

    /// Claims and starts as many due tasks as there is room for.
    async fn fill(&mut self, exchange: Option<&mut TaskExchange>) {
        if self.free() == 0 {
            return;
        }
        let claimed = match exchange {
            Some(exchange) => self.claim_offered(exchange).await,
            None => self.claim_due(Duration::ZERO).await,
        };
        match claimed {
            Ok(claimed) => claimed.into_iter().for_each(|task| self.start(task)),
            // The database is away or busy: tasks wait in it, and the next round tries again.
            Err(error) => tracing::warn!(%error, "cannot claim tasks"),
        }
    }

    /// Offers what is due to all nodes, and claims what Redis hands to this one.
    async fn claim_offered(
        &mut self,
        exchange: &mut TaskExchange,
    ) -> Result<Vec<Claimed>, StoreError> {
        let due = self.due(Duration::ZERO, SWEEP).await?;
        if !exchange.offer(due).await {
            return self.claim_due(Duration::ZERO).await;
        }
        let ids = exchange.take(self.free());
        let mut claimed = self.claim(ids).await?;
        if claimed.len() < self.free() {
            let room = self.free() - claimed.len();
            let overdue = self.due(OVERDUE, room as i64).await?;
            let ids = overdue.into_iter().map(|(id, _)| id).collect();
            claimed.extend(self.claim(ids).await?);
        }
        Ok(claimed)
    }

    async fn claim_due(&mut self, overdue: Duration) -> Result<Vec<Claimed>, StoreError> {
        let due = self.due(overdue, self.free() as i64).await?;
        self.claim(due.into_iter().map(|(id, _)| id).collect())
            .await
    }

    async fn due(&self, overdue: Duration, limit: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        let kinds = self.kinds.clone();
        let overdue = overdue.as_millis() as i64;
        self.app
            .store
            .read(move |conn| tasks::due(conn, &kinds, overdue, limit))
            .await
    }

    async fn claim(&self, ids: Vec<i64>) -> Result<Vec<Claimed>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let kinds = self.kinds.clone();
        let holder = self.holder.clone();
        self.app
            .store
            .write(move |conn| tasks::claim(conn, &ids, &kinds, &holder, LEASE.as_millis() as i64))
            .await
    }

    fn start(&mut self, task: Claimed) {
        let Some(kind) = registry::find(&task.kind) else {
            // Only known kinds are asked for; should the table disagree, the lease runs out and the row stays.
            return;
        };
        self.held.insert(task.id);
        let app = Arc::clone(&self.app);
        let holder = self.holder.clone();
        self.tasks.spawn(async move {
            attempt(&app, kind, &task, &holder).await;
            task.id
        });
    }

    /// Waits for one of the running tasks; never ends while none runs.
    async fn one_finished(&mut self) -> Option<()> {
        match self.tasks.join_next().await? {
            Ok(id) => {
                self.held.remove(&id);
            }
            Err(error) => tracing::error!(%error, "a task's keeper broke; its lease runs out"),
        }
        Some(())
    }

    async fn drain(mut self) {
        let all = async { while self.one_finished().await.is_some() {} };
        if timeout(DRAIN, all).await.is_ok() || self.held.is_empty() {
            return;
        }
        self.tasks.shutdown().await;
        let ids: Vec<i64> = self.held.iter().copied().collect();
        tracing::info!(tasks = ids.len(), "interrupted tasks are given back");
        let holder = self.holder;
        let released = self
            .app
            .store
            .write(move |conn| tasks::release(conn, &ids, &holder))
            .await;
        if let Err(error) = released {
            tracing::warn!(%error, "cannot give tasks back; their leases run out");
        }
    }
}

fn random_holder() -> String {
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex::encode(bytes)
}

/// One attempt of a claimed task, and what it means for its row.
async fn attempt(app: &Arc<App>, kind: &'static Kind, task: &Claimed, holder: &str) {
    let attempts = task.attempts.unsigned_abs();
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
            Ok(run) => match guarded(app, task.id, holder, run).await {
                Some(outcome) => outcome,
                None => return,
            },
        }
    };
    if let Err(error) = record(app, kind, task, holder, outcome).await {
        tracing::warn!(task = task.id, kind = kind.name, %error, "cannot record how a task ended; it will run again");
    }
}

/// Runs the work while prolonging its lease, with panics caught; nothing when the lease was lost.
async fn guarded(app: &Arc<App>, id: i64, holder: &str, run: Run) -> Option<Result<(), TaskError>> {
    let mut work = std::pin::pin!(AssertUnwindSafe(run).catch_unwind());
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            outcome = &mut work => {
                return Some(outcome.unwrap_or_else(|panic| Err(TaskError::Retry(panic_text(&*panic)))));
            }
            () = sleep(RENEW_EVERY) => {}
        }
        let asked = Instant::now();
        let holder = holder.to_owned();
        let renewal = app
            .store
            .write(move |conn| tasks::renew(conn, id, &holder, LEASE.as_millis() as i64));
        tokio::select! {
            outcome = &mut work => {
                return Some(outcome.unwrap_or_else(|panic| Err(TaskError::Retry(panic_text(&*panic)))));
            }
            answer = timeout(RENEW_EVERY, renewal) => match answer {
                Ok(Ok(true)) => renewed = asked,
                Ok(Ok(false)) => {
                    tracing::warn!(task = id, "the lease of a running task was lost");
                    return None;
                }
                Ok(Err(_)) | Err(_) if asked - renewed < STOP_AFTER => {}
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
            app.store
                .write(move |conn| tasks::bury(conn, id, &holder, &error))
                .await
        }
    }
}
