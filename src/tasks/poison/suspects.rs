//! Records that were at hand when a process ended unexpectedly. In: notes of crashes. Out: groups to work on apart from
//! all others, each smaller than the one that crashed; how often a record crashed the process while it was alone.
//!
//! Kept in a small text file: a line for each record with its journal, number, group and crashes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::notes::RecordId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspect {
    group: u32,
    crashes: u32,
}

#[derive(Debug)]
pub struct Suspects {
    path: PathBuf,
    records: HashMap<RecordId, Suspect>,
    next_group: u32,
}

impl Suspects {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("suspects");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut records = HashMap::new();
        for line in text.lines() {
            let numbers: Vec<i64> = line
                .split(' ')
                .filter_map(|text| text.parse().ok())
                .collect();
            if let [node, seq, group, crashes] = numbers[..] {
                let suspect = Suspect {
                    group: group as u32,
                    crashes: crashes as u32,
                };
                records.insert((node, seq as u64), suspect);
            }
        }
        let next_group = records.values().map(|one: &Suspect| one.group + 1).max();
        Ok(Self {
            path,
            records,
            next_group: next_group.unwrap_or(0),
        })
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn contains(&self, record: RecordId) -> bool {
        self.records.contains_key(&record)
    }

    /// The group to work on a record in; nobody knows of it: a group of its own.
    pub fn group(&self, record: RecordId) -> Option<u32> {
        self.records.get(&record).map(|suspect| suspect.group)
    }

    /// How often a record crashed a process while it was alone.
    pub fn crashes(&self, record: RecordId) -> u32 {
        self.records.get(&record).map_or(0, |one| one.crashes)
    }

    /// The process ended while it worked on these records. Alone, a record is to blame. A group that crashed as a group
    /// is halved; what was no group becomes one.
    pub fn crashed(&mut self, records: &[RecordId]) {
        if let [record] = records {
            self.blame(*record);
            return;
        }
        let groups: HashSet<Option<u32>> =
            records.iter().map(|record| self.group(*record)).collect();
        let was_a_group = groups.len() == 1 && !groups.contains(&None);
        let half = if was_a_group {
            records.len() / 2
        } else {
            records.len()
        };
        for part in [&records[..half], &records[half..]] {
            self.group_up(part);
        }
    }

    /// Makes a group of records to look at; nobody is to blame yet.
    pub fn group_up(&mut self, records: &[RecordId]) {
        let group = self.new_group();
        for record in records {
            let crashes = self.crashes(*record);
            self.records.insert(*record, Suspect { group, crashes });
        }
    }

    /// Counts a crash of a record that was alone.
    pub fn blame(&mut self, record: RecordId) -> u32 {
        let group = self.new_group();
        let crashes = self.crashes(record) + 1;
        self.records.insert(record, Suspect { group, crashes });
        crashes
    }

    /// These have been stored or set aside.
    pub fn clear(&mut self, records: impl Iterator<Item = RecordId>) -> bool {
        let before = self.records.len();
        for record in records {
            self.records.remove(&record);
        }
        self.records.len() != before
    }

    fn new_group(&mut self) -> u32 {
        self.next_group += 1;
        self.next_group
    }

    /// Writes the file; an empty list has none.
    pub fn save(&self) -> io::Result<()> {
        if self.records.is_empty() {
            return match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let sorted: BTreeMap<_, _> = self.records.iter().collect();
        let mut text = String::new();
        for ((node, seq), Suspect { group, crashes }) in sorted {
            writeln!(text, "{node} {seq} {group} {crashes}").expect("writing to a string");
        }
        let fresh = self.path.with_extension("new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_culprit_is_found_by_halving_and_nobody_else_is_blamed() {
        let folder = tempfile::tempdir().expect("a folder");
        let culprit = (1, 77);
        let mut batch: Vec<RecordId> = (0..400).map(|seq| (1, seq)).collect();
        let mut starts = 0;
        loop {
            let mut suspects = Suspects::open(folder.path()).expect("opens");
            suspects.crashed(&batch);
            suspects.save().expect("kept");
            starts += 1;
            if suspects.crashes(culprit) == 3 {
                break;
            }
            let group = suspects.group(culprit);
            // All other groups work, and are cleared.
            let good: Vec<RecordId> = (0..400)
                .map(|seq| (1, seq))
                .filter(|record| suspects.group(*record) != group)
                .collect();
            suspects.clear(good.into_iter());
            suspects.save().expect("kept");
            batch = (0..400)
                .map(|seq| (1, seq))
                .filter(|record| suspects.contains(*record))
                .collect();
            assert!(batch.contains(&culprit));
            assert!(starts < 20, "the culprit is never found");
        }
        let suspects = Suspects::open(folder.path()).expect("opens");
        let blamed: Vec<u64> = (0..400)
            .filter(|seq| suspects.crashes((1, *seq)) > 0)
            .collect();
        assert_eq!(blamed, [77]);
    }

    #[test]
    fn an_empty_list_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut suspects = Suspects::open(folder.path()).expect("opens");
        suspects.crashed(&[(1, 1), (1, 2)]);
        suspects.save().expect("kept");
        assert!(suspects.clear([(1, 1), (1, 2)].into_iter()));
        suspects.save().expect("removed");
        assert_eq!(
            std::fs::read_dir(folder.path())
                .expect("the folder")
                .count(),
            0
        );
    }
}
