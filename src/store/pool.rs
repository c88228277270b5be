//! Threads that own the database connections, so that no request thread ever waits inside a driver.
//! In: jobs through a bounded channel. Out: their results; broken connections are replaced on the way.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::StoreError;
use super::connection::{Conn, DatabaseUrl};

type Job = Box<dyn FnOnce(Result<&mut Conn, StoreError>) -> Outcome + Send>;

/// What a job found out about its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Fine,
    /// The job met a database error: the connection has to prove that it still works.
    Suspect,
}

/// A fixed number of threads, each with one connection.
#[derive(Clone)]
pub(super) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    /// Starts `threads` threads; connections are opened when first needed.
    pub(super) fn start(name: &str, url: &DatabaseUrl, threads: usize, queued: usize) -> Self {
        let (jobs, inbox) = bounded::<Job>(queued);
        let url = Arc::new(url.clone());
        for number in 0..threads {
            let inbox = inbox.clone();
            let url = Arc::clone(&url);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || serve(&inbox, &url))
                .expect("the system can start a thread");
        }
        Self { jobs }
    }

    /// Jobs that wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// Hands a job over, or says that too many are waiting.
    pub(super) fn submit(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::Closed,
        })
    }

    /// Hands a job over and waits for a place in the queue, for threads that may block.
    pub(super) fn submit_waiting(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).map_err(|_| StoreError::Closed)
    }
}

fn serve(inbox: &Receiver<Job>, url: &DatabaseUrl) {
    let mut connection: Option<Conn> = None;
    while let Ok(job) = inbox.recv() {
        if connection.is_none() {
            match url.connect() {
                Ok(opened) => connection = Some(opened),
                Err(error) => {
                    job(Err(error));
                    // A database that is away answers at once; without a pause a burst of jobs would spin.
                    thread::sleep(Duration::from_millis(50));
                    continue;
                }
            }
        }
        let open = connection.as_mut().expect("opened above");
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(Ok(open))));
        let keep = match outcome {
            Ok(Outcome::Fine) => true,
            Ok(Outcome::Suspect) => open.is_alive(),
            Err(_) => false,
        };
        if !keep {
            connection = None;
        }
    }
}
