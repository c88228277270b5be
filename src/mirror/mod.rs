//! A trial beside the old tracker: copies of a share of a project's envelopes go to a second DSN. In: an envelope that
//! ingest has answered with 200. Out: the same envelope at the other tracker, or a count that it is not. Ingest never
//! waits for any of it: without a mirror it costs one look at a flag, with one a copy of the bytes, and what does not
//! fit the queue is dropped.

mod envelope;
mod queue;
mod sender;
mod target;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::outgoing::Client;
use crate::protocol::dsn::Dsn;
use crate::protocol::event_id::EventId;
use crate::store::mirrors::{MirrorRow, Progress};
use crate::telemetry::METRICS;
use queue::{Job, Queue};
pub use sender::{MIRRORED_HEADER, try_out};
use target::{Tally, Target};

/// Threads that send. Two, so that one slow tracker does not hold up all others.
const SENDERS: usize = 2;

/// What is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// A whole envelope as it came, unpacked.
    Envelope(&'a [u8]),
    /// The event of an old endpoint, which becomes an envelope on its way.
    Event(&'a [u8]),
}

/// A copy of a copy of a copy: refuses the very project that is mirrored, by this server's address or by a key of its own.
pub fn refuse_itself(
    dsn: &Dsn,
    base_url: &str,
    project_id: i64,
    own_keys: &[String],
) -> Result<(), String> {
    let is_this_server = dsn
        .base_url
        .trim_end_matches('/')
        .eq_ignore_ascii_case(base_url);
    let is_this_project = is_this_server && dsn.project_id == project_id;
    if is_this_project || own_keys.contains(&dsn.public_key) {
        return Err("that is the DSN of this very project: its copies would never end".to_owned());
    }
    Ok(())
}

/// The mirrors of this node.
pub struct Mirror {
    /// Whether any project has one.
    any: AtomicBool,
    targets: RwLock<HashMap<i64, Arc<Target>>>,
    /// By project, kept when its settings change, so that nothing that was counted is lost.
    tallies: Mutex<HashMap<i64, Arc<Tally>>>,
    queue: Arc<Queue>,
    client: Client,
    started: Once,
    snapshot: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    mirrors: Vec<MirrorRow>,
}

impl Mirror {
    /// Starts with the settings of the last run, so that a start without a database changes nothing.
    pub fn open(data_dir: &Path, client: Client) -> Self {
        let mirror = Self {
            any: AtomicBool::new(false),
            targets: RwLock::default(),
            tallies: Mutex::default(),
            queue: Arc::new(Queue::default()),
            client,
            started: Once::new(),
            snapshot: data_dir.join("mirrors.json"),
        };
        if let Ok(bytes) = std::fs::read(&mirror.snapshot) {
            match serde_json::from_slice::<Snapshot>(&bytes) {
                Ok(found) => mirror.take_over(&found.mirrors),
                Err(error) => {
                    tracing::warn!(%error, "the snapshot of mirrors is damaged; nothing is copied until the database answers");
                }
            }
        }
        mirror
    }

    /// Whether there is anything to copy at all: the only question that ingest asks on its hot path.
    pub fn is_on(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Takes over what the database says and keeps it on disk.
    pub fn replace(&self, mirrors: Vec<MirrorRow>) {
        self.take_over(&mirrors);
        if mirrors.is_empty() && !self.snapshot.exists() {
            return;
        }
        if let Err(error) = self.write_snapshot(&Snapshot { mirrors }) {
            tracing::warn!(%error, "the snapshot of mirrors cannot be written; a start without a database would not know them");
        }
    }

    fn take_over(&self, mirrors: &[MirrorRow]) {
        let mut targets = self.targets.write().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = HashMap::new();
        for row in mirrors {
            let Ok(dsn) = row.dsn.parse::<Dsn>() else {
                tracing::warn!(
                    project = row.project_id,
                    "the DSN of a mirror cannot be read"
                );
                continue;
            };
            let percent = row.percent.clamp(0, 100) as u8;
            // A target that did not change keeps the pause it asked for.
            let target = match targets.get(&row.project_id) {
                Some(old) if old.dsn == dsn && old.percent == percent => Arc::clone(old),
                _ => Arc::new(Target::new(dsn, percent, self.tally(row.project_id))),
            };
            fresh.insert(row.project_id, target);
        }
        self.any.store(!fresh.is_empty(), Ordering::Relaxed);
        if !fresh.is_empty() {
            self.started.call_once(|| {
                for number in 0..SENDERS {
                    sender::start(number, Arc::clone(&self.queue), self.client.clone());
                }
            });
        }
        *targets = fresh;
    }

    fn tally(&self, project_id: i64) -> Arc<Tally> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tallies.entry(project_id).or_default())
    }

    /// Copies an envelope if its project has a mirror and the event belongs to the share. Never waits.
    pub fn offer(&self, project_id: i64, event_id: Option<EventId>, body: Body<'_>) {
        if !self.is_on() {
            return;
        }
        let target = {
            let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
            match targets.get(&project_id) {
                Some(target) => Arc::clone(target),
                None => return,
            }
        };
        let (Body::Envelope(bytes) | Body::Event(bytes)) = body;
        if !envelope::is_chosen(event_id, bytes, target.percent) {
            return;
        }
        if target.is_paused() || !self.queue.has_room(bytes.len()) {
            target.tally.dropped();
            METRICS.mirror.dropped.inc();
            return;
        }
        let job = Job {
            target,
            event_id,
            is_envelope: matches!(body, Body::Envelope(_)),
            bytes: bytes.to_vec(),
        };
        if let Err(job) = self.queue.push(job) {
            job.target.tally.dropped();
            METRICS.mirror.dropped.inc();
        }
    }

    /// What happened since the last call, by project.
    pub fn take_progress(&self) -> Vec<Progress> {
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut progress: Vec<Progress> = tallies
            .iter()
            .filter_map(|(project_id, tally)| tally.take(*project_id))
            .collect();
        progress.sort_by_key(|one| one.project_id);
        progress
    }

    /// Counts again what could not be written down.
    pub fn put_back(&self, progress: Vec<Progress>) {
        for one in progress {
            self.tally(one.project_id).put_back(one);
        }
    }

    fn write_snapshot(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        let fresh = self.snapshot.with_extension("json.new");
        let file = std::fs::File::create(&fresh)?;
        serde_json::to_writer(&file, snapshot)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::Reach;

    fn row(project_id: i64, percent: i32) -> MirrorRow {
        MirrorRow {
            project_id,
            dsn: "http://key@127.0.0.1:9/1".to_owned(),
            percent,
        }
    }

    #[test]
    fn a_snapshot_serves_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let client = || Client::new(Reach::PublicAnd(Vec::new()));
        let mirror = Mirror::open(folder.path(), client());
        assert!(!mirror.is_on());
        mirror.replace(Vec::new());
        assert!(!folder.path().join("mirrors.json").exists());
        mirror.replace(vec![row(7, 100)]);
        assert!(mirror.is_on());
        assert!(Mirror::open(folder.path(), client()).is_on());
        mirror.replace(Vec::new());
        assert!(!mirror.is_on() && !Mirror::open(folder.path(), client()).is_on());
    }

    #[test]
    fn a_project_is_no_mirror_of_itself() {
        let check = |text: &str| {
            let dsn: Dsn = text.parse().expect("a DSN");
            refuse_itself(&dsn, "https://bugle.example.com", 7, &["own".to_owned()])
        };
        assert!(check("https://other@bugle.example.com/7").is_err());
        assert!(check("https://other@BUGLE.example.com/7").is_err());
        assert!(check("http://own@10.0.0.1:8000/9").is_err());
        assert!(check("https://other@bugle.example.com/8").is_ok());
        assert!(check("https://other@tracker.example.com/7").is_ok());
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let mirror = Mirror::open(folder.path(), Client::new(Reach::PublicAnd(Vec::new())));
        // Without senders nothing leaves.
        mirror.started.call_once(|| {});
        mirror.replace(vec![row(7, 100)]);
        let envelope = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            mirror.offer(7, None, Body::Envelope(&envelope));
        }
        mirror.offer(8, None, Body::Envelope(&envelope));
        let progress = mirror.take_progress();
        assert_eq!((progress.len(), progress[0].dropped), (1, 4));
        assert!(mirror.take_progress().is_empty());
        mirror.put_back(progress);
        assert_eq!(mirror.take_progress()[0].dropped, 4);
    }
}
