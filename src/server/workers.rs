//! The threads that move events. In: the roles. Out: running threads, and a way to wait for their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::app::App;
use crate::config::Role;
use crate::queue::Queue;
use crate::queue::embedded::EmbeddedQueue;
use crate::queue::redis::{Forwarder, RedisQueue};
use crate::tasks::{fold_tags, process_events};

pub struct Threads {
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Threads {
    /// Tells the threads to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Tells the threads to stop and waits until their last batch is stored.
    pub fn join(self) {
        self.stop();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a worker thread ended with a panic");
            }
        }
    }
}

/// Whoever waits for an answer comes first: requests go on at their pace while all cores digest.
fn give_way() {
    // Linux counts niceness by thread; elsewhere this would slow down the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "a digesting thread keeps its priority");
    }
}

/// Threads that a stop ends and waits for.
fn spawn(name: String, work: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name)
        .spawn(|| {
            give_way();
            work();
        })
        .expect("the system can start a thread")
}

/// Starts to forward this node's journal, where there is Redis. Needs no database.
pub fn start_forwarder(app: &Arc<App>) -> Threads {
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    // With digestion paused the journal keeps, also when it would be somebody else who digests.
    if let (Some(url), Some(pulse)) = (&app.config.redis_url, &app.redis)
        && app.config.workers > 0
    {
        let forwarder = Forwarder::new(
            app.journal.clone(),
            url,
            &app.config.redis_prefix,
            Arc::clone(pulse),
        );
        let stop = Arc::clone(&stop);
        threads.push(spawn(
            "forward".into(),
            Box::new(move || forwarder.run(&|| stop.load(Ordering::Acquire))),
        ));
    }
    Threads { threads, stop }
}

/// Starts the digesting threads, where this node is a worker.
pub fn start(app: &Arc<App>) -> Threads {
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    if app.config.has_role(Role::Worker) {
        for number in 0..app.config.workers {
            let queue: Box<dyn Queue> = match &app.config.redis_url {
                Some(url) => {
                    let consumer = format!("{}-{number}", app.journal.node());
                    Box::new(RedisQueue::new(
                        url,
                        &app.config.redis_prefix,
                        consumer,
                        number,
                    ))
                }
                None => Box::new(EmbeddedQueue::new(app.journal.clone())),
            };
            let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
            threads.push(spawn(
                format!("digest-{number}"),
                Box::new(move || process_events::run(&app, queue, &stop)),
            ));
        }
    }
    if !threads.is_empty() {
        let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
        threads.push(spawn(
            "tags".into(),
            Box::new(move || fold_tags::run(&app, &stop)),
        ));
    }
    Threads { threads, stop }
}
