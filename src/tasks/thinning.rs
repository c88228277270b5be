//! Makes what is kept fit into its limits. In: the limits and the store. Out: fewer payloads, first where the most are; counts stay.
//!
//! Three limits, one after the other: events of an issue, events and bytes of a project, bytes of everything. `model::thinning` says
//! what goes. It goes in small transactions with pauses as long as themselves, so that the digest has the database for
//! more than half of the time; pages read meanwhile as ever. A run that is interrupted has done a part of the same work.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::RetentionLimits;
use crate::model::thinning::{
    ENDS, Kept, Measure, Place, Selection, Sizes, Slots, issue_quota, target,
};
use crate::store::thinning::{IssueKeeps, ProjectKeeps};
use crate::store::{Conn, Store, StoreError, leases, retention, thinning};

/// Between two steps others may write.
pub const PAUSE: Duration = Duration::from_millis(20);
const LEASE: &str = "retention";
/// Longer than the thinning of an issue usually takes. Two runs at once would do no harm but keep less than they may.
const LEASE_MS: i64 = 10 * 60 * 1000;
const PROLONG_EVERY: Duration = Duration::from_secs(60);
/// Row numbers in one read, to count them and to choose among them.
const COUNTED: i64 = 10_000;
const CHOSEN: i64 = 1_000;
/// Events of one issue differ in size, so a limit in bytes may take a second look.
const ROUNDS: usize = 4;

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    pub deleted: Kept,
    /// Limits that cannot be kept, a sentence each: all issues keep only their first and latest event.
    pub unmet: Vec<String>,
    /// Time was up; the next run goes on.
    pub unfinished: bool,
}

/// Runs until everything fits or time is up; nothing where another process is at it.
pub async fn run(
    store: &Store,
    limits: RetentionLimits,
    until: Option<Instant>,
) -> Result<Option<Outcome>, StoreError> {
    if !limits.are_of_events() && !store.read(thinning::any_limits).await? {
        return Ok(Some(Outcome::default()));
    }
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    let mut run = Run {
        store,
        until,
        holder: hex::encode(bytes),
        prolonged: None,
        outcome: Outcome::default(),
    };
    if !run.prolong().await? {
        return Ok(None);
    }
    let result = run.fit_all(limits).await;
    let holder = run.holder.clone();
    store
        .write(move |conn| leases::give_back(conn, LEASE, &holder))
        .await?;
    result.map(|()| Some(run.outcome))
}

struct Run<'a> {
    store: &'a Store,
    until: Option<Instant>,
    holder: String,
    prolonged: Option<Instant>,
    outcome: Outcome,
}

impl Run<'_> {
    async fn fit_all(&mut self, limits: RetentionLimits) -> Result<(), StoreError> {
        if limits.issue_events > 0 {
            let quota = |kept: Kept| {
                if kept.events > limits.issue_events {
                    issue_quota(limits.issue_events)
                } else {
                    kept.events
                }
            };
            self.thin(None, limits.issue_events, &quota).await?;
        }
        for project in self.store.read(thinning::projects).await? {
            let ProjectKeeps {
                project_id,
                events_limit,
                bytes_limit,
                ..
            } = project;
            let events = events_limit.unwrap_or(limits.project_events);
            self.fit(Some(project_id), Measure::Events, events).await?;
            let bytes = bytes_limit.unwrap_or(0);
            self.fit(Some(project_id), Measure::Bytes, bytes).await?;
        }
        self.fit(None, Measure::Bytes, limits.bytes).await
    }

    /// Makes a project, or everything, fit into one limit.
    async fn fit(
        &mut self,
        project: Option<i64>,
        measure: Measure,
        limit: i64,
    ) -> Result<(), StoreError> {
        if limit <= 0 {
            return Ok(());
        }
        for _ in 0..ROUNDS {
            let kept = self.kept(project).await?;
            if measure.of(kept) <= limit || self.time_is_up() {
                return Ok(());
            }
            let mut sizes = Sizes::new(measure);
            let mut after = 0;
            while let Some(page) = self
                .store
                .read(move |conn| thinning::issues(conn, project, 0, after))
                .await?
            {
                for issue in page {
                    sizes.add(issue.kept);
                    after = issue.id;
                }
            }
            let allowance = sizes.allowance(target(limit));
            let before = self.outcome.deleted.events;
            self.thin(project, ENDS, &|kept| allowance.quota(kept))
                .await?;
            if self.outcome.deleted.events == before && !self.outcome.unfinished {
                self.outcome
                    .unmet
                    .push(unmet(project, measure, limit, kept));
                return Ok(());
            }
        }
        Ok(())
    }

    async fn kept(&self, project: Option<i64>) -> Result<Kept, StoreError> {
        let projects = self.store.read(thinning::projects).await?;
        let chosen = projects
            .iter()
            .filter(|one| project.is_none_or(|id| id == one.project_id));
        Ok(chosen.fold(Kept::default(), |sum, one| Kept {
            events: sum.events + one.kept.events,
            bytes: sum.bytes + one.kept.bytes,
        }))
    }

    /// Thins every issue that keeps more than its quota.
    async fn thin(
        &mut self,
        project: Option<i64>,
        least: i64,
        quota: &(dyn Fn(Kept) -> i64 + Sync),
    ) -> Result<(), StoreError> {
        let mut after = 0;
        while let Some(page) = self
            .store
            .read(move |conn| thinning::issues(conn, project, least, after))
            .await?
        {
            for issue in page {
                after = issue.id;
                let quota = quota(issue.kept);
                if quota < issue.kept.events {
                    if self.time_is_up() || !self.prolong().await? {
                        self.outcome.unfinished = true;
                        return Ok(());
                    }
                    self.thin_issue(issue, quota).await?;
                }
            }
        }
        Ok(())
    }

    async fn thin_issue(&mut self, issue: IssueKeeps, quota: i64) -> Result<(), StoreError> {
        let id = issue.id;
        let Some((first, latest)) = self
            .store
            .read(move |conn| thinning::ends(conn, id))
            .await?
        else {
            return Ok(());
        };
        let quota = (quota - ENDS).max(0);
        let mut slots = Slots::new(first, latest, quota);
        let mut after = first;
        while let Some(ids) = self.next(id, after, latest, COUNTED).await? {
            for id in ids {
                slots.add(id);
                after = id;
            }
        }
        if slots.total() <= quota {
            return Ok(());
        }
        let mut selection = Selection::new(slots, quota);
        let ends = self
            .store
            .read(move |conn| thinning::traits(conn, &[first, latest]))
            .await?;
        ends.into_iter()
            .flatten()
            .for_each(|known| selection.note(known));

        let mut going = Vec::new();
        let mut open: Option<(u64, Vec<i64>)> = None;
        let mut after = first;
        loop {
            let page = self.next(id, after, latest, CHOSEN).await?;
            let mut groups = Vec::new();
            for id in page.iter().flatten() {
                after = *id;
                match selection.place(*id) {
                    Place::Stays => {}
                    Place::Goes => going.push(*id),
                    Place::Candidate(number) => match &mut open {
                        Some((group, members)) if *group == number => members.push(*id),
                        _ => groups.extend(open.replace((number, vec![*id]))),
                    },
                }
            }
            if page.is_none() {
                groups.extend(open.take());
            }
            let groups = groups.into_iter().map(|(_, members)| members).collect();
            going.extend(self.losers(&mut selection, groups).await?);
            let whole = retention::EVENTS_PER_STEP as usize;
            while going.len() >= whole || (page.is_none() && !going.is_empty()) {
                let rest = going.split_off(going.len().min(whole));
                self.delete(std::mem::replace(&mut going, rest)).await?;
            }
            if page.is_none() {
                return Ok(());
            }
            if self.time_is_up() {
                self.outcome.unfinished = true;
                return Ok(());
            }
        }
    }

    /// The next row numbers of an issue.
    async fn next(
        &self,
        issue: i64,
        after: i64,
        before: i64,
        size: i64,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let ids = self
            .store
            .read(move |conn| thinning::between(conn, issue, after, before, size))
            .await?;
        Ok((!ids.is_empty()).then_some(ids))
    }

    /// Chooses one event of each group; the others are returned.
    async fn losers(
        &self,
        selection: &mut Selection,
        groups: Vec<Vec<i64>>,
    ) -> Result<Vec<i64>, StoreError> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let candidates: Vec<i64> = groups.iter().flatten().copied().collect();
        let traits = self
            .store
            .read(move |conn| thinning::traits(conn, &candidates))
            .await?;
        let mut traits = traits.into_iter();
        let mut losers = Vec::new();
        for members in groups {
            let known: Vec<_> = traits.by_ref().take(members.len()).collect();
            let chosen = selection.choose(&known);
            losers.extend(
                members
                    .into_iter()
                    .enumerate()
                    .filter(|(at, _)| *at != chosen)
                    .map(|(_, id)| id),
            );
        }
        Ok(losers)
    }

    async fn delete(&mut self, ids: Vec<i64>) -> Result<(), StoreError> {
        let deleted = step(self.store, move |conn| retention::delete_rows(conn, &ids)).await?;
        self.outcome.deleted.events += deleted.events;
        self.outcome.deleted.bytes += deleted.bytes;
        Ok(())
    }

    fn time_is_up(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Whether this run holds the lease, which it asks for again once a minute.
    async fn prolong(&mut self) -> Result<bool, StoreError> {
        if self
            .prolonged
            .is_some_and(|at| at.elapsed() < PROLONG_EVERY)
        {
            return Ok(true);
        }
        let holder = self.holder.clone();
        let held = self
            .store
            .write(move |conn| leases::acquire(conn, LEASE, &holder, LEASE_MS))
            .await?;
        self.prolonged = held.then(Instant::now);
        Ok(held)
    }
}

/// One transaction, and a pause at least as long as it took.
pub async fn step<T: Send + 'static>(
    store: &Store,
    work: impl Fn(&mut Conn) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let began = Instant::now();
    let done = store.write(work).await?;
    sleep(began.elapsed().max(PAUSE)).await;
    Ok(done)
}

fn unmet(project: Option<i64>, measure: Measure, limit: i64, kept: Kept) -> String {
    let what = match project {
        Some(id) => format!("project {id}"),
        None => "all projects together".to_owned(),
    };
    let unit = match measure {
        Measure::Events => "events",
        Measure::Bytes => "bytes",
    };
    format!(
        "{what}: {} {unit} are kept although the limit is {limit}: every issue is down to its first and latest event; \
         fewer days of retention or a larger limit help",
        measure.of(kept)
    )
}
