//! `bugle dead-letters`: tasks that failed for good, and events that could not be stored. In: what to do with which.
//! Out: a list, or entries that are tried again or deleted.

use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::notify::one_line::one_line;
use crate::protocol::event_id::EventId;
use crate::store::dead_records::{self, DeadRecord};
use crate::store::tasks::{self, DeadTask, NewTask};
use crate::store::{Store, StoreError};
use crate::tasks::kinds::retry_event::RetryEvent;

const PAGE: i64 = 500;
const LONGEST_LINE: usize = 500;

/// Look at tasks that failed for good and events that could not be stored, try them again or delete them.
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show every entry with its number, what it is and its last error.
    List,
    /// Try entries again, tasks with all their attempts.
    Retry(Chosen),
    /// Delete entries for good.
    Delete(Chosen),
}

/// Which entries.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Chosen {
    /// Numbers from the list: t7 is a task, e7 an event.
    #[arg(value_name = "NUMBER")]
    pub entries: Vec<Entry>,

    /// Every entry.
    #[arg(long)]
    pub all: bool,
}

/// A number from the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    Task(i64),
    Event(i64),
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a number from the list, such as t7 or e7");
        let number = |digits: &str| digits.parse().map_err(|_| wrong());
        match text.split_at_checked(1) {
            Some(("t", digits)) => Ok(Self::Task(number(digits)?)),
            Some(("e", digits)) => Ok(Self::Event(number(digits)?)),
            _ => Err(wrong()),
        }
    }
}

/// Runs the command and gives what to print.
pub fn run(store: &Store, args: &DeadLettersArgs) -> Result<String, StoreError> {
    match &args.action {
        Action::List => Ok(listed(&every_task(store)?, &every_event(store)?)),
        Action::Retry(chosen) => {
            let (tasks, events) = ids(store, chosen)?;
            let count = store.write_blocking(move |conn| {
                let retries: Vec<NewTask> = dead_records::known(conn, &events)?
                    .into_iter()
                    .map(|dead_record_id| RetryEvent { dead_record_id }.outbox())
                    .collect();
                tasks::enqueue(conn, &retries)?;
                Ok(tasks::revive(conn, &tasks)? + retries.len())
            })?;
            Ok(format!("{} will be tried again.\n", counted(count)))
        }
        Action::Delete(chosen) => {
            let (tasks, events) = ids(store, chosen)?;
            let count = store.write_blocking(move |conn| {
                Ok(tasks::delete_dead(conn, &tasks)? + dead_records::delete(conn, &events)?)
            })?;
            Ok(format!("{} deleted.\n", counted(count)))
        }
    }
}

fn ids(store: &Store, chosen: &Chosen) -> Result<(Vec<i64>, Vec<i64>), StoreError> {
    if chosen.all {
        let tasks = every_task(store)?.into_iter().map(|task| task.id);
        let events = every_event(store)?.into_iter().map(|event| event.id);
        return Ok((tasks.collect(), events.collect()));
    }
    let mut tasks = Vec::new();
    let mut events = Vec::new();
    for entry in &chosen.entries {
        match entry {
            Entry::Task(id) => tasks.push(*id),
            Entry::Event(id) => events.push(*id),
        }
    }
    Ok((tasks, events))
}

fn every_task(store: &Store) -> Result<Vec<DeadTask>, StoreError> {
    let mut all: Vec<DeadTask> = Vec::new();
    loop {
        let after = all.last().map_or(0, |task| task.id);
        let page = store.read_blocking(move |conn| tasks::dead(conn, after, PAGE))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn every_event(store: &Store) -> Result<Vec<DeadRecord>, StoreError> {
    let mut all: Vec<DeadRecord> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.id);
        let page = store.read_blocking(move |conn| dead_records::list(conn, after, PAGE))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn listed(tasks: &[DeadTask], events: &[DeadRecord]) -> String {
    if tasks.is_empty() && events.is_empty() {
        return "There are no dead letters.\n".to_owned();
    }
    let tasks = tasks.iter().map(task_entry);
    tasks
        .chain(events.iter().map(event_entry))
        .collect::<Vec<_>>()
        .concat()
}

fn task_entry(task: &DeadTask) -> String {
    let DeadTask {
        id,
        kind,
        args,
        attempts,
        last_error,
        created_at,
    } = task;
    let error = last_error.as_deref().unwrap_or("no error was recorded");
    format!(
        "t{id}  {kind}  {attempts} attempts  since {}\n    {}\n    {}\n",
        since(*created_at),
        one_line(args, LONGEST_LINE),
        one_line(error, LONGEST_LINE)
    )
}

fn event_entry(event: &DeadRecord) -> String {
    let DeadRecord {
        id,
        project_id,
        event_id,
        reason,
        attempts,
        created_at,
        ..
    } = event;
    let name = <[u8; 16]>::try_from(event_id.as_slice()).map_or_else(
        |_| String::new(),
        |bytes| EventId::from_bytes(bytes).to_string(),
    );
    format!(
        "e{id}  event {name} of project {project_id}  {attempts} attempts  since {}\n    {}\n",
        since(*created_at),
        one_line(reason, LONGEST_LINE)
    )
}

fn since(created_at: i64) -> String {
    jiff::Timestamp::from_millisecond(created_at)
        .map(|time| time.to_string())
        .unwrap_or_default()
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_lines_whatever_the_errors_say() {
        let task = DeadTask {
            id: 7,
            kind: "mail_issue".to_owned(),
            args: "{}".to_owned(),
            attempts: 25,
            last_error: Some("refused\n\u{1b}[31mred".to_owned()),
            created_at: 0,
        };
        let event = DeadRecord::for_tests(8, [0xab; 16], "no\r\nroom");
        let text = listed(&[task], &[event]);
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(text.starts_with("t7  mail_issue  25 attempts  since 1970-01-01T00:00:00Z"));
        assert!(text.contains("e8  event abababababababababababababababab of project 1"));
    }

    #[test]
    fn numbers_say_what_they_are() {
        assert_eq!("t7".parse(), Ok(Entry::Task(7)));
        assert_eq!("e12".parse(), Ok(Entry::Event(12)));
        for text in ["7", "", "t", "x1", "é1", "e-"] {
            assert!(text.parse::<Entry>().is_err(), "{text}");
        }
    }
}
