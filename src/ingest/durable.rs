//! Waiting for the disk, many requests at once. In: records for the journal. Out: the word that each is kept.
//!
//! A sync ends for all requests that wait for it. Waking each of them from the journal's thread would cost a system call
//! a request; so one task on each request thread hears of it and wakes its neighbours, which costs nothing.

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::sync::oneshot;

use crate::journal::{Batch, Draft, Journal, JournalError};

type Answer = oneshot::Sender<Result<(), JournalError>>;

/// The requests of one thread that wait, in the order of their batches.
#[derive(Default)]
struct Hub {
    waiting: RefCell<VecDeque<(Batch, Answer)>>,
}

thread_local! {
    static HUB: OnceCell<Rc<Hub>> = const { OnceCell::new() };
}

/// Writes a record and returns when it is on the disk. For tasks of request threads only, whose runtime stays on its thread.
pub async fn append(journal: &Journal, draft: &Draft<'_>) -> Result<(), JournalError> {
    let hub = HUB.with(|hub| Rc::clone(hub.get_or_init(|| start(journal))));
    let (answer, kept) = oneshot::channel();
    let batch = journal.submit(draft)?;
    hub.waiting.borrow_mut().push_back((batch, answer));
    kept.await.map_err(|_| JournalError::Closed)?
}

fn start(journal: &Journal) -> Rc<Hub> {
    let hub = Rc::new(Hub::default());
    let (listener, mut progress) = (Rc::clone(&hub), journal.progress());
    actix_web::rt::spawn(async move {
        while progress.changed().await.is_ok() {
            let now = progress.borrow_and_update().clone();
            let mut waiting = listener.waiting.borrow_mut();
            while let Some(result) = waiting.front().and_then(|(batch, _)| now.of(*batch)) {
                if let Some((_, answer)) = waiting.pop_front() {
                    // A client that went away does not wait any more; its event is kept all the same.
                    let _ = answer.send(result);
                }
            }
        }
        // The journal is gone: whoever still waits hears that it is closed.
        listener.waiting.borrow_mut().clear();
    });
    hub
}
