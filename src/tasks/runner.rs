//! Takes tasks that are due, as many as there is room for, and drains on shutdown.
//! In: ids, from the task table or from Redis. Out: attempts at those that this node could claim.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::attempt::{LEASE, attempt};
use super::registry;
use crate::app::App;
use crate::queue::tasks_redis::TaskExchange;
use crate::store::StoreError;
use crate::store::tasks::{self, Claimed};

/// Tasks that one node runs at a time: mail must not take the machine from the digest.
const SLOTS: usize = 8;
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
