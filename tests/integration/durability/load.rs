//! In: a running server. Out: clients that send without pause, and a book, kept outside the server, of what it acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::http::{agent, send};
use crate::harness::sdk::{envelope, error, message, new_id, with};
use crate::harness::{App, Response, Sdk};

const ISSUES: usize = 8;

/// Each of up to 200 kills leaves records to send and to look at again.
const PATIENCE: Duration = Duration::from_secs(400);

#[derive(Default)]
struct Entries {
    /// Acknowledged: these must be there.
    acknowledged: BTreeSet<String>,
    /// Sent without an answer: these may be there, and an SDK would not send them again.
    uncertain: BTreeSet<String>,
}

/// What the senders know, whatever becomes of the server.
#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Entries>>);

impl Book {
    fn note(&self, id: &str, acknowledged: bool) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if acknowledged {
            entries.uncertain.remove(id);
            entries.acknowledged.insert(id.to_owned());
        } else {
            entries.uncertain.insert(id.to_owned());
        }
    }

    pub fn acknowledged(&self) -> usize {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .acknowledged
            .len()
    }

    fn any_acknowledged(&self) -> Option<String> {
        let mut byte = [0];
        getrandom::fill(&mut byte).expect("the system has randomness");
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = usize::from(byte[0]) % entries.acknowledged.len().max(1);
        entries.acknowledged.iter().nth(place).cloned()
    }

    /// Sends one event and keeps the answer in the book.
    pub fn send(&self, sdk: &Sdk, text: &str) -> Response {
        let event = message(text);
        let id = event["event_id"].as_str().expect("an id").to_owned();
        self.note(&id, false);
        let answer = sdk.envelope(&envelope(&event));
        if answer.status == 200 {
            self.note(&id, true);
        }
        answer
    }

    /// Compares with what is stored and shown once the server is idle.
    pub fn check(&self, app: &App) {
        app.wait_idle_within(PATIENCE);
        self.compare(app);
    }

    /// Says how long it took since `start` until everything acknowledged was stored, and compares.
    pub fn check_recovery(&self, app: &App, what: &str, start: Instant) {
        app.wait_idle_within(PATIENCE);
        let acknowledged = self.acknowledged();
        tell(&format!(
            "recovery, {what}: {:.1} s for {acknowledged} acknowledged events",
            start.elapsed().as_secs_f64()
        ));
        self.compare(app);
    }

    /// Compares with what is stored and shown.
    pub fn compare(&self, app: &App) {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stored = BTreeMap::new();
        for id in app.database.event_ids() {
            *stored.entry(id).or_insert(0) += 1;
        }
        let acknowledged = &entries.acknowledged;
        let lost: Vec<_> = acknowledged
            .iter()
            .filter(|id| !stored.contains_key(*id))
            .collect();
        let (total, missing) = (acknowledged.len(), lost.len());
        assert!(
            lost.is_empty(),
            "{missing} of {total} acknowledged events are lost: {lost:?}"
        );
        let twice: Vec<_> = stored.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "stored more than once: {twice:?}");
        let known = |id: &&String| acknowledged.contains(*id) || entries.uncertain.contains(*id);
        let strange: Vec<_> = stored.keys().filter(|id| !known(id)).collect();
        assert!(strange.is_empty(), "never sent: {strange:?}");
        counters_agree(app);
        let issues = app.api().all("/projects/acme/shop/issues/?query=");
        let counts = issues
            .iter()
            .map(|issue| issue["count"].as_str()?.parse::<usize>().ok());
        assert_eq!(
            counts.sum::<Option<usize>>(),
            Some(stored.len()),
            "{issues:#?}"
        );
    }
}

/// Every way of counting an issue's events gives the number of its rows.
fn counters_agree(app: &App) {
    let rows = "(SELECT COUNT(*) FROM events WHERE events.issue_id = issues.id)";
    let sum = |table: &str| {
        format!(
            "(SELECT COALESCE(SUM({table}.events), 0) FROM {table} WHERE {table}.issue_id = issues.id)"
        )
    };
    for counter in [
        "issues.times_seen".to_owned(),
        sum("issue_hours"),
        sum("issue_days"),
    ] {
        let query = format!("SELECT COUNT(*) AS number FROM issues WHERE {counter} <> {rows}");
        assert_eq!(
            app.database.number(&query),
            0,
            "issues of which {counter} is not {rows}"
        );
    }
}

/// Says something that is worth reading also when a test succeeds.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Where senders find a server; with several it is a load balancer's list.
#[derive(Clone, Default)]
pub struct Targets(Arc<Mutex<Vec<String>>>);

impl Targets {
    pub fn of(bases: impl IntoIterator<Item = String>) -> Self {
        Self(Arc::new(Mutex::new(bases.into_iter().collect())))
    }

    fn at(&self, number: usize) -> Option<String> {
        let bases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bases.get(number % bases.len().max(1)).cloned()
    }

    pub fn replace(&self, old: &str, new: &str) {
        let mut bases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bases.retain(|base| base != old);
        if !new.is_empty() {
            bases.push(new.to_owned());
        }
    }
}

/// Senders that go on until they are dropped; refused connections do not trouble them.
pub struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn start(app: &App, book: &Book, senders: usize) -> Self {
        let targets = Targets::of([app.base().to_owned()]);
        Self::begin(&targets, &app.sdk(), book, senders, false)
    }

    /// Sends to all targets in turn, and to another one where one does not answer.
    pub fn through(targets: &Targets, sdk: &Sdk, book: &Book, senders: usize) -> Self {
        Self::begin(targets, sdk, book, senders, true)
    }

    fn begin(targets: &Targets, sdk: &Sdk, book: &Book, senders: usize, go_on: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..senders)
            .map(|number| {
                let sender = Sender {
                    number,
                    go_on,
                    stop: Arc::clone(&stop),
                    book: book.clone(),
                    targets: targets.clone(),
                    path: sdk.path("envelope/"),
                    auth: sdk.auth(),
                };
                thread::spawn(move || sender.run())
            })
            .collect();
        Self { stop, senders }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders.drain(..) {
            // A sender's failed assertion is this test's.
            assert!(
                sender.join().is_ok() || thread::panicking(),
                "a sender got a wrong answer"
            );
        }
    }
}

struct Sender {
    number: usize,
    /// Somebody else may answer where one does not.
    go_on: bool,
    stop: Arc<AtomicBool>,
    book: Book,
    targets: Targets,
    path: String,
    auth: String,
}

impl Sender {
    fn run(self) {
        let agent = agent();
        for number in self.number.. {
            let Some(base) = self.targets.at(number) else {
                return;
            };
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let (again, id, event) = self.next(number);
            if again.is_none() {
                self.book.note(&id, false);
            }
            let url = format!("{base}{}", self.path);
            let headers = [("x-sentry-auth", self.auth.as_str())];
            match send(&agent, "POST", &url, &headers, Some(&event)) {
                Ok(answer) if answer.status == 200 => self.book.note(&id, true),
                // Shutting down or unable to keep it: said so, so it is not the server's any more.
                Ok(answer) => assert_eq!(answer.status, 503, "{answer}"),
                Err(_) if self.go_on => {}
                Err(_) => return,
            }
        }
    }

    /// The next envelope. Now and then an SDK sends again what was acknowledged already: that must not count twice.
    fn next(&self, number: usize) -> (Option<String>, String, Vec<u8>) {
        let again = if number % 10 == 9 {
            self.book.any_acknowledged()
        } else {
            None
        };
        let id = again.clone().unwrap_or_else(new_id);
        let function = format!(
            "function_{}",
            usize::from_str_radix(&id[..2], 16).expect("hex") % ISSUES
        );
        let event = with(
            error("KeyError", "'price'", &function),
            &json!({"event_id": id}),
        );
        (again, id, envelope(&event))
    }
}
