//! Whose turn it is. In: positions of records as they become durable. Out: batches that go round robin over
//! projects, oldest first within one; and which segments are wholly digested.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::sync::Arc;

/// Where a record lies: segment number in the upper, offset in the lower half. Eight bytes each, because a full
/// journal has millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    pub(crate) fn new(segment: u32, offset: u32) -> Self {
        Self(u64::from(segment) << 32 | u64::from(offset))
    }

    pub(super) fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn offset(self) -> u32 {
        self.0 as u32
    }
}

pub(super) struct Segment {
    pub file: Arc<File>,
    pub first_seq: u64,
    /// Records that the journal had accepted before this segment.
    pub before: u64,
    pub bytes: u64,
    pub records: u64,
    pub acked: u64,
    /// Accepted records of this segment that cannot be read any more.
    pub damaged: u64,
    /// The numbers of those whose absence the start noticed, until somebody looks whether they had been stored before.
    pub missing: Vec<u64>,
    /// Nothing will be appended any more, and every record in it is known here.
    pub sealed: bool,
}

impl Segment {
    /// These records of the segment cannot be read.
    pub fn set_missing(&mut self, missing: Vec<u64>) {
        self.damaged = missing.len() as u64;
        self.missing = missing;
    }

    /// A segment whose records are not known yet.
    pub fn new(file: Arc<File>, first_seq: u64, before: u64, bytes: u64) -> Self {
        Self {
            file,
            first_seq,
            before,
            bytes,
            records: 0,
            acked: 0,
            damaged: 0,
            missing: Vec::new(),
            sealed: false,
        }
    }
}

/// How many records of one project are taken before the next project has its turn.
const TURN: usize = 32;

#[derive(Default)]
pub(super) struct Index {
    pub segments: BTreeMap<u32, Segment>,
    waiting: HashMap<i64, VecDeque<Position>>,
    turns: VecDeque<i64>,
    claimed: HashSet<Position>,
    pub waiting_records: u64,
}

impl Index {
    /// A record became readable.
    pub fn push(&mut self, project_id: i64, position: Position) {
        if let Some(segment) = self.segments.get_mut(&position.segment()) {
            segment.records += 1;
        }
        let queue = self.waiting.entry(project_id).or_default();
        if queue.is_empty() {
            self.turns.push_back(project_id);
        }
        queue.push_back(position);
        self.waiting_records += 1;
    }

    /// Takes up to `most` records, in fair turns.
    pub fn claim(&mut self, most: usize) -> Vec<(i64, Position)> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(project_id) = self.turns.pop_front() else {
                break;
            };
            let Some(queue) = self.waiting.get_mut(&project_id) else {
                continue;
            };
            let count = TURN.min(most - taken.len()).min(queue.len());
            taken.extend(queue.drain(..count).map(|position| (project_id, position)));
            if queue.is_empty() {
                self.waiting.remove(&project_id);
            } else {
                self.turns.push_back(project_id);
            }
        }
        self.waiting_records -= taken.len() as u64;
        self.claimed
            .extend(taken.iter().map(|(_, position)| *position));
        taken
    }

    /// Gives records back, to the front of their project's queue.
    pub fn release(&mut self, records: &[(i64, Position)]) {
        for (project_id, position) in records.iter().rev() {
            // Whoever was given up on may still come back and release once more.
            if !self.claimed.remove(position) {
                continue;
            }
            let queue = self.waiting.entry(*project_id).or_default();
            if queue.is_empty() {
                self.turns.push_front(*project_id);
            }
            queue.push_front(*position);
            self.waiting_records += 1;
        }
    }

    /// Gives records back, behind all that wait.
    pub fn postpone(&mut self, records: &[(i64, Position)]) {
        for (project_id, position) in records {
            if !self.claimed.remove(position) {
                continue;
            }
            let queue = self.waiting.entry(*project_id).or_default();
            if queue.is_empty() {
                self.turns.push_back(*project_id);
            }
            queue.push_back(*position);
            self.waiting_records += 1;
        }
    }

    /// Marks records as digested; each once. Returns the numbers of segments that hold nothing of worth any more.
    pub fn ack(&mut self, positions: &[Position]) -> Vec<u32> {
        for position in positions {
            if self.claimed.remove(position)
                && let Some(segment) = self.segments.get_mut(&position.segment())
            {
                segment.acked += 1;
            }
        }
        self.finished()
    }

    /// Marks a claimed record as lost: it cannot be read any more.
    pub fn lost(&mut self, position: Position) -> Vec<u32> {
        if self.claimed.remove(&position)
            && let Some(segment) = self.segments.get_mut(&position.segment())
        {
            segment.records -= 1;
            segment.damaged += 1;
        }
        self.finished()
    }

    /// Of the damaged records, `stored` had been stored before: nothing is lost with them.
    pub fn settle_missing(&mut self, stored: &HashSet<u64>) -> Vec<u32> {
        for segment in self.segments.values_mut() {
            for seq in std::mem::take(&mut segment.missing) {
                if stored.contains(&seq) {
                    segment.damaged -= 1;
                    segment.records += 1;
                    segment.acked += 1;
                }
            }
        }
        self.finished()
    }

    /// Records in the hands of somebody.
    pub fn claimed_records(&self) -> u64 {
        self.claimed.len() as u64
    }

    /// The oldest record that is not digested, with the file that it lies in.
    pub fn oldest(&self) -> Option<(Position, Arc<File>)> {
        let waiting = self.waiting.values().filter_map(VecDeque::front);
        let oldest = waiting.chain(&self.claimed).min()?;
        let segment = self.segments.get(&oldest.segment())?;
        Some((*oldest, Arc::clone(&segment.file)))
    }

    /// All records that the journal ever accepted.
    pub fn accepted(&self) -> u64 {
        self.segments
            .values()
            .next_back()
            .map_or(0, |last| last.before + last.records + last.damaged)
    }

    /// Of the records in existing segments: those that can be read, and those that are damaged.
    pub fn present(&self) -> (u64, u64) {
        self.segments
            .values()
            .fold((0, 0), |(records, damaged), segment| {
                (records + segment.records, damaged + segment.damaged)
            })
    }

    /// The sealed segments whose records are all digested.
    pub fn finished(&self) -> Vec<u32> {
        self.segments
            .iter()
            .filter(|(_, segment)| {
                segment.sealed && segment.acked == segment.records && segment.missing.is_empty()
            })
            .map(|(number, _)| *number)
            .collect()
    }

    pub fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    /// Every sequence number below this one belongs to a record that is digested and gone from the disk.
    pub fn safe_below(&self) -> u64 {
        self.segments
            .values()
            .next()
            .map_or(0, |segment| segment.first_seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_take_turns_and_keep_their_order() {
        let mut index = Index::default();
        for offset in 0..1000 {
            index.push(1, Position::new(0, offset));
        }
        index.push(2, Position::new(0, 5000));
        let batch = index.claim(100);
        assert_eq!(batch.len(), 100);
        assert!(
            batch.contains(&(2, Position::new(0, 5000))),
            "a quiet project does not wait for a noisy one"
        );
        let first: Vec<u32> = batch
            .iter()
            .filter(|(project, _)| *project == 1)
            .map(|(_, at)| at.offset())
            .collect();
        assert!(first.is_sorted());
        index.release(&batch);
        assert_eq!(index.waiting_records, 1001);
        let again = index.claim(2000);
        let first: Vec<u32> = again
            .iter()
            .filter(|(project, _)| *project == 1)
            .map(|(_, at)| at.offset())
            .collect();
        assert_eq!(first, (0..1000).collect::<Vec<_>>());
        assert_eq!((index.waiting_records, index.claimed_records()), (0, 1001));
        let positions: Vec<Position> = again.iter().map(|(_, at)| *at).collect();
        index.ack(&positions);
        index.ack(&positions);
        index.release(&again);
        assert_eq!(
            (index.waiting_records, index.claimed_records()),
            (0, 0),
            "what was acknowledged stays so"
        );
    }
}
