//! What is being worked on, where a crash cannot take it away. In: the records of a batch, before the attempt. Out: a
//! note in a small file until the attempt is over; and after a crash, the notes it left.
//!
//! A note is written without a sync: it survives the end of the process, and after a power cut nobody is to blame.
//! File: length of the body `u32`, its CRC-32 `u32`, then for each journal its node `i64`, how many numbers `u32`, and
//! the numbers in order, as steps of seven bits a byte.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A journal and a number in it.
pub type RecordId = (i64, u64);

const HEAD: usize = 8;

/// The files of one node. A file is used by one batch at a time, and again by a later one.
pub struct Notes {
    folder: PathBuf,
    free: Mutex<Vec<File>>,
    made: Mutex<usize>,
}

/// The note of one batch. Dropping it without [`Note::end`] leaves it to the next start.
pub struct Note {
    file: File,
}

impl Notes {
    /// Opens the folder and reads what a crash left. The notes stay until [`Notes::forget`].
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<Vec<RecordId>>)> {
        std::fs::create_dir_all(folder)?;
        let mut left = Vec::new();
        for path in files(folder)? {
            let noted = decode(&std::fs::read(path)?).unwrap_or_default();
            if !noted.is_empty() {
                left.push(noted);
            }
        }
        let notes = Self {
            folder: folder.to_owned(),
            free: Mutex::default(),
            made: Mutex::default(),
        };
        Ok((notes, left))
    }

    /// Removes what a crash left; what it says is kept elsewhere by now.
    pub fn forget(&self) -> io::Result<()> {
        for path in files(&self.folder)? {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Notes a batch before the attempt at it.
    pub fn begin(&self, records: impl Iterator<Item = RecordId>) -> io::Result<Note> {
        let free = self
            .free
            .lock()
            .expect("no thread panics with this lock")
            .pop();
        let file = match free {
            Some(file) => file,
            None => self.another()?,
        };
        file.write_all_at(&encode(records), 0)?;
        Ok(Note { file })
    }

    /// The attempt is over, whatever came of it.
    pub fn end(&self, note: Note) {
        if let Err(error) = note.file.write_all_at(&[0; HEAD], 0) {
            tracing::warn!(%error, "a note about a finished batch stays; after a crash it costs a closer look");
        }
        self.free
            .lock()
            .expect("no thread panics with this lock")
            .push(note.file);
    }

    fn another(&self) -> io::Result<File> {
        let mut made = self.made.lock().expect("no thread panics with this lock");
        *made += 1;
        OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(self.folder.join(format!("{made}.note")))
    }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "note") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn encode(records: impl Iterator<Item = RecordId>) -> Vec<u8> {
    let mut by_node = BTreeMap::<i64, Vec<u64>>::new();
    for (node, seq) in records {
        by_node.entry(node).or_default().push(seq);
    }
    let mut bytes = vec![0; HEAD];
    for (node, mut seqs) in by_node {
        seqs.sort_unstable();
        bytes.extend_from_slice(&node.to_le_bytes());
        bytes.extend_from_slice(&(seqs.len() as u32).to_le_bytes());
        let mut before = 0;
        for seq in seqs {
            let mut step = seq - before;
            before = seq;
            while step >= 0x80 {
                bytes.push((step as u8 & 0x7f) | 0x80);
                step >>= 7;
            }
            bytes.push(step as u8);
        }
    }
    let length = (bytes.len() - HEAD) as u32;
    let checksum = crc32fast::hash(&bytes[HEAD..]);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..HEAD].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<RecordId>> {
    let word = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?));
    let length = word(bytes.get(..4)?)? as usize;
    let checksum = word(bytes.get(4..HEAD)?)?;
    let mut rest = bytes.get(HEAD..HEAD + length)?;
    if length == 0 || crc32fast::hash(rest) != checksum {
        return None;
    }
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(12)?;
        let node = i64::from_le_bytes(head[..8].try_into().ok()?);
        rest = tail;
        let mut seq = 0u64;
        for _ in 0..word(&head[8..])? {
            let mut shift = 0;
            loop {
                let (byte, tail) = rest.split_first()?;
                rest = tail;
                seq = seq.checked_add(u64::from(byte & 0x7f).checked_shl(shift)?)?;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            records.push((node, seq));
        }
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_leaves_what_was_worked_on_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let (notes, left) = Notes::open(folder.path()).expect("opens");
        assert!(left.is_empty());
        let batch = [(7, 1), (7, 300), (9, u64::MAX >> 1), (7, 2)];
        let first = notes.begin(batch.into_iter()).expect("noted");
        let second = notes.begin([(7, 5)].into_iter()).expect("noted");
        notes.end(first);
        let third = notes.begin(batch.into_iter()).expect("noted");
        // The process is gone.
        drop((second, third));
        let (again, mut left) = Notes::open(folder.path()).expect("opens again");
        left.sort_by_key(Vec::len);
        assert_eq!(left[0], [(7, 5)]);
        assert_eq!(left[1], [(7, 1), (7, 2), (7, 300), (9, u64::MAX >> 1)]);
        again.forget().expect("removed");
        assert!(Notes::open(folder.path()).expect("opens").1.is_empty());
    }

    #[test]
    fn torn_notes_say_nothing() {
        let bytes = encode([(1, 5), (1, 900)].into_iter());
        assert!(decode(&bytes).is_some());
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None);
        }
        assert_eq!(decode(&[0; 100]), None);
    }
}
