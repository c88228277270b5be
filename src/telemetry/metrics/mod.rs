//! What this process counts. In: one call where something happens. Out: families of metrics at the moment of asking.
//!
//! The table is one static, as the log is: what is counted spans all layers, and a handle that is known when compiling
//! costs nothing to find. What other parts know already (the journal's backlog, the tasks' queue) is not counted twice
//! but read when somebody asks; see `server/readings.rs`.

pub mod family;
mod groups;
mod instruments;
pub mod process;

pub use groups::{
    Digest, DigestOutcome, Endpoint, HttpRoute, Ingest, Journal, Mail, Mirror, Redis, Reports,
    Store, Task, Tasks,
};
pub use instruments::{BOUNDS_US, Counter, Distribution, Gauge, Histogram, Labelled};

use family::Family;

/// Everything that is counted.
pub struct Metrics {
    pub ingest: Ingest,
    pub journal: Journal,
    pub digest: Digest,
    pub redis: Redis,
    pub tasks: Tasks,
    pub store: Store,
    pub mail: Mail,
    pub pages: Labelled<HttpRoute>,
    pub mirror: Mirror,
    pub reports: Reports,
}

pub static METRICS: Metrics = Metrics {
    ingest: Ingest::zero(),
    journal: Journal::zero(),
    digest: Digest::zero(),
    redis: Redis::zero(),
    tasks: Tasks::zero(),
    store: Store::zero(),
    mail: Mail::zero(),
    pages: Labelled::new(),
    mirror: Mirror::zero(),
    reports: Reports::zero(),
};

impl Metrics {
    /// What was counted until now.
    pub fn families(&self) -> Vec<Family> {
        let Self {
            ingest,
            journal,
            digest,
            redis,
            tasks,
            store,
            mail,
            pages,
            mirror,
            reports,
        } = self;
        let mut out = Vec::new();
        ingest.families(&mut out);
        journal.families(&mut out);
        digest.families(&mut out);
        redis.families(&mut out);
        tasks.families(&mut out);
        store.families(&mut out);
        mail.families(&mut out);
        groups::pages(pages, &mut out);
        mirror.families(&mut out);
        reports.families(&mut out);
        out
    }
}
