//! All metrics at the moment of asking. In: what was counted, and what the parts of the node know about themselves.
//! Out: families for Prometheus and `StatsD`. A database that is away costs its metrics and nothing else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::app::App;
use crate::journal;
use crate::store::tasks::{self, Depth};
use crate::store::{Backend, now_ms};
use crate::tasks::registry;
use crate::telemetry::METRICS;
use crate::telemetry::metrics::family::{Family, label};
use crate::telemetry::metrics::process;

/// How long an answer about the task table holds: however often somebody asks, the database is asked this often.
const FRESH_FOR: Duration = Duration::from_secs(5);
/// How long a scrape waits for the database.
const PATIENCE: Duration = Duration::from_millis(500);

/// The metrics of a node.
pub struct Readings {
    app: Arc<App>,
    depths: Arc<Depths>,
}

#[derive(Default)]
struct Depths {
    state: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    /// The last answer, and when it came; none where there was none.
    answer: Option<(Instant, Option<TaskTable>)>,
    /// Changes when the answer to a question that is out comes in.
    waiting: Option<watch::Receiver<()>>,
}

#[derive(Clone)]
struct TaskTable {
    now: i64,
    depths: Vec<Depth>,
}

impl Readings {
    pub fn new(app: Arc<App>) -> Self {
        // Kinds show with zeros before they first run, so that a rate over their first failure is right.
        for kind in registry::names() {
            METRICS.tasks.kind(kind);
        }
        Self {
            app,
            depths: Arc::default(),
        }
    }

    pub async fn families(&self) -> Vec<Family> {
        let mut out = self.about_the_node();
        out.extend(METRICS.families());
        self.about_the_journal(&mut out);
        self.about_the_store(&mut out);
        if let Some(table) = self.task_table().await {
            about_the_tasks(&table, &mut out);
        }
        process::families(&mut out);
        out
    }

    fn about_the_node(&self) -> Vec<Family> {
        let config = &self.app.config;
        let database = match config.database.backend {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
            Backend::Mysql => "mysql",
        };
        let queue = if config.redis_url.is_some() {
            "redis"
        } else {
            "embedded"
        };
        let mut labels = label("version", env!("CARGO_PKG_VERSION"));
        labels.push(("database", database.into()));
        labels.push(("queue", queue.into()));
        vec![
            Family::gauge(
                "bugle_build_info",
                "Always 1; the labels say which Bugle this is and what it runs on.",
            )
            .with(labels, 1u64),
        ]
    }

    fn about_the_journal(&self, out: &mut Vec<Family>) {
        let status = self.app.journal.status();
        let lag_ms = status.oldest_ms.map_or(0, |at| (now_ms() - at).max(0));
        let mut add = |name, help, value: f64| out.push(Family::gauge(name, help).of(value));
        add(
            "bugle_journal_backlog_records",
            "Records of this node's journal that are not digested yet.",
            status.backlog as f64,
        );
        add(
            "bugle_journal_bytes",
            "Bytes of the journal's segments on the disk.",
            status.bytes as f64,
        );
        add(
            "bugle_journal_limit_bytes",
            "Bytes at which ingest answers 503 (BUGLE_JOURNAL_LIMIT).",
            self.app.config.journal_limit as f64,
        );
        add(
            "bugle_digest_lag_seconds",
            "Age of the oldest record that waits to be digested.",
            lag_ms as f64 / 1_000.0,
        );
        add(
            "bugle_journal_damaged_records",
            "Records that could not be read back since the start.",
            status.damaged as f64,
        );
        add(
            "bugle_journal_writable",
            "1 while records can be made durable, 0 while ingest answers 503.",
            f64::from(u8::from(status.writable)),
        );
        if let Some(percent) = journal::disk_used(&self.app.config.data_dir) {
            add(
                "bugle_disk_used_ratio",
                "Share of the data folder's disk that is in use.",
                percent as f64 / 100.0,
            );
        }
    }

    fn about_the_store(&self, out: &mut Vec<Family>) {
        let (reads, writes) = self.app.store.waiting();
        out.push(
            Family::gauge(
                "bugle_store_waiting_jobs",
                "Work that waits for a thread with a database connection.",
            )
            .with(label("pool", "read"), reads as u64)
            .with(label("pool", "write"), writes as u64),
        );
    }

    /// What the database says, or said a moment ago; none while it does not answer. However many ask, one question is out.
    async fn task_table(&self) -> Option<TaskTable> {
        let mut waiting = {
            let mut state = self.depths.lock();
            if let Some((at, table)) = &state.answer
                && at.elapsed() < FRESH_FOR
            {
                return table.clone();
            }
            if let Some(waiting) = &state.waiting {
                waiting.clone()
            } else {
                let waiting = self.ask();
                state.waiting = Some(waiting.clone());
                waiting
            }
        };
        // A dropped sender has answered as well.
        let _ = tokio::time::timeout(PATIENCE, waiting.changed())
            .await
            .ok()?;
        let state = self.depths.lock();
        state.answer.as_ref().and_then(|(_, table)| table.clone())
    }

    fn ask(&self) -> watch::Receiver<()> {
        let (answered, waiting) = watch::channel(());
        let (app, depths) = (Arc::clone(&self.app), Arc::clone(&self.depths));
        tokio::spawn(async move {
            let table = app.store.read(tasks::depths).await;
            let table = table.map(|(now, depths)| TaskTable { now, depths });
            {
                let mut state = depths.lock();
                state.answer = Some((Instant::now(), table.ok()));
                state.waiting = None;
            }
            drop(answered);
        });
        waiting
    }
}

impl Depths {
    fn lock(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn about_the_tasks(table: &TaskTable, out: &mut Vec<Family>) {
    let mut waiting = Family::gauge(
        "bugle_tasks_waiting",
        "Tasks in the table that are due, running or put off, of all nodes.",
    );
    let mut oldest = Family::gauge(
        "bugle_tasks_oldest_due_seconds",
        "Since when the oldest task of a kind is due; 0 if none is.",
    );
    let mut dead = Family::gauge(
        "bugle_tasks_dead",
        "Tasks on the list of dead letters, of all nodes.",
    );
    for kind in registry::names() {
        let found = table.depths.iter().find(|depth| depth.kind == kind);
        let due_ms = found
            .and_then(|depth| depth.oldest_due_at)
            .map_or(0, |at| (table.now - at).max(0));
        waiting.push(label("kind", kind), found.map_or(0, |depth| depth.waiting));
        oldest.push(label("kind", kind), due_ms as f64 / 1_000.0);
        dead.push(label("kind", kind), found.map_or(0, |depth| depth.dead));
    }
    out.extend([waiting, oldest, dead]);
}
