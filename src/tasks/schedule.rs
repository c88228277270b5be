//! Starts periodic tasks: any number of nodes may carry the role, one of them works at a time.
//! In: the schedules that kinds declare. Out: one row in the task table for each slot, never two.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::registry::KINDS;
use crate::app::App;
use crate::store::{Conn, StoreError, leases};

const LEASE_NAME: &str = "scheduler";
const LEASE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks for slots that have begun until `stop` turns true. `holder` names this process.
pub async fn run(app: Arc<App>, holder: String, mut stop: watch::Receiver<bool>) {
    loop {
        let asking = holder.clone();
        match app
            .store
            .write(move |conn| enqueue_begun_slots(conn, &asking))
            .await
        {
            Ok(0) => {}
            Ok(started) => {
                tracing::debug!(started, "periodic tasks enqueued");
                app.tasks_wake.notify_one();
            }
            Err(error) => tracing::warn!(%error, "cannot look for periodic tasks"),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            () = sleep(LOOK_EVERY) => {}
        }
    }
    let given = app
        .store
        .write(move |conn| leases::give_back(conn, LEASE_NAME, &holder))
        .await;
    if let Err(error) = given {
        tracing::debug!(%error, "the scheduler's lease runs out by itself");
    }
}

/// The lease keeps idle nodes from asking for every kind; that no slot is taken twice, each slot's own row ensures.
fn enqueue_begun_slots(conn: &mut Conn, holder: &str) -> Result<usize, StoreError> {
    if !leases::acquire(conn, LEASE_NAME, holder, LEASE.as_millis() as i64)? {
        return Ok(0);
    }
    let mut started = 0;
    for schedule in KINDS.iter().filter_map(super::registry::Kind::schedule) {
        let every = schedule.every.as_millis() as i64;
        started += usize::from(leases::enqueue_slot(
            conn,
            &(schedule.row)(),
            every,
            holder,
        )?);
    }
    Ok(started)
}
