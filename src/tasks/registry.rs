//! The list of task kinds, and how a stored task finds its code.
//! In: a kind's name and arguments as JSON. Out: a future that does the work.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::kinds::{
    assemble_bundle, assemble_debug_file, attachment_sweep, auto_resolve, counter_retention,
    delete_bundle, delete_debug_file, end_ignoring, escalation, expired_chunks, expired_scripts,
    expired_sessions, fetch_source_map, issue_mail, merge, notify_issue, notify_summary,
    pair_source_maps, reprocess_event, retention, retry_event, size_retention, summary_mail,
    train_dictionaries,
};
use super::{Periodic, Task, TaskError, outbox_row};
use crate::app::App;
use crate::store::tasks::NewTask;

/// Every kind of task, a line each.
pub const KINDS: &[Kind] = &[
    Kind::on_demand::<notify_issue::NotifyIssue>(),
    Kind::on_demand::<issue_mail::MailIssue>(),
    Kind::on_demand::<notify_summary::NotifySummary>(),
    Kind::on_demand::<summary_mail::MailSummary>(),
    Kind::on_demand::<retry_event::RetryEvent>(),
    Kind::on_demand::<merge::MoveIssues>(),
    Kind::on_demand::<reprocess_event::ReprocessEvent>(),
    Kind::on_demand::<assemble_bundle::AssembleBundle>(),
    Kind::on_demand::<pair_source_maps::PairSourceMaps>(),
    Kind::on_demand::<assemble_debug_file::AssembleDebugFile>(),
    Kind::on_demand::<delete_bundle::DeleteBundle>(),
    Kind::on_demand::<fetch_source_map::FetchSourceMap>(),
    Kind::on_demand::<delete_debug_file::DeleteDebugFile>(),
    Kind::periodic::<end_ignoring::EndIgnoring>(),
    Kind::periodic::<escalation::Escalation>(),
    Kind::periodic::<auto_resolve::AutoResolve>(),
    Kind::periodic::<retention::Retention>(),
    Kind::periodic::<size_retention::SizeRetention>(),
    Kind::periodic::<counter_retention::CounterRetention>(),
    Kind::periodic::<expired_sessions::ExpiredSessions>(),
    Kind::periodic::<expired_chunks::ExpiredChunks>(),
    Kind::periodic::<expired_scripts::ExpiredScripts>(),
    Kind::periodic::<attachment_sweep::AttachmentSweep>(),
    Kind::periodic::<train_dictionaries::TrainDictionaries>(),
];

const LONGEST_DELAY: Duration = Duration::from_secs(60 * 60);

pub type Run = Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>;

/// A task type without its type.
pub struct Kind {
    pub name: &'static str,
    pub max_attempts: u32,
    first_delay: Duration,
    start: fn(&str, Arc<App>) -> Result<Run, serde_json::Error>,
    schedule: Option<Schedule>,
}

/// When a periodic kind runs, and the row that makes it run.
#[derive(Clone, Copy)]
pub struct Schedule {
    pub every: Duration,
    pub row: fn() -> NewTask,
}

impl Kind {
    const fn on_demand<T: Task>() -> Self {
        Self {
            name: T::NAME,
            max_attempts: T::MAX_ATTEMPTS,
            first_delay: T::FIRST_DELAY,
            start: |args, app| {
                let task: T = serde_json::from_str(args)?;
                Ok(Box::pin(task.run(app)))
            },
            schedule: None,
        }
    }

    const fn periodic<T: Periodic>() -> Self {
        Self {
            schedule: Some(Schedule {
                every: T::EVERY,
                row: || outbox_row(&T::default(), None, 0),
            }),
            ..Self::on_demand::<T>()
        }
    }

    /// The work of a stored task, or why its arguments cannot be read.
    pub fn start(&self, args: &str, app: Arc<App>) -> Result<Run, serde_json::Error> {
        (self.start)(args, app)
    }

    pub fn schedule(&self) -> Option<Schedule> {
        self.schedule
    }

    /// How long to wait after the given failed attempt (1 is the first): exponential, with as much again at random,
    /// so that what failed together does not come back together.
    pub fn delay_after(&self, attempt: u32) -> Duration {
        ExponentialBuilder::new()
            .with_min_delay(self.first_delay)
            .with_factor(3.0)
            .with_max_delay(LONGEST_DELAY)
            .without_max_times()
            .with_jitter()
            .build()
            .nth(attempt.saturating_sub(1) as usize)
            .unwrap_or(LONGEST_DELAY)
    }
}

pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The names this process can run.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_fit_their_column() {
        let mut seen = names();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), KINDS.len());
        for kind in KINDS {
            assert!(kind.name.len() <= 64, "{}", kind.name);
            assert!(kind.max_attempts >= 1, "{}", kind.name);
            assert!(find(kind.name).is_some());
        }
        assert!(find("no such kind").is_none());
    }

    #[test]
    fn periodic_kinds_write_their_own_row() {
        for kind in KINDS {
            if let Some(Schedule { every, row }) = kind.schedule() {
                assert_eq!(row().kind, kind.name);
                assert!(every >= Duration::from_secs(60), "{}", kind.name);
            }
        }
    }

    #[test]
    fn delays_grow_to_an_hour_and_are_spread() {
        let kind = &KINDS[0];
        let first = kind.first_delay;
        for _ in 0..50 {
            let delay = kind.delay_after(1);
            assert!(delay >= first && delay <= first * 2, "{delay:?}");
            let third = kind.delay_after(3);
            assert!(third >= first * 9 && third <= first * 18, "{third:?}");
            let late = kind.delay_after(40);
            assert!(
                late >= LONGEST_DELAY && late <= LONGEST_DELAY * 2,
                "{late:?}"
            );
        }
    }
}
