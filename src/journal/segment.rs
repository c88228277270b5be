//! Files of the journal. In: a folder. Out: its segments in order, each with the frames that are whole.
//!
//! A segment is named by its number and begins with: magic `BGLS`, version `u32`, node `i64`, first sequence number
//! `u64`, and since version 2 how many records the journal had accepted before it, `u64`. Frames follow, with zeros between
//! them where a write did not fill its last block.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::appender::{Appender, BLOCK};
use super::record::{self, FRAME_HEAD};
use super::spare;

const MAGIC: &[u8; 4] = b"BGLS";
const VERSION: u32 = 2;
/// Length of the head that [`create`] writes.
const HEADER: usize = 32;
/// Heads of version 1 count nothing.
const HEADER_V1: usize = 24;

/// What the head of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub node: i64,
    pub first_seq: u64,
    /// Records accepted before this segment; none in one of version 1.
    pub before: Option<u64>,
}

impl Header {
    /// Where the first frame begins.
    fn length(self) -> u64 {
        let length = if self.before.is_some() {
            HEADER
        } else {
            HEADER_V1
        };
        length as u64
    }
}

/// One whole frame of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub offset: u32,
    pub seq: u64,
    pub project_id: i64,
}

/// What a walk over a segment found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub found: Vec<Found>,
    /// Where the last whole frame ends.
    pub good_end: u64,
}

impl Scan {
    /// Numbers within a segment follow each other, so what is missing below `end` was damaged.
    pub fn missing(&self, first_seq: u64, end: u64) -> Vec<u64> {
        let found: HashSet<u64> = self.found.iter().map(|found| found.seq).collect();
        (first_seq..end)
            .filter(|seq| !found.contains(seq))
            .collect()
    }

    /// The number after the highest that was found.
    pub fn end(&self, first_seq: u64) -> u64 {
        let next = self.found.iter().map(|found| found.seq + 1).max();
        next.unwrap_or(first_seq).max(first_seq)
    }
}

pub(super) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:010}.log"))
}

/// The numbers of the segments in a folder, oldest first.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(number) = name
            .to_str()
            .and_then(|name| name.strip_suffix(".log"))
            .and_then(|name| name.parse().ok())
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Where the first frame of a new segment begins.
pub(super) const START: u64 = BLOCK as u64;

/// Creates a segment, of a spare file where there is one, and makes its name durable. Gives it for writing and for reading.
pub(super) fn create(
    folder: &Path,
    number: u32,
    header: Header,
    spare: Option<Appender>,
) -> io::Result<(Appender, File)> {
    let path = path(folder, number);
    let (mut file, from_spare) = match spare {
        Some(file) => (file, true),
        None => (Appender::create(&path)?, false),
    };
    let mut head = Vec::with_capacity(HEADER);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&header.node.to_le_bytes());
    head.extend_from_slice(&header.first_seq.to_le_bytes());
    head.extend_from_slice(&header.before.unwrap_or(0).to_le_bytes());
    file.write_at(&head, 0)?;
    file.sync_data()?;
    if from_spare {
        // Under its name only once its head is whole.
        std::fs::rename(spare::path(folder), &path)?;
    }
    sync_folder(folder)?;
    let reader = File::open(path)?;
    Ok((file, reader))
}

/// Deletes a segment for good: a record that is digested must not come back after a power cut.
pub(super) fn delete(folder: &Path, number: u32) -> io::Result<()> {
    std::fs::remove_file(path(folder, number))?;
    sync_folder(folder)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Reads the head of a segment; none if it is torn or foreign.
pub(super) fn read_header(file: &mut File) -> io::Result<Option<Header>> {
    let mut head = [0u8; HEADER];
    if !read_all(file, &mut head[..HEADER_V1])? || &head[..4] != MAGIC {
        return Ok(None);
    }
    let version = u32::from_le_bytes(head[4..8].try_into().expect("four bytes"));
    if version == 0 || version > VERSION {
        return Ok(None);
    }
    if version > 1 && !read_all(file, &mut head[HEADER_V1..])? {
        return Ok(None);
    }
    let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
    Ok(Some(Header {
        node: number(8) as i64,
        first_seq: number(16),
        before: (version > 1).then(|| number(24)),
    }))
}

/// Whether there is anything behind the head.
pub(super) fn holds_frames(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let head = read_header(&mut file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(head.is_none() || bytes.iter().any(|byte| *byte != 0))
}

/// Fills the buffer; false at the end of the file.
fn read_all(file: &mut File, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Walks over the frames behind the head. Damage is skipped to the next readable frame.
pub(super) fn scan(file: &mut File, header: Header) -> io::Result<Scan> {
    let start = header.length();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut scan = Scan {
        good_end: start,
        ..Scan::default()
    };
    let mut at = 0;
    while at < bytes.len() {
        if let Some((length, found)) = frame_at(&bytes, at, start, header.node) {
            scan.found.push(found);
            at += FRAME_HEAD + length;
            scan.good_end = start + at as u64;
        } else {
            at = match record::find_magic(&bytes[at + 1..]) {
                Some(distance) => at + 1 + distance,
                None => bytes.len(),
            };
        }
    }
    Ok(scan)
}

fn frame_at(bytes: &[u8], at: usize, start: u64, node: i64) -> Option<(usize, Found)> {
    let (length, checksum) = record::decode_head(bytes.get(at..at + FRAME_HEAD)?)?;
    let body = bytes.get(at + FRAME_HEAD..at + FRAME_HEAD + length)?;
    if record::checksum(node, body) != checksum {
        return None;
    }
    let (seq, project_id) = record::peek(body)?;
    let offset = u32::try_from(start + at as u64).ok()?;
    Some((
        length,
        Found {
            offset,
            seq,
            project_id,
        },
    ))
}
