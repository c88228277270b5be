//! Writing past the page cache. In: bytes for a place in a file. Out: whole blocks on their way to the disk, without the
//! system copying them into memory that nobody reads them from; where the file system cannot, through that memory.
//!
//! What is not full of the last block is filled with zeros, and the next write begins behind it: no block that holds
//! something acknowledged is ever written again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::fault;

/// No disk or file system wants larger units.
pub(super) const BLOCK: usize = 4096;

pub(super) struct Appender {
    file: File,
    buffer: Buffer,
}

impl Appender {
    /// A new, empty file, or an existing one emptied.
    pub fn create(path: &Path) -> io::Result<Self> {
        let open = |flags| {
            OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .custom_flags(flags)
                .open(path)
        };
        let mut appender = Self {
            file: match open(PAST_THE_CACHE) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => open(0)?,
                opened => opened?,
            },
            buffer: Buffer::default(),
        };
        // Some file systems refuse at the first write only.
        match appender.write_unnoticed(&[0; BLOCK]) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => appender.file = open(0)?,
            tried => tried?,
        }
        Ok(appender)
    }

    /// Writes at a multiple of [`BLOCK`]; gives the bytes that it took.
    pub fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<u64> {
        let blocks = self.buffer.filled(bytes);
        fault::write_all_at(&self.file, blocks, offset)?;
        Ok(blocks.len() as u64)
    }

    /// A write that no test counts; whoever uses the file writes the block again.
    fn write_unnoticed(&mut self, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        self.file.write_all_at(self.buffer.filled(bytes), 0)
    }

    /// Writes whole blocks of zeros.
    pub fn write_zeros_at(&mut self, blocks: usize, offset: u64) -> io::Result<()> {
        let zeros = self.buffer.blocks(blocks * BLOCK);
        zeros.fill(0);
        fault::write_all_at(&self.file, zeros, offset)
    }

    pub fn sync_data(&self) -> io::Result<()> {
        fault::sync_data(&self.file)
    }

    pub fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    pub fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

#[cfg(target_os = "linux")]
const PAST_THE_CACHE: i32 = rustix::fs::OFlags::DIRECT.bits().cast_signed();
#[cfg(not(target_os = "linux"))]
const PAST_THE_CACHE: i32 = 0;

/// Memory that begins where a block of the disk may be copied from.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    fn blocks(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < length + BLOCK {
            self.bytes = vec![0; length + BLOCK];
        }
        let start = self.bytes.as_ptr().align_offset(BLOCK);
        &mut self.bytes[start..start + length]
    }

    /// The bytes as whole blocks.
    fn filled(&mut self, bytes: &[u8]) -> &[u8] {
        let blocks = self.blocks(bytes.len().next_multiple_of(BLOCK));
        blocks[..bytes.len()].copy_from_slice(bytes);
        blocks[bytes.len()..].fill(0);
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_whole_blocks() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let mut appender = Appender::create(&path).expect("a file");
        let first = appender.write_at(&[1; 10], 0).expect("written");
        let second = appender.write_at(&[2; BLOCK + 1], first).expect("written");
        appender.sync_data().expect("synced");
        assert_eq!((first, second), (BLOCK as u64, 2 * BLOCK as u64));
        let read = std::fs::read(&path).expect("read");
        assert_eq!(read.len(), 3 * BLOCK);
        assert!(read[..10].iter().all(|byte| *byte == 1));
        assert!(read[10..BLOCK].iter().all(|byte| *byte == 0));
        assert!(read[BLOCK..=2 * BLOCK].iter().all(|byte| *byte == 2));
        assert!(read[2 * BLOCK + 1..].iter().all(|byte| *byte == 0));
    }
}
