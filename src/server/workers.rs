//! The threads that move events. In: the roles. Out: running threads, and a way to wait for their end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::config::Role;
use crate::queue::Queue;
use crate::queue::embedded::EmbeddedQueue;
use crate::queue::redis::{Forwarder, RedisQueue};
use crate::tasks::poison::{self, Poison};
use crate::tasks::{fold_tags, process_events};

/// What a thread still has in hand after the order to stop.
const PATIENCE: Duration = Duration::from_millis(4_500);

pub struct Threads {
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
    stop: Arc<AtomicBool>,
    poison: Option<Arc<Poison>>,
}

impl Threads {
    /// Tells the threads to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        if let Some(poison) = &self.poison {
            poison.stop();
        }
    }

    /// Tells the threads to stop and waits until their last batch is stored. A thread that is stuck in an event ends
    /// with the process.
    pub fn join(self) {
        self.stop();
        let threads = std::mem::take(
            &mut *self
                .running
                .lock()
                .expect("no thread panics with this lock"),
        );
        let deadline = Instant::now() + PATIENCE;
        for thread in threads {
            let is_stuck = || {
                let id = thread.thread().id();
                self.poison
                    .as_ref()
                    .is_some_and(|poison| poison.is_stuck(id))
            };
            while !thread.is_finished() && !is_stuck() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(10));
            }
            if !thread.is_finished() {
                tracing::warn!(
                    thread = thread.thread().name(),
                    "a thread does not end; what it held comes again"
                );
            } else if thread.join().is_err() {
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

/// Starts to forward this node's journal, where there is Redis. Needs no database.
pub fn start_forwarder(app: &Arc<App>) -> Threads {
    let stop = Arc::new(AtomicBool::new(false));
    let threads = Arc::new(Mutex::new(Vec::new()));
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
        spawn(&threads, "forward".into(), move || {
            forwarder.run(&|| stop.load(Ordering::Acquire));
        });
    }
    Threads {
        running: threads,
        stop,
        poison: None,
    }
}

/// Starts the digesting threads, where this node is a worker.
pub fn start(app: &Arc<App>) -> std::io::Result<Threads> {
    let stop = Arc::new(AtomicBool::new(false));
    let threads = Arc::new(Mutex::new(Vec::new()));
    if !app.config.has_role(Role::Worker) || app.config.workers == 0 {
        return Ok(Threads {
            running: threads,
            stop,
            poison: None,
        });
    }
    let poison = Arc::new(Poison::open(&app.config.data_dir.join("attempts"))?);
    let digest = {
        let (app, poison, stop, threads) = (
            Arc::clone(app),
            Arc::clone(&poison),
            Arc::clone(&stop),
            Arc::clone(&threads),
        );
        move |number: usize| {
            let queue = queue(&app, &number.to_string(), number);
            let (app, poison, stop) = (Arc::clone(&app), Arc::clone(&poison), Arc::clone(&stop));
            spawn(&threads, format!("digest-{number}"), move || {
                process_events::run(&app, &poison, queue, &stop);
            });
        }
    };
    for number in 0..app.config.workers {
        digest(number);
    }
    {
        let queue = queue(app, "isolation", 0);
        let (app, poison, stop) = (Arc::clone(app), Arc::clone(&poison), Arc::clone(&stop));
        spawn(&threads, "isolation".into(), move || {
            poison::run_isolation(&app, &poison, queue, &stop);
        });
    }
    {
        let (app, poison, stop) = (Arc::clone(app), Arc::clone(&poison), Arc::clone(&stop));
        let next = AtomicUsize::new(app.config.workers);
        spawn(&threads, "watch".into(), move || {
            let another = || digest(next.fetch_add(1, Ordering::Relaxed));
            poison::run_watch(&app, &poison, &another, &stop);
        });
    }
    {
        let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
        spawn(&threads, "tags".into(), move || fold_tags::run(&app, &stop));
    }
    Ok(Threads {
        running: threads,
        stop,
        poison: Some(poison),
    })
}

fn spawn(threads: &Mutex<Vec<JoinHandle<()>>>, name: String, work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .name(name)
        .spawn(|| {
            give_way();
            work();
        })
        .expect("the system can start a thread");
    threads
        .lock()
        .expect("no thread panics with this lock")
        .push(thread);
}

fn queue(app: &App, name: &str, number: usize) -> Box<dyn Queue> {
    match &app.config.redis_url {
        Some(url) => {
            let consumer = format!("{}-{name}", app.journal.node());
            Box::new(RedisQueue::new(
                url,
                &app.config.redis_prefix,
                consumer,
                number,
            ))
        }
        None => Box::new(EmbeddedQueue::new(app.journal.clone())),
    }
}
