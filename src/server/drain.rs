//! Empties the journal of a node that receives no more. In: its data folder. Out: every record handed over and stored, and
//! only then the word that the folder may go.

use std::fmt;
use std::time::{Duration, Instant};

use super::{ServeError, assemble, boot, lock_data_dir, open_journal, order_to_stop, workers};
use crate::config::{Config, Role};
use crate::journal::{self, Journal};
use crate::store::migrate;

const LOOK_EVERY: Duration = Duration::from_millis(100);
const SPEAK_EVERY: Duration = Duration::from_secs(2);

/// What became of the journal.
#[derive(Debug, PartialEq, Eq)]
pub enum Drained {
    Empty,
    /// Stopped with so many records left.
    Stopped(u64),
    /// So many records or segments could not be read.
    Damaged(u64),
}

/// Hands over everything, through Redis where there is one and into the database otherwise; `tell` hears how it goes.
pub async fn drain(
    mut config: Config,
    tell: &dyn Fn(fmt::Arguments<'_>),
) -> Result<Drained, ServeError> {
    let folder = config.data_dir.join("journal");
    if !folder.is_dir() {
        return Err(ServeError::NoJournal(folder.display().to_string()));
    }
    let _lock = lock_data_dir(&config.data_dir)?;
    let through_redis = config.redis_url.is_some();
    config.roles = vec![Role::Worker];
    config.workers = config.workers.max(1);
    if !through_redis && !config.no_migrate {
        let url = config.database.clone();
        tokio::task::spawn_blocking(move || migrate::run(&url))
            .await
            .map_err(std::io::Error::other)??;
    }
    let journal = open_journal(&config)?;
    let address = config.listen;
    let app = assemble(config, journal.clone(), address)?;
    if !through_redis {
        boot::load_settings(&app).await?;
    }
    tell(format_args!(
        "{} records in {}, {}",
        journal.status().backlog,
        folder.display(),
        if through_redis {
            "to hand to the workers through Redis"
        } else {
            "to digest into the database"
        }
    ));
    let threads = if through_redis {
        workers::start_forwarder(&app)
    } else {
        workers::start(&app)?
    };
    let redis = app.redis.clone();
    let problem = || redis.as_ref().and_then(|pulse| pulse.problem());
    let finished = tokio::select! {
        () = until_empty(&journal, &problem, tell) => true,
        () = order_to_stop() => false,
    };
    let left = journal.status();
    tokio::task::spawn_blocking(move || {
        threads.join();
        journal.close();
    })
    .await
    .map_err(std::io::Error::other)?;
    if !finished {
        return Ok(Drained::Stopped(left.backlog));
    }
    let unreadable = left.damaged + journal::unread_segments(&folder)?;
    Ok(match unreadable {
        0 => Drained::Empty,
        count => Drained::Damaged(count),
    })
}

async fn until_empty(
    journal: &Journal,
    problem: &dyn Fn() -> Option<String>,
    tell: &dyn Fn(fmt::Arguments<'_>),
) {
    let (mut spoke, mut said) = (Instant::now(), u64::MAX);
    loop {
        let status = journal.status();
        if status.loaded && status.backlog == 0 {
            return;
        }
        if spoke.elapsed() > SPEAK_EVERY {
            spoke = Instant::now();
            match problem() {
                Some(problem) => tell(format_args!(
                    "{} records left; Redis is away: {problem}",
                    status.backlog
                )),
                None if status.backlog == said => tell(format_args!(
                    "{} records left; waiting for a worker to store them",
                    status.backlog
                )),
                None => tell(format_args!("{} records left", status.backlog)),
            }
            said = status.backlog;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
