//! What was written last, in memory. In: the frames of each batch that is on the disk. Out: records for whoever digests
//! them at once, which is nearly all; only a backlog is read from the disk.

use std::collections::VecDeque;
use std::sync::Arc;

use super::index::Position;
use super::record::{self, FRAME_HEAD, Record};

/// More than is under way while digestion keeps up.
const MOST_BYTES: usize = 8 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Recent {
    /// In the order of their positions.
    chunks: VecDeque<Chunk>,
    bytes: usize,
}

struct Chunk {
    start: Position,
    frames: Arc<Vec<u8>>,
}

/// A frame in memory.
pub(super) struct Frame {
    frames: Arc<Vec<u8>>,
    at: usize,
}

impl Recent {
    /// Keeps frames that lie on the disk from `start` on, and forgets the oldest.
    pub fn push(&mut self, start: Position, frames: Vec<u8>) {
        self.bytes += frames.capacity();
        self.chunks.push_back(Chunk {
            start,
            frames: Arc::new(frames),
        });
        while self.bytes > MOST_BYTES {
            let Some(oldest) = self.chunks.pop_front() else {
                break;
            };
            self.bytes -= oldest.frames.capacity();
        }
    }

    pub fn get(&self, position: Position) -> Option<Frame> {
        let after = self.chunks.partition_point(|chunk| chunk.start <= position);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        if chunk.start.segment() != position.segment() {
            return None;
        }
        let at = (position.offset() - chunk.start.offset()) as usize;
        (at < chunk.frames.len()).then(|| Frame {
            frames: Arc::clone(&chunk.frames),
            at,
        })
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Frame {
    pub fn record(&self) -> Option<Record> {
        let frame = &self.frames[self.at..];
        let (length, _) = record::decode_head(frame.get(..FRAME_HEAD)?)?;
        record::decode_body(frame.get(FRAME_HEAD..FRAME_HEAD + length)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        let half = MOST_BYTES / 2;
        recent.push(Position::new(1, 100), vec![1; half]);
        recent.push(Position::new(2, 50), vec![2; half]);
        assert!(recent.get(Position::new(1, 99)).is_none());
        let found = recent.get(Position::new(1, 130)).expect("kept");
        assert_eq!((found.at, found.frames[found.at]), (30, 1));
        assert!(recent.get(Position::new(1, 100 + half as u32)).is_none());
        assert!(recent.get(Position::new(2, 49)).is_none());
        assert_eq!(recent.get(Position::new(2, 50)).expect("kept").at, 0);
        recent.push(Position::new(3, 0), vec![3; 1]);
        assert!(recent.get(Position::new(1, 130)).is_none());
        assert!(recent.get(Position::new(2, 50)).is_some());
        recent.forget();
        assert!(recent.get(Position::new(3, 0)).is_none());
    }
}
