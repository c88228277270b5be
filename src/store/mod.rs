//! All SQL. In: closures over a connection, with a scope where an organization's data is concerned.
//! Out: rows and models; errors say whether trying again can help.

pub mod accounts;
pub mod artifacts;
pub mod attachments;
pub mod connection;
pub mod dead_records;
pub mod debug_files;
pub mod dialect;
pub mod dictionaries;
pub mod digest;
pub mod events;
pub mod feedback;
mod issue_condition;
pub mod issue_counts;
pub mod issue_detail;
pub mod issue_details;
pub mod issue_facts;
#[cfg(test)]
mod issue_fixture;
pub mod issue_list;
pub mod issue_records;
pub mod issue_status;
pub mod issue_tags;
pub mod keys;
pub mod leases;
pub mod ledger;
pub mod lifecycle_steps;
pub mod limits;
pub mod merging;
pub mod migrate;
pub mod mirrors;
pub mod named;
pub mod nodes;
pub mod organization_settings;
pub mod payload;
mod pool;
pub mod project_activity;
pub mod project_keys;
pub mod project_mail;
pub mod project_settings;
pub mod refusals;
pub mod rehearsal;
pub mod release_details;
pub mod release_files;
pub mod release_health;
pub mod release_order;
pub mod reprocess;
pub mod retention;
pub mod schema;
pub mod scope;
pub mod scraped;
pub mod script_maps;
pub mod sessions;
pub mod storage;
pub mod summary_facts;
pub mod tasks;
pub mod thinning;
pub mod tokens;
pub mod uploads;
pub mod usage;

use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::telemetry::METRICS;
pub use connection::{Backend, Conn, DatabaseUrl};
use pool::{Outcome, Pool};

/// What can go wrong between a closure and its rows.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0}")]
    Url(String),
    #[error("cannot reach the database: {0}. Check --database-url and that the server is running")]
    Connect(#[from] diesel::ConnectionError),
    #[error("database error: {0}")]
    Query(DieselError),
    #[error("not found")]
    NotFound,
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Invalid(String),
    #[error("the database is busy; try again in a moment")]
    Busy,
    #[error("the server is stopping")]
    Closed,
    #[error("the work on the database ended with a panic; the log says where")]
    Panicked,
    #[error("{0}")]
    Damaged(String),
    #[error("migration failed: {0}")]
    Migration(String),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            other => Self::Query(other),
        }
    }
}

impl StoreError {
    /// A lock was not to be had, or two transactions met: the same work may well succeed now.
    pub fn is_contention(&self) -> bool {
        match self {
            Self::Query(DieselError::DatabaseError(kind, info)) => {
                let text = info.message();
                matches!(kind, DatabaseErrorKind::SerializationFailure)
                    || text.contains("deadlock")
                    || text.contains("Deadlock")
                    || text.contains("database is locked")
                    || text.contains("Lock wait timeout")
                    || text.contains("lock timeout")
                    || text.contains("Record has changed since last read")
            }
            _ => false,
        }
    }

    /// Another row has the same key.
    pub fn is_unique_violation(&self) -> bool {
        matches!(
            self,
            Self::Query(DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation,
                _
            ))
        )
    }

    /// The fault lies with the database or the way to it, not with the data: nobody's record is to blame.
    pub fn is_infrastructure(&self) -> bool {
        match self {
            Self::Query(DieselError::DatabaseError(kind, info)) => {
                if self.is_contention() {
                    return true;
                }
                match kind {
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::ReadOnlyTransaction => true,
                    DatabaseErrorKind::Unknown => {
                        let text = info.message().to_ascii_lowercase();
                        [
                            "connection",
                            "server",
                            "disk",
                            "full",
                            "i/o",
                            "readonly",
                            "read-only",
                            "shutting",
                            "terminat",
                            "space",
                            "timeout",
                            "too many",
                        ]
                        .iter()
                        .any(|sign| text.contains(sign))
                    }
                    _ => false,
                }
            }
            Self::Connect(_)
            | Self::Busy
            | Self::Closed
            | Self::Query(
                DieselError::BrokenTransactionManager
                | DieselError::AlreadyInTransaction
                | DieselError::NotInTransaction,
            ) => true,
            _ => false,
        }
    }
}

/// The database behind its threads. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    url: DatabaseUrl,
    readers: Pool,
    writers: Pool,
}

const READERS: usize = 4;
const WRITERS: usize = 4;
const QUEUED_JOBS: usize = 1024;
const CONTENTION_TRIES: u32 = 8;

impl Store {
    /// Starts the threads; nothing is opened before it is needed, so this works while the database is away.
    pub fn new(url: DatabaseUrl) -> Self {
        let writers = if url.backend == Backend::Sqlite {
            1
        } else {
            WRITERS
        };
        Self {
            readers: Pool::start("store-read", &url, READERS, QUEUED_JOBS),
            writers: Pool::start("store-write", &url, writers, QUEUED_JOBS),
            url,
        }
    }

    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Jobs that wait for a reader thread and for a writer thread.
    pub fn waiting(&self) -> (usize, usize) {
        (self.readers.waiting(), self.writers.waiting())
    }

    /// Runs a query on a reader thread.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, result) = tokio::sync::oneshot::channel();
        self.readers.submit(Box::new(move |conn| {
            finish(conn.and_then(|conn| query(conn, work)), |value| {
                answer.send(value).is_ok()
            })
        }))?;
        result.await.map_err(|_| StoreError::Panicked)?
    }

    /// Runs `work` in one transaction on a writer thread; it is run again if transactions collided.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, result) = tokio::sync::oneshot::channel();
        self.writers.submit(Box::new(move |conn| {
            finish(conn.and_then(|conn| transact(conn, &work)), |value| {
                answer.send(value).is_ok()
            })
        }))?;
        result.await.map_err(|_| StoreError::Panicked)?
    }

    /// As [`Store::read`], for threads that may block and commands.
    pub fn read_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, result) = crossbeam_channel::bounded(1);
        self.readers.submit_waiting(Box::new(move |conn| {
            finish(conn.and_then(|conn| query(conn, work)), |value| {
                answer.send(value).is_ok()
            })
        }))?;
        result.recv().map_err(|_| StoreError::Panicked)?
    }

    /// As [`Store::write`], for threads that may block and commands.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, result) = crossbeam_channel::bounded(1);
        self.writers.submit_waiting(Box::new(move |conn| {
            finish(conn.and_then(|conn| transact(conn, &work)), |value| {
                answer.send(value).is_ok()
            })
        }))?;
        result.recv().map_err(|_| StoreError::Panicked)?
    }
}

fn finish<T>(
    result: Result<T, StoreError>,
    answer: impl FnOnce(Result<T, StoreError>) -> bool,
) -> Outcome {
    let outcome = match &result {
        Err(StoreError::Query(_) | StoreError::Connect(_)) => {
            METRICS.store.errors.inc();
            Outcome::Suspect
        }
        _ => Outcome::Fine,
    };
    // Nobody waiting any more is no fault: the client went away.
    answer(result);
    outcome
}

fn query<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let began = Instant::now();
    let result = work(conn);
    METRICS.store.reads.observe(began.elapsed());
    result
}

fn transact<T>(
    conn: &mut Conn,
    work: &impl Fn(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let began = Instant::now();
    let result = transact_until_alone(conn, work);
    METRICS.store.writes.observe(began.elapsed());
    result
}

fn transact_until_alone<T>(
    conn: &mut Conn,
    work: &impl Fn(&mut Conn) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut tries = 1;
    loop {
        match conn.in_transaction(work) {
            Err(error) if error.is_contention() && tries < CONTENTION_TRIES => {
                tracing::debug!(%error, tries, "transactions collided, running again");
                METRICS.store.collisions.inc();
                thread::sleep(Duration::from_millis(u64::from(tries) * 7));
                tries += 1;
            }
            other => return other,
        }
    }
}

/// Milliseconds since 1970, UTC: the unit of every time in storage.
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
        + test_offset_ms()
}

/// For tests of a clock that jumps between two runs. Builds for release know nothing of it.
fn test_offset_ms() -> i64 {
    static OFFSET: LazyLock<i64> = LazyLock::new(|| {
        std::env::var("BUGLE_TEST_CLOCK_OFFSET_MS")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    });
    if cfg!(debug_assertions) { *OFFSET } else { 0 }
}

/// A shared store, as the application hands it around.
pub type SharedStore = Arc<Store>;
