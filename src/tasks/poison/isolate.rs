//! Work on what is under suspicion, apart from everything else. In: suspects, and records that failed alone. Out: each
//! stored, or tried again after a pause, or set aside with its error.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::burial::{self, Last};
use super::notes::RecordId;
use super::trial::{Court, Verdict};
use super::{Handed, MOST_CRASHES, MOST_FAILURES, Pace, Poison, id};
use crate::app::App;
use crate::queue::{Delivery, Queue, Terms};
use crate::store::digest::{Batch, Item};
use crate::store::now_ms;
use crate::tasks::content::{self, Problem};
use crate::tasks::process_events::{self, Outcome};
use crate::telemetry::self_report;

const IDLE: Duration = Duration::from_millis(200);
/// A dead letter that cannot be written is tried again after this.
const BURY_AGAIN: Duration = Duration::from_secs(30);

/// Bytes of records that wait for another attempt. Beyond it, what fails is set aside at once: a flood of bad events must
/// neither fill the memory nor hold up the good ones.
const MOST_WAITING: usize = 48 * 1024 * 1024;

/// A record that failed and is tried again.
struct Case {
    delivery: Delivery,
    failures: u32,
    first_failure_ms: i64,
    error: String,
    /// Its last failure came after processing.
    was_processed: bool,
    due: Instant,
}

impl Case {
    fn new(delivery: Delivery, failures: u32, error: String, was_processed: bool) -> Self {
        Self {
            delivery,
            failures,
            first_failure_ms: now_ms(),
            error,
            was_processed,
            due: Instant::now(),
        }
    }
}

struct Isolation<'a> {
    app: &'a Arc<App>,
    poison: &'a Poison,
    queue: Box<dyn Queue>,
    stop: &'a AtomicBool,
    court: Court,
    cases: HashMap<RecordId, Case>,
}

/// Works until `stop`.
pub fn run(app: &Arc<App>, poison: &Poison, queue: Box<dyn Queue>, stop: &AtomicBool) {
    let mut isolation = Isolation {
        app,
        poison,
        queue,
        stop,
        court: Court::default(),
        cases: HashMap::new(),
    };
    while !stop.load(Ordering::Acquire) {
        match poison.inbox.1.recv_timeout(isolation.pause()) {
            Ok(Handed::Suspects(suspects)) => isolation.look_at(suspects),
            Ok(Handed::Failed(failed)) => {
                for (delivery, error) in failed {
                    isolation.failed(delivery, error);
                }
            }
            Err(_) if isolation.cases.is_empty() => isolation.court.adjourn(),
            Err(_) => {}
        }
        isolation.take_up_due();
    }
    let held: Vec<Delivery> = isolation
        .cases
        .drain()
        .map(|(_, case)| case.delivery)
        .collect();
    isolation.give_back(&held);
}

impl Isolation<'_> {
    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn pause(&self) -> Duration {
        let now = Instant::now();
        self.cases
            .values()
            .map(|case| case.due.saturating_duration_since(now))
            .min()
            .map_or(IDLE, |due| due.min(IDLE))
    }

    /// Suspects, group by group.
    fn look_at(&mut self, suspects: Vec<Delivery>) {
        let mut groups = BTreeMap::<Option<u32>, Vec<Delivery>>::new();
        let mut twice = Vec::new();
        {
            let known = self.poison.lock();
            for delivery in suspects {
                if self.cases.contains_key(&id(&delivery)) {
                    twice.push(delivery);
                } else {
                    let group = known.group(id(&delivery));
                    groups.entry(group).or_default().push(delivery);
                }
            }
        }
        for delivery in twice {
            // Delivered again while it waits here: the newer delivery is the one to acknowledge.
            if let Some(case) = self.cases.get_mut(&id(&delivery)) {
                case.delivery = delivery;
            }
        }
        for (_, group) in groups {
            if self.stopping() {
                self.give_back(&group);
                continue;
            }
            self.look_at_group(group);
        }
    }

    fn look_at_group(&mut self, group: Vec<Delivery>) {
        let mut harmless = Vec::with_capacity(group.len());
        for delivery in group {
            let crashes = self.poison.lock().crashes(id(&delivery));
            if crashes >= MOST_CRASHES {
                let reason = format!("it ended the process {crashes} times while it was alone");
                self.bury(Case::new(delivery, 0, reason, false));
                continue;
            }
            match self.court.try_record(&delivery.record.body) {
                Verdict::Harmless => harmless.push(delivery),
                Verdict::Guilty(reason) => self.crashed(delivery, reason),
                Verdict::Unknown(problem) => {
                    tracing::warn!(
                        problem,
                        "cannot try a suspect in a process of its own; it is processed here"
                    );
                    harmless.push(delivery);
                }
            }
        }
        if !harmless.is_empty() {
            self.work_on(harmless);
        }
    }

    /// Processes and stores records under a note of their own.
    fn work_on(&mut self, deliveries: Vec<Delivery>) {
        let attempt = self.poison.attempts.begin(deliveries.iter(), true);
        let mut failed = HashMap::<RecordId, (String, bool)>::new();
        let mut items = Vec::with_capacity(deliveries.len());
        let away = AtomicBool::new(false);
        for delivery in &deliveries {
            match content::of(self.app, delivery, &away) {
                Ok(content) => items.push(process_events::item(delivery, content)),
                Err(Problem::Failed(error)) => {
                    failed.insert(id(delivery), (error, false));
                }
                Err(Problem::NotNow(error)) => {
                    tracing::warn!(error, "a record apart cannot be processed now; it waits");
                    away.store(true, Ordering::Release);
                }
            }
        }
        process_events::pack(self.app, &mut items);
        // The watch ends the process rather than take a batch from this thread.
        let stored = attempt.processed()
            && !away.load(Ordering::Acquire)
            && match process_events::store_or_halve(self.app, items, &Terms::default(), self.stop) {
                Outcome::Stored { refused } => {
                    failed.extend(
                        refused
                            .into_iter()
                            .map(|(record, error)| (record, (error, true))),
                    );
                    true
                }
                Outcome::NotNow => false,
            };
        drop(attempt);
        if !stored {
            self.give_back(&deliveries);
            return;
        }
        let (bad, good): (Vec<Delivery>, Vec<Delivery>) = deliveries
            .into_iter()
            .partition(|delivery| failed.contains_key(&id(delivery)));
        self.finish(&good);
        for delivery in bad {
            if let Some((error, was_processed)) = failed.remove(&id(&delivery)) {
                self.count_failure(delivery, error, was_processed);
            }
        }
    }

    fn failed(&mut self, delivery: Delivery, error: String) {
        let record = &delivery.record;
        let settings = self.app.project_settings.of(record.project_id);
        let was_processed = content::rehearse(record, &settings).is_ok();
        self.count_failure(delivery, error, was_processed);
    }

    fn count_failure(&mut self, delivery: Delivery, error: String, was_processed: bool) {
        let known = self.cases.remove(&id(&delivery));
        let mut case = Case::new(delivery, 1, error, was_processed);
        if let Some(known) = known {
            case.failures += known.failures;
            case.first_failure_ms = known.first_failure_ms;
        }
        tracing::warn!(
            error = case.error,
            failures = case.failures,
            project = case.delivery.record.project_id,
            event = %case.delivery.record.event_id,
            "an event fails by itself"
        );
        if case.failures >= MOST_FAILURES || self.is_full() {
            self.bury(case);
        } else {
            let pause = Pace::get().pause_after(case.failures);
            self.put_off(case, pause);
        }
    }

    /// A trial ended badly.
    fn crashed(&mut self, delivery: Delivery, reason: String) {
        let crashes = self
            .poison
            .change_suspects(|suspects| suspects.blame(id(&delivery)));
        self.poison.be_cautious();
        tracing::warn!(
            reason,
            crashes,
            project = delivery.record.project_id,
            event = %delivery.record.event_id,
            "an event breaks what processes it"
        );
        let first_failure_ms = self
            .cases
            .remove(&id(&delivery))
            .map(|case| case.first_failure_ms);
        let mut case = Case::new(delivery, crashes, reason, false);
        case.first_failure_ms = first_failure_ms.unwrap_or(case.first_failure_ms);
        if crashes >= MOST_CRASHES || self.is_full() {
            self.bury(case);
        } else {
            self.put_off(case, Pace::get().pause_after(crashes));
        }
    }

    fn is_full(&self) -> bool {
        let bytes: usize = self
            .cases
            .values()
            .map(|case| case.delivery.record.body.len())
            .sum();
        bytes >= MOST_WAITING
    }

    fn put_off(&mut self, mut case: Case, pause: Duration) {
        case.due = Instant::now() + pause;
        self.cases.insert(id(&case.delivery), case);
    }

    fn take_up_due(&mut self) {
        let now = Instant::now();
        let due: Vec<RecordId> = self
            .cases
            .iter()
            .filter(|(_, case)| case.due <= now)
            .map(|(record, _)| *record)
            .collect();
        for record in due {
            if self.stopping() {
                return;
            }
            let Some(case) = self.cases.get(&record) else {
                continue;
            };
            let crashes = self.poison.lock().crashes(record);
            if case.failures >= MOST_FAILURES || crashes >= MOST_CRASHES {
                if let Some(case) = self.cases.remove(&record) {
                    self.bury(case);
                }
                continue;
            }
            let delivery = case.delivery.clone();
            if crashes > 0
                && let Verdict::Guilty(reason) = self.court.try_record(&delivery.record.body)
            {
                self.crashed(delivery, reason);
            } else {
                self.work_on(vec![delivery]);
            }
        }
    }

    /// Sets a record aside; one whose dead letter cannot be written stays in the journal and is tried again.
    fn bury(&mut self, case: Case) {
        let _muted = self_report::mute_for(&case.delivery.record.body);
        let crashes = self.poison.lock().crashes(id(&case.delivery));
        let content = burial::dead(
            self.app,
            &Last {
                delivery: &case.delivery,
                reason: &case.error,
                attempts: case.failures.max(crashes),
                first_failure_ms: case.first_failure_ms,
                can_be_processed: case.was_processed && crashes == 0,
            },
        );
        let item = process_events::item(&case.delivery, content);
        match self.store_dead(item) {
            Ok(()) => {
                tracing::error!(
                    error = case.error,
                    project = case.delivery.record.project_id,
                    event = %case.delivery.record.event_id,
                    "an event is set aside: see the dead letters"
                );
                self.finish(&[case.delivery]);
            }
            Err(error) => {
                tracing::warn!(%error, "an event cannot be set aside yet; it stays in the journal");
                self.put_off(case, BURY_AGAIN.min(Pace::get().longest_pause));
            }
        }
    }

    fn store_dead(&self, item: Item) -> Result<(), crate::store::StoreError> {
        let batch = Arc::new(Batch {
            items: vec![item],
            safe_below: Vec::new(),
        });
        process_events::write(self.app, &batch).map(|_| ())
    }

    /// Stored or set aside, for good.
    fn finish(&mut self, deliveries: &[Delivery]) {
        if deliveries.is_empty() {
            return;
        }
        if let Err(error) = self.queue.acknowledge(deliveries) {
            tracing::warn!(%error, "the queue did not hear of finished records");
        }
        let records: HashSet<RecordId> = deliveries.iter().map(id).collect();
        self.cases.retain(|record, _| !records.contains(record));
        self.poison.clear(records.into_iter());
    }

    fn give_back(&mut self, deliveries: &[Delivery]) {
        if let Err(error) = self.queue.release(deliveries) {
            tracing::warn!(%error, "the queue did not hear of records that are given back");
        }
    }
}
