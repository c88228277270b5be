//! The next segment, made ready while the present one fills up. In: the word that one will be needed. Out: a file whose blocks
//! are written, so that a sync of what is appended has nothing but the data to write; that halves its time where the disk
//! is quick.
//!
//! Only a journal that fills its segments gets one: who receives an event now and then must not write megabytes for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use super::appender::{Appender, BLOCK};
use super::writer::SEGMENT_BYTES;

/// A last batch may go beyond a segment's size.
const BYTES: u64 = SEGMENT_BYTES + 1024 * 1024;
const STEP: usize = 1024 * 1024;

/// Makes spare segments on a thread of its own, one at a time.
pub(super) struct Spares {
    folder: PathBuf,
    orders: Option<SyncSender<()>>,
    ready: Option<Receiver<io::Result<Appender>>>,
    ordered: bool,
}

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("spare")
}

impl Spares {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            orders: None,
            ready: None,
            ordered: false,
        }
    }

    /// Has the next segment made, unless that is under way.
    pub fn order(&mut self) {
        if self.ordered {
            return;
        }
        if self.orders.is_none() {
            let (orders, inbox) = sync_channel::<()>(1);
            let (outbox, ready) = sync_channel(1);
            let folder = self.folder.clone();
            let started = std::thread::Builder::new()
                .name("journal-spare".into())
                .spawn(move || {
                    while inbox.recv().is_ok() {
                        if outbox.send(make(&folder)).is_err() {
                            break;
                        }
                    }
                    // Nobody takes it any more.
                    let _ = std::fs::remove_file(path(&folder));
                });
            if started.is_err() {
                return;
            }
            (self.orders, self.ready) = (Some(orders), Some(ready));
        }
        self.ordered = self
            .orders
            .as_ref()
            .is_some_and(|orders| orders.try_send(()).is_ok());
    }

    /// The spare file under its name in the folder, if it is ready.
    pub fn take(&mut self) -> Option<Appender> {
        match self.ready.as_ref()?.try_recv() {
            Ok(made) => {
                self.ordered = false;
                made.map_err(|error| tracing::debug!(%error, "a journal segment is not made ahead"))
                    .ok()
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}

fn make(folder: &Path) -> io::Result<Appender> {
    let mut file = Appender::create(&path(folder))?;
    for step in 0..BYTES / STEP as u64 {
        file.write_zeros_at(STEP / BLOCK, step * STEP as u64)?;
    }
    file.sync_all()?;
    Ok(file)
}
