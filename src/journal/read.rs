//! Records from the disk. In: the positions of one claim. Out: their records; neighbours come with one read.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::index::Position;
use super::record::{self, FRAME_HEAD, Record};

/// Nearly every frame is shorter.
const USUAL_FRAME: u64 = 8 * 1024;
/// What lies between two records is read along with them up to here.
const NEAR: u64 = 16 * 1024;
/// Bytes of one read for several records.
const MOST: u64 = 1024 * 1024;

pub(super) struct Reader {
    node: i64,
    /// All that will be asked for, in order.
    wanted: Vec<Position>,
    windows: Vec<Window>,
}

/// A part of a segment.
struct Window {
    segment: u32,
    start: u64,
    bytes: Vec<u8>,
}

impl Reader {
    pub fn new(node: i64, mut wanted: Vec<Position>) -> Self {
        wanted.sort_unstable();
        Self {
            node,
            wanted,
            windows: Vec::new(),
        }
    }

    /// The record at a position of `file`; none if it is damaged.
    pub fn record(&mut self, file: &File, position: Position) -> Option<Record> {
        if self.frame(position).is_none() {
            let window = self.read(file, position)?;
            self.windows.push(window);
        }
        let Some(frame) = self.frame(position) else {
            return read_one(file, position, self.node);
        };
        let (_, checksum) = record::decode_head(frame)?;
        let body = &frame[FRAME_HEAD..];
        if record::checksum(self.node, body) != checksum {
            return None;
        }
        record::decode_body(body.to_vec())
    }

    /// A whole frame that was read already.
    fn frame(&self, position: Position) -> Option<&[u8]> {
        let at = u64::from(position.offset());
        self.windows
            .iter()
            .rev()
            .filter(|window| window.segment == position.segment() && window.start <= at)
            .find_map(|window| {
                let bytes = window.bytes.get((at - window.start) as usize..)?;
                let (length, _) = record::decode_head(bytes.get(..FRAME_HEAD)?)?;
                bytes.get(..FRAME_HEAD + length)
            })
    }

    /// Reads a record with those behind it that are wanted as well.
    fn read(&self, file: &File, position: Position) -> Option<Window> {
        let start = u64::from(position.offset());
        let mut last = start;
        let first = self.wanted.partition_point(|wanted| *wanted <= position);
        for next in &self.wanted[first..] {
            let at = u64::from(next.offset());
            let near = next.segment() == position.segment() && at - last <= NEAR;
            if !near || at - start > MOST - USUAL_FRAME {
                break;
            }
            last = at;
        }
        let mut bytes = vec![0u8; (last - start + USUAL_FRAME) as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], start + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        bytes.truncate(filled);
        Some(Window {
            segment: position.segment(),
            start,
            bytes,
        })
    }
}

/// A record by itself, as large as it may be.
fn read_one(file: &File, position: Position, node: i64) -> Option<Record> {
    let at = u64::from(position.offset());
    let mut head = [0u8; FRAME_HEAD];
    file.read_exact_at(&mut head, at).ok()?;
    let (length, checksum) = record::decode_head(&head)?;
    let mut body = vec![0u8; length];
    file.read_exact_at(&mut body, at + FRAME_HEAD as u64).ok()?;
    if record::checksum(node, &body) != checksum {
        return None;
    }
    record::decode_body(body)
}
