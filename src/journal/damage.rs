//! Damaged records of segments that are gone. In: a segment that is about to be deleted. Out: a count that survives it.
//!
//! A file beside the segments has a line for each: its number, and how many of its records could not be read. Written
//! before the segment is deleted, and read by number, so a crash in between counts nothing twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::segment::sync_folder;

#[derive(Debug, Default)]
pub(super) struct Counted(BTreeMap<u32, u64>);

fn path(folder: &Path) -> PathBuf {
    folder.join("damaged")
}

impl Counted {
    pub fn read(folder: &Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path(folder)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let lines = text.lines().filter_map(|line| {
            let (number, damaged) = line.split_once(' ')?;
            Some((number.parse().ok()?, damaged.parse().ok()?))
        });
        Ok(Self(lines.collect()))
    }

    /// Keeps the count of a segment that is about to go.
    pub fn note(&mut self, folder: &Path, number: u32, damaged: u64) -> io::Result<()> {
        if self.0.insert(number, damaged) == Some(damaged) {
            return Ok(());
        }
        let fresh = folder.join("damaged.new");
        let mut file = File::create(&fresh)?;
        for (number, damaged) in &self.0 {
            writeln!(file, "{number} {damaged}")?;
        }
        file.sync_all()?;
        std::fs::rename(&fresh, path(folder))?;
        sync_folder(folder)
    }

    /// The sum over segments that exist no more.
    pub fn total(&self, exists: impl Fn(u32) -> bool) -> u64 {
        self.0
            .iter()
            .filter(|(number, _)| !exists(**number))
            .map(|(_, damaged)| damaged)
            .sum()
    }
}
