//! A key, project or organization with a limit. In: events that want in. Out: whether they may, and which limit says no.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use super::window::{Delta, Span, Window};

/// Whom a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Key,
    Project,
    Organization,
}

impl Scope {
    /// As the rate-limit header names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Project => "project",
            Self::Organization => "organization",
        }
    }

    /// As Usage names a limit that was reached.
    pub fn reason(self, span: Span) -> &'static str {
        match (self, span) {
            (Self::Key, Span::Minute) => "key_minute",
            (Self::Key, Span::Month) => "key_month",
            (Self::Project, Span::Minute) => "project_minute",
            (Self::Project, Span::Month) => "project_month",
            (Self::Organization, Span::Minute) => "org_minute",
            (Self::Organization, Span::Month) => "org_month",
        }
    }
}

#[derive(Debug, Default)]
pub struct Used {
    minute: Window,
    month: Window,
}

/// Counters of one key, project or organization. They outlive changes of the limits.
#[derive(Debug)]
pub struct Subject {
    pub scope: Scope,
    pub id: i64,
    /// 0: no limit.
    minute: AtomicI64,
    month: AtomicI64,
    used: Mutex<Used>,
}

impl Subject {
    pub fn new(scope: Scope, id: i64) -> Self {
        Self {
            scope,
            id,
            minute: AtomicI64::new(0),
            month: AtomicI64::new(0),
            used: Mutex::default(),
        }
    }

    pub fn set(&self, minute: i64, month: i64) {
        self.minute.store(minute, Ordering::Relaxed);
        self.month.store(month, Ordering::Relaxed);
    }

    pub fn limit(&self, span: Span) -> i64 {
        match span {
            Span::Minute => self.minute.load(Ordering::Relaxed),
            Span::Month => self.month.load(Ordering::Relaxed),
        }
    }

    /// Held for some additions only, never across an await.
    pub fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().expect("no thread panics with this lock")
    }
}

impl Used {
    fn window(&mut self, span: Span) -> &mut Window {
        match span {
            Span::Minute => &mut self.minute,
            Span::Month => &mut self.month,
        }
    }

    /// The spans in which a limit leaves no room.
    pub fn full(&mut self, subject: &Subject, now_ms: i64) -> impl Iterator<Item = Span> {
        let mut is_full = |span: Span| {
            let used = self.window(span).used(span.index(now_ms));
            let limit = subject.limit(span);
            (limit > 0 && used >= limit).then_some(span)
        };
        let (minute, month) = (is_full(Span::Minute), is_full(Span::Month));
        minute.into_iter().chain(month)
    }

    /// Counts an event; asking whether there is room comes first.
    pub fn take(&mut self) {
        self.minute.take();
        self.month.take();
    }

    pub fn give_back(&mut self, now_ms: i64) {
        for span in [Span::Minute, Span::Month] {
            self.window(span).give_back(span.index(now_ms));
        }
    }

    pub fn raise(&mut self, span: Span, index: i64, known: i64) {
        self.window(span).raise(index, known);
    }

    pub fn delta(&mut self, span: Span, now_ms: i64) -> Option<Delta> {
        self.window(span).delta(span.index(now_ms))
    }

    /// Tells the others again what they did not hear.
    pub fn touch(&mut self, span: Span, index: i64) {
        self.window(span).touch(index);
    }

    pub fn told(&mut self, span: Span, delta: Delta, total: i64) {
        self.window(span).told(delta, total);
    }

    pub fn month(&self) -> Option<(i64, i64)> {
        self.month.remembered()
    }
}
