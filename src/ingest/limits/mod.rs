//! How many events may come in. In: limits of keys, projects and organizations, and events that want in. Out: yes, or
//! the limits that are reached, as the protocol announces them.
//!
//! Counted in memory on this node. `exchange` shares the counts with other nodes where there is a Redis; `snapshot`
//! carries a month's counts over a restart; the database, which knows what was digested, only ever raises them. Where
//! nobody set a limit, an event costs one look at a flag.

pub mod exchange;
pub mod sizes;
pub mod snapshot;
mod subject;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, RwLock};

pub use sizes::*;
pub use subject::{Scope, Subject};
pub use window::{Span, month_start_ms};

use crate::store::keys::{KeyRow, LimitRow, Settings};

/// The key, the project and the organization of a sender, as far as they have limits, in this order.
pub type Quotas = Arc<[Arc<Subject>]>;

/// A limit that leaves no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub scope: Scope,
    pub span: Span,
    pub seconds: i64,
}

/// All limits that leave no room; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    hits: Vec<Hit>,
    /// Of what was sent.
    category: &'static str,
}

impl Reached {
    fn new(hits: Vec<Hit>) -> Self {
        Self {
            hits,
            category: "error",
        }
    }

    /// For what does not count as errors.
    #[must_use]
    pub fn of(self, category: &'static str) -> Self {
        Self { category, ..self }
    }

    /// `X-Sentry-Rate-Limits`. Limits are on events, which count as errors: SDKs go on sending everything else.
    pub fn header(&self) -> String {
        let mut header = String::new();
        for hit in &self.hits {
            let comma = if header.is_empty() { "" } else { ", " };
            write!(
                header,
                "{comma}{}:{}:{}:{}",
                hit.seconds,
                self.category,
                hit.scope.as_str(),
                hit.scope.reason(hit.span)
            )
            .expect("writing to a string");
        }
        header
    }

    /// Seconds until all of them may have room again.
    pub fn retry_after(&self) -> i64 {
        self.hits.iter().map(|hit| hit.seconds).max().unwrap_or(1)
    }

    /// What Usage counts it under: the narrowest limit.
    pub fn reason(&self) -> &'static str {
        self.hits
            .first()
            .map_or("", |hit| hit.scope.reason(hit.span))
    }

    /// For people.
    pub fn sentence(&self) -> String {
        let Some(hit) = self.hits.first() else {
            return String::new();
        };
        let span = match hit.span {
            Span::Minute => "minute",
            Span::Month => "month",
        };
        format!(
            "the {}'s limit of events a {span} is reached",
            hit.scope.as_str()
        )
    }
}

#[derive(Default)]
struct Book {
    subjects: HashMap<(Scope, i64), Arc<Subject>>,
    by_key: HashMap<i64, Quotas>,
    /// The organization of each project whose events come under a limit.
    organizations: HashMap<i64, i64>,
}

/// All limits of this node.
pub struct Limits {
    book: RwLock<Arc<Book>>,
    /// Whether any key has a limit of any kind.
    any: AtomicBool,
    /// Events a minute of a key that has no limit of its own; 0 for none.
    key_minute: i64,
    /// A month's counts of the last run, for subjects that come later.
    remembered: HashMap<(Scope, i64), (i64, i64)>,
    /// The version of the settings whose months the database was asked about.
    asked: AtomicI64,
}

impl Limits {
    pub fn new(key_minute: i64, remembered: HashMap<(Scope, i64), (i64, i64)>) -> Self {
        Self {
            book: RwLock::default(),
            any: AtomicBool::new(false),
            key_minute,
            remembered,
            asked: AtomicI64::new(-1),
        }
    }

    fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.read().expect("no thread panics with this lock"))
    }

    /// Takes over what the settings say; counts go on where they were.
    pub fn replace(&self, settings: &Settings) {
        let old = self.book();
        let by_id = |rows: &[LimitRow]| -> HashMap<i64, (i64, i64)> {
            rows.iter()
                .map(|row| {
                    let limits = (row.minute_limit.unwrap_or(0), row.month_limit.unwrap_or(0));
                    (row.id, limits)
                })
                .collect()
        };
        let (projects, organizations) = (by_id(&settings.projects), by_id(&settings.organizations));
        let none = (0, 0);
        let mut book = Book::default();
        for key in &settings.keys {
            let limits = [
                (Scope::Key, key.id, self.limits_of(key)),
                (
                    Scope::Project,
                    key.project_id,
                    projects.get(&key.project_id).copied().unwrap_or(none),
                ),
                (
                    Scope::Organization,
                    key.organization_id,
                    organizations
                        .get(&key.organization_id)
                        .copied()
                        .unwrap_or(none),
                ),
            ];
            let quotas: Vec<Arc<Subject>> = limits
                .into_iter()
                .filter(|(_, _, limits)| *limits != none)
                .map(|(scope, id, (minute, month))| {
                    let subject = book
                        .subjects
                        .entry((scope, id))
                        .or_insert_with(|| self.subject(&old, scope, id));
                    subject.set(minute, month);
                    Arc::clone(subject)
                })
                .collect();
            if !quotas.is_empty() {
                book.by_key.insert(key.id, quotas.into());
                book.organizations
                    .insert(key.project_id, key.organization_id);
            }
        }
        self.any.store(!book.by_key.is_empty(), Ordering::Release);
        *self.book.write().expect("no thread panics with this lock") = Arc::new(book);
    }

    fn limits_of(&self, key: &KeyRow) -> (i64, i64) {
        (
            key.minute_limit.unwrap_or(self.key_minute),
            key.month_limit.unwrap_or(0),
        )
    }

    fn subject(&self, old: &Book, scope: Scope, id: i64) -> Arc<Subject> {
        if let Some(subject) = old.subjects.get(&(scope, id)) {
            return Arc::clone(subject);
        }
        let subject = Subject::new(scope, id);
        if let Some((index, used)) = self.remembered.get(&(scope, id)) {
            subject.lock().raise(Span::Month, *index, *used);
        }
        Arc::new(subject)
    }

    /// The limits that events of a key come under; none where nobody set one.
    pub fn of(&self, key_id: i64) -> Option<Quotas> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let book = self.book.read().expect("no thread panics with this lock");
        book.by_key.get(&key_id).cloned()
    }

    /// All subjects, for the tasks in the background.
    pub fn subjects(&self) -> Vec<Arc<Subject>> {
        self.book().subjects.values().cloned().collect()
    }

    /// The projects whose months the database has to be asked about; empty while no limit is on a month.
    pub fn projects_with_months(&self) -> Vec<i64> {
        let book = self.book();
        let has_month = |subject: &Arc<Subject>| subject.limit(Span::Month) > 0;
        if book.subjects.values().any(has_month) {
            book.organizations.keys().copied().collect()
        } else {
            Vec::new()
        }
    }

    /// Whether the database was asked about the months of this version of the settings.
    pub fn knows_months(&self, version: i64) -> bool {
        self.asked.load(Ordering::Acquire) == version
    }

    /// What the database knows of a month: events by project and key.
    pub fn raise_months(&self, version: i64, index: i64, taken: &[(i64, i64, i64)]) {
        let book = self.book();
        let mut sums: HashMap<(Scope, i64), i64> = HashMap::new();
        for (project_id, key_id, quantity) in taken {
            *sums.entry((Scope::Key, *key_id)).or_default() += quantity;
            *sums.entry((Scope::Project, *project_id)).or_default() += quantity;
            if let Some(organization_id) = book.organizations.get(project_id) {
                *sums
                    .entry((Scope::Organization, *organization_id))
                    .or_default() += quantity;
            }
        }
        for (name, known) in sums {
            if let Some(subject) = book.subjects.get(&name) {
                subject.lock().raise(Span::Month, index, known);
            }
        }
        self.asked.store(version, Ordering::Release);
    }
}

/// Counts an event, or says which limits leave no room for it; then nothing is counted.
pub fn admit(quotas: &Quotas, now_ms: i64) -> Result<(), Reached> {
    // All at once, always in the same order: nobody slips in between, and nobody waits for a circle.
    let mut locked: Vec<_> = quotas
        .iter()
        .map(|subject| (subject, subject.lock()))
        .collect();
    let mut hits = Vec::new();
    for (subject, used) in &mut locked {
        hits.extend(
            used.full(subject, now_ms)
                .map(|span| hit(subject, span, now_ms)),
        );
    }
    if hits.is_empty() {
        for (_, used) in &mut locked {
            used.take();
        }
        Ok(())
    } else {
        Err(Reached::new(hits))
    }
}

/// Takes an event back that was counted and then not kept.
pub fn give_back(quotas: &Quotas, now_ms: i64) {
    for subject in quotas.iter() {
        subject.lock().give_back(now_ms);
    }
}

/// The limits that leave no room now.
pub fn reached(quotas: &Quotas, now_ms: i64) -> Option<Reached> {
    let mut hits = Vec::new();
    for subject in quotas.iter() {
        let mut used = subject.lock();
        hits.extend(
            used.full(subject, now_ms)
                .map(|span| hit(subject, span, now_ms)),
        );
    }
    (!hits.is_empty()).then(|| Reached::new(hits))
}

fn hit(subject: &Subject, span: Span, now_ms: i64) -> Hit {
    Hit {
        scope: subject.scope,
        span,
        seconds: span.seconds_left(now_ms),
    }
}
