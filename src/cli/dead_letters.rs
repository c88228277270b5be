//! `bugle dead-letters`: tasks that failed for good. In: what to do with which of them.
//! Out: a list, or tasks that are tried again or deleted.

use clap::{Args, Subcommand};

use crate::store::tasks::{self, DeadTask};
use crate::store::{Store, StoreError};

const PAGE: i64 = 500;

/// Look at tasks that failed for good, try them again or delete them.
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show every dead task with its number, kind, arguments and last error.
    List,
    /// Try tasks again, with all their attempts.
    Retry(Chosen),
    /// Delete tasks for good.
    Delete(Chosen),
}

/// Which dead tasks.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Chosen {
    /// Numbers from the list.
    #[arg(value_name = "NUMBER")]
    pub ids: Vec<i64>,

    /// Every dead task.
    #[arg(long)]
    pub all: bool,
}

/// Runs the command and gives what to print.
pub fn run(store: &Store, args: &DeadLettersArgs) -> Result<String, StoreError> {
    match &args.action {
        Action::List => Ok(listed(&every(store)?)),
        Action::Retry(chosen) => {
            let ids = ids(store, chosen)?;
            let count = store.write_blocking(move |conn| tasks::revive(conn, &ids))?;
            Ok(format!("{} will be tried again.\n", counted(count)))
        }
        Action::Delete(chosen) => {
            let ids = ids(store, chosen)?;
            let count = store.write_blocking(move |conn| tasks::delete_dead(conn, &ids))?;
            Ok(format!("{} deleted.\n", counted(count)))
        }
    }
}

fn ids(store: &Store, chosen: &Chosen) -> Result<Vec<i64>, StoreError> {
    if chosen.all {
        return Ok(every(store)?.into_iter().map(|task| task.id).collect());
    }
    Ok(chosen.ids.clone())
}

fn every(store: &Store) -> Result<Vec<DeadTask>, StoreError> {
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

fn listed(dead: &[DeadTask]) -> String {
    if dead.is_empty() {
        return "There are no dead letters.\n".to_owned();
    }
    let entries: Vec<String> = dead
        .iter()
        .map(|task| {
            let DeadTask {
                id,
                kind,
                args,
                attempts,
                last_error,
                created_at,
            } = task;
            let since = jiff::Timestamp::from_millisecond(*created_at)
                .map(|time| time.to_string())
                .unwrap_or_default();
            let error = last_error.as_deref().unwrap_or("no error was recorded");
            let line = |text: &str| crate::notify::one_line::one_line(text, 500);
            format!(
                "{id}  {kind}  {attempts} attempts  since {since}\n    {}\n    {}\n",
                line(args),
                line(error)
            )
        })
        .collect();
    entries.concat()
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 task".to_owned(),
        count => format!("{count} tasks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_one_entry_a_task_whatever_the_error_says() {
        let task = DeadTask {
            id: 7,
            kind: "mail_issue".to_owned(),
            args: "{}".to_owned(),
            attempts: 25,
            last_error: Some("refused\n\u{1b}[31mred".to_owned()),
            created_at: 0,
        };
        let text = listed(&[task]);
        assert_eq!(text.lines().count(), 3);
        assert!(!text.contains('\u{1b}'));
        assert!(text.starts_with("7  mail_issue  25 attempts  since 1970-01-01T00:00:00Z"));
    }
}
