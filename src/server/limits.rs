//! Keeps the counts behind the limits: shared with other nodes, on disk, and never below what the database knows.
//! In: the limits in memory. Out: nothing that an event waits for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::app::App;
use crate::ingest::limits::exchange::Exchange;
use crate::ingest::limits::snapshot::Snapshot;
use crate::ingest::limits::{Span, month_start_ms};
use crate::store::{StoreError, now_ms, usage};

const EVERY: Duration = Duration::from_secs(1);
/// The sums of a month are a look at some thousand rows for each project.
const ASK_DATABASE_EVERY: Duration = Duration::from_secs(60);
const HOUR_MS: i64 = 3_600_000;

/// Works until the order to stop, and once more then.
pub async fn keep(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut snapshot = Snapshot::new(&app.config.data_dir);
    let mut exchange = app
        .config
        .redis_url
        .as_deref()
        .map(|url| Exchange::new(url, &app.config.redis_prefix));
    let mut asked = Instant::now();
    loop {
        let stop = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(EVERY) => false,
        };
        let version = app.keys.version().unwrap_or(-1);
        let changed = !app.limits.knows_months(version);
        if !stop && app.is_booted() && (changed || asked.elapsed() > ASK_DATABASE_EVERY) {
            asked = Instant::now();
            if let Err(error) = ask_database(&app).await {
                tracing::debug!(%error, "monthly counts go on from memory");
            }
        }
        let limits = Arc::clone(&app.limits);
        let work = tokio::task::spawn_blocking(move || {
            if let Some(exchange) = &mut exchange {
                exchange.run(&limits, now_ms());
            }
            if let Err(error) = snapshot.write(&limits) {
                tracing::debug!(%error, "monthly counts are not on disk; after a restart the database tells them");
            }
            (exchange, snapshot)
        });
        match work.await {
            Ok(parts) if !stop => (exchange, snapshot) = parts,
            Ok(_) => return,
            Err(error) => {
                tracing::error!(%error, "limits are counted in memory only from now on");
                return;
            }
        }
    }
}

/// Raises the counts of this month to what is digested.
pub async fn ask_database(app: &Arc<App>) -> Result<(), StoreError> {
    let version = app.keys.version().unwrap_or(-1);
    let projects = app.limits.projects_with_months();
    let month = Span::Month.index(now_ms());
    let taken = if projects.is_empty() {
        Vec::new()
    } else {
        let hour = month_start_ms(month) / HOUR_MS;
        app.store
            .read(move |conn| usage::taken(conn, &projects, hour))
            .await?
    };
    app.limits.raise_months(version, month, &taken);
    Ok(())
}
