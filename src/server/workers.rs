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
    /// Tells the threads to stop and waits until their last batch is stored.
    pub fn join(self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a worker thread ended with a panic");
            }
        }
    }
}

/// Starts the forwarder, where there is Redis, and the digesting threads, where this node is a worker.
pub fn start(app: &Arc<App>) -> Threads {
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    let mut spawn = |name: String, work: Box<dyn FnOnce() + Send>| {
        threads.push(
            std::thread::Builder::new()
                .name(name)
                .spawn(work)
                .expect("the system can start a thread"),
        );
    };
    let digests = app.config.has_role(Role::Worker) && app.config.workers > 0;
    if let Some(url) = &app.config.redis_url {
        let forwarder = Forwarder::new(app.journal.clone(), url, &app.config.redis_prefix);
        let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
        // With digestion paused the journal keeps, also when it would be somebody else who digests.
        if app.config.workers > 0 {
            spawn(
                "forward".into(),
                Box::new(move || forwarder.run(&|| stop.load(Ordering::Acquire))),
            );
        }
    }
    if digests {
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
            spawn(
                format!("digest-{number}"),
                Box::new(move || process_events::run(&app, queue, &stop)),
            );
        }
    }
    if digests {
        let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
        spawn(
            "tags".into(),
            Box::new(move || fold_tags::run(&app, &stop)),
        );
    }
    Threads { threads, stop }
}
