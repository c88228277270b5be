//! What of this node's records is in Redis. In: records as they are sent, found standing, acknowledged and lost.
//! Out: whether there is room for more, and what of the journal may go or has to be sent again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use super::Lane;
use super::entries::{EntryId, Place};
use crate::journal::Position;

/// Bytes of records of one node that are in Redis at a time.
const BYTES: usize = 64 * 1024 * 1024;
/// Records of one node that are in Redis at a time.
const RECORDS: usize = 50_000;
/// Records of a project that go by the quiet lane.
const QUIET: u32 = 64;
/// A record that was neither acknowledged nor seen for this long is looked for.
const LOST_AFTER: Duration = Duration::from_secs(20);
/// Acknowledgements of unknown records that are remembered.
const EARLY: usize = 2 * RECORDS;

/// A record that is in Redis.
struct Out {
    place: Place,
    bytes: usize,
    /// Its entry has this id, or an earlier one.
    not_after: EntryId,
    seen: Instant,
    /// Where it lies in the journal; unknown while it was found standing and the journal has not delivered it again.
    held: Option<(i64, Position)>,
}

/// What the hash of a partition says about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub place: Place,
    pub bytes: usize,
}

/// What the journal's next record is to the window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It has to be sent.
    New,
    /// It stands in a stream from before.
    Stands,
    /// It was acknowledged before the journal delivered it again.
    Done,
}

#[derive(Default)]
pub(super) struct Window {
    out: HashMap<u64, Out>,
    bytes: usize,
    /// Records in Redis of each project, as far as they are held.
    projects: HashMap<i64, u32>,
    /// Acknowledged while the journal had them still to deliver.
    early: HashSet<u64>,
}

impl Window {
    pub fn has_room(&self) -> bool {
        self.bytes < BYTES && self.out.len() < RECORDS
    }

    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Looks at a record that the journal delivers.
    pub fn meet(&mut self, seq: u64, project_id: i64, position: Position) -> Known {
        if self.early.remove(&seq) {
            return Known::Done;
        }
        match self.out.get_mut(&seq) {
            Some(out) => {
                if out.held.replace((project_id, position)).is_none() {
                    *self.projects.entry(project_id).or_default() += 1;
                }
                Known::Stands
            }
            None => Known::New,
        }
    }

    /// The lane for the next record of a project when `more` of it are about to be sent.
    pub fn lane(&self, project_id: i64, more: u32) -> Lane {
        let out = self.projects.get(&project_id).copied().unwrap_or_default();
        if out + more < QUIET {
            Lane::Quiet
        } else {
            Lane::Busy
        }
    }

    pub fn sent(
        &mut self,
        seq: u64,
        project_id: i64,
        position: Position,
        standing: Standing,
        id: EntryId,
    ) {
        self.bytes += standing.bytes;
        *self.projects.entry(project_id).or_default() += 1;
        self.out.insert(
            seq,
            Out {
                place: standing.place,
                bytes: standing.bytes,
                not_after: id,
                seen: Instant::now(),
                held: Some((project_id, position)),
            },
        );
    }

    fn remove(&mut self, seq: u64) -> Option<Out> {
        let out = self.out.remove(&seq)?;
        self.bytes -= out.bytes;
        if let Some((project_id, _)) = out.held
            && let Some(count) = self.projects.get_mut(&project_id)
        {
            *count -= 1;
            if *count == 0 {
                self.projects.remove(&project_id);
            }
        }
        Some(out)
    }

    /// Takes note of acknowledgements; gives the places in the journal that are done with.
    pub fn acknowledged(&mut self, seqs: &[u64]) -> Vec<Position> {
        let mut done = Vec::with_capacity(seqs.len());
        for seq in seqs {
            match self.remove(*seq).map(|out| out.held) {
                Some(Some((_, position))) => done.push(position),
                // Forgetting it costs no more than sending the record once more.
                Some(None) | None if self.early.len() < EARLY => {
                    self.early.insert(*seq);
                }
                Some(None) | None => {}
            }
        }
        done
    }

    /// Numbers below this one never come again, so nobody waits for them.
    pub fn forget_below(&mut self, safe: u64) {
        self.early.retain(|seq| *seq >= safe);
    }

    /// Brings the window in line with what stands in Redis at the time `now` of Redis. Gives what was lost, for the journal.
    pub fn reconcile(
        &mut self,
        mut standing: HashMap<u64, Standing>,
        now: EntryId,
    ) -> Vec<(i64, Position)> {
        for seq in &self.early {
            standing.remove(seq);
        }
        let gone: Vec<u64> = self
            .out
            .keys()
            .filter(|seq| !standing.contains_key(seq))
            .copied()
            .collect();
        for (seq, Standing { place, bytes }) in standing {
            let known = self.out.get_mut(&seq);
            if let Some(out) = known {
                out.seen = Instant::now();
                continue;
            }
            self.bytes += bytes;
            self.out.insert(
                seq,
                Out {
                    place,
                    bytes,
                    not_after: now,
                    seen: Instant::now(),
                    held: None,
                },
            );
        }
        self.take_back(gone)
    }

    /// Whether something is out for so long that it should be looked for.
    pub fn has_old(&self) -> bool {
        self.out.values().any(|out| out.seen.elapsed() > LOST_AFTER)
    }

    /// Everything that can stand in its stream no more, given each stream's first entry.
    pub fn missing(&self, first: &HashMap<Place, Option<EntryId>>) -> Vec<(u64, Place)> {
        self.out
            .iter()
            .filter(|(_, out)| match first.get(&out.place) {
                Some(Some(first)) => out.not_after < *first,
                Some(None) => true,
                None => false,
            })
            .map(|(seq, out)| (*seq, out.place))
            .collect()
    }

    /// Forgets records that Redis has no more; gives the places of those that the journal has to deliver again.
    pub fn take_back(&mut self, mut seqs: Vec<u64>) -> Vec<(i64, Position)> {
        seqs.sort_unstable();
        seqs.into_iter()
            .filter_map(|seq| self.remove(seq)?.held)
            .collect()
    }
}

/// How long notes of what was stored are kept after the journal let go of the records. An entry can be in two hands: one
/// sent twice when an answer of Redis was lost, one that a worker taken for dead still holds. Whoever comes last must find the note.
const NOTES_KEPT: Duration = Duration::from_secs(300);
const SAMPLE_EVERY: Duration = Duration::from_secs(15);
/// For a node that received more than this since, notes of that many records are kept as well.
const RECORDS_KEPT: u64 = 4 * RECORDS as u64;

/// Remembers for some minutes which numbers the journal would never deliver again.
#[derive(Default)]
pub(super) struct Notes {
    samples: VecDeque<(Instant, u64)>,
    safe: u64,
}

impl Notes {
    /// The number below which notes may go, when the journal is at `current`.
    pub fn safe_below(&mut self, now: Instant, current: u64) -> u64 {
        if self
            .samples
            .back()
            .is_none_or(|(at, _)| now.duration_since(*at) >= SAMPLE_EVERY)
        {
            self.samples.push_back((now, current));
        }
        while let Some((at, value)) = self.samples.front()
            && now.duration_since(*at) >= NOTES_KEPT
        {
            self.safe = *value;
            self.samples.pop_front();
        }
        self.safe.min(current.saturating_sub(RECORDS_KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        partition: 3,
        lane: Lane::Busy,
    };

    fn standing(bytes: usize) -> Standing {
        Standing {
            place: PLACE,
            bytes,
        }
    }

    fn position(offset: u32) -> Position {
        Position::new(1, offset)
    }

    #[test]
    fn what_stands_from_before_is_not_sent_again_and_counts() {
        let mut window = Window::default();
        let found = HashMap::from([(7, standing(BYTES)), (8, standing(10))]);
        assert!(window.reconcile(found, (100, 0)).is_empty());
        assert!(!window.has_room(), "what a run before sent counts as well");
        assert_eq!(window.meet(7, 1, position(7)), Known::Stands);
        assert_eq!(window.meet(9, 1, position(9)), Known::New);
        // Acknowledged before the journal came to it.
        assert!(window.acknowledged(&[8]).is_empty());
        assert_eq!(window.meet(8, 1, position(8)), Known::Done);
        assert_eq!(window.acknowledged(&[7]), [position(7)]);
        assert!(window.is_empty() && window.has_room() && window.bytes == 0);
        assert!(window.projects.is_empty());
    }

    #[test]
    fn what_a_flush_took_goes_back_to_the_journal() {
        let mut window = Window::default();
        for seq in 1..=3 {
            window.sent(seq, 5, position(seq as u32), standing(10), (50, seq));
        }
        let back = window.reconcile(HashMap::from([(2, standing(10))]), (60, 0));
        assert_eq!(back, [(5, position(1)), (5, position(3))]);
        // Its stream was evicted, the hash was not.
        assert_eq!(window.missing(&HashMap::from([(PLACE, Some((50, 1)))])), []);
        let first = HashMap::from([(PLACE, Some((51, 0)))]);
        assert_eq!(window.missing(&first), [(2, PLACE)]);
        assert_eq!(
            window.missing(&HashMap::from([(PLACE, None)])),
            [(2, PLACE)]
        );
        assert_eq!(window.take_back(vec![2]), [(5, position(2))]);
        assert_eq!(window.bytes, 0);
    }

    #[test]
    fn a_project_that_sends_much_leaves_the_quiet_lane() {
        let mut window = Window::default();
        assert_eq!(window.lane(1, 0), Lane::Quiet);
        assert_eq!(window.lane(1, QUIET), Lane::Busy);
        for seq in 0..u64::from(QUIET) {
            window.sent(seq, 1, position(seq as u32), standing(1), (1, seq));
        }
        assert_eq!(window.lane(1, 0), Lane::Busy);
        assert_eq!(window.lane(2, 0), Lane::Quiet);
        window.acknowledged(&[0]);
        assert_eq!(window.lane(1, 0), Lane::Quiet);
    }

    #[test]
    fn notes_outlive_the_records_by_minutes() {
        let mut notes = Notes::default();
        let start = Instant::now();
        let million = 1_000_000;
        assert_eq!(notes.safe_below(start, million), 0);
        assert_eq!(notes.safe_below(start + NOTES_KEPT / 2, 2 * million), 0);
        assert_eq!(notes.safe_below(start + NOTES_KEPT, 3 * million), million);
        assert_eq!(
            notes.safe_below(start + NOTES_KEPT * 2, 3 * million),
            3 * million - RECORDS_KEPT
        );
    }
}
