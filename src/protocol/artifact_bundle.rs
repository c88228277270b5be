//! Bundles of files that builds upload: a ZIP archive with a manifest, mostly behind a head of eight bytes.
//! In: the bytes that somebody sent. Out: its files one after the other, counted while they are read.
//!
//! Nothing here becomes a path. An archive that points outside of itself, holds links, or says other sizes than it has, is
//! refused as a whole: no build tool writes such a thing.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use serde::Deserialize;
use zip::ZipArchive;
use zip::result::ZipError;

/// Of the archive as it came.
pub const LARGEST_BUNDLE: u64 = 512 * 1024 * 1024;
/// Of all files in it, unpacked.
pub const LARGEST_CONTENT: u64 = 1024 * 1024 * 1024;
pub const MOST_FILES: usize = 20_000;
const LARGEST_FILE: u64 = 512 * 1024 * 1024;
const LARGEST_MANIFEST: u64 = 32 * 1024 * 1024;
const MANIFEST: &str = "manifest.json";
/// What stands before every entry of an archive's directory.
const ENTRY_HEAD: &[u8] = b"PK\x01\x02";
/// Contents may hold those four bytes by chance, a few times.
const MOST_HEADS: usize = MOST_FILES + 1_000;

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("{0}")]
    Refused(String),
    #[error("the bundle cannot be read: {0}")]
    Io(io::Error),
}

/// What the bundle says about itself.
#[derive(Debug, Default, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    files: BTreeMap<String, FileFacts>,
    pub release: Option<String>,
    pub dist: Option<String>,
}

/// What the manifest says about a file.
#[derive(Debug, Clone, Deserialize)]
pub struct FileFacts {
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl FileFacts {
    /// A header; names count whatever their case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// An archive whose directory and manifest are in order.
pub struct Bundle<R> {
    archive: ZipArchive<BufReader<R>>,
    pub manifest: Manifest,
}

impl<R: Read + Seek> Bundle<R> {
    pub fn open(mut file: R) -> Result<Self, BundleError> {
        bound_directory(&mut file)?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(zip_error)?;
        if archive.len() > MOST_FILES + 1 {
            return Err(refused(format!("more than {MOST_FILES} files")));
        }
        let mut total = 0_u64;
        for number in 0..archive.len() {
            total += checked_entry(&mut archive, number)?;
        }
        if total > LARGEST_CONTENT {
            return Err(refused(format!(
                "the files are larger than {LARGEST_CONTENT} bytes in all"
            )));
        }
        let manifest = read_manifest(&mut archive)?;
        Ok(Self { archive, manifest })
    }

    pub fn file_count(&self) -> usize {
        self.manifest.files.len()
    }

    /// Hands every file of the manifest to `take`, with its number. An error of the archive goes before what `take` says.
    pub fn each<E: From<BundleError>>(
        &mut self,
        mut take: impl FnMut(usize, &FileFacts, &mut dyn Read) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut total = 0;
        for (number, (path, facts)) in self.manifest.files.iter().enumerate() {
            let Some(index) = self.archive.index_for_name(path) else {
                return Err(refused(format!("{} is not in the archive", shown(path))).into());
            };
            let entry = self
                .archive
                .by_index(index)
                .map_err(|error| E::from(zip_error(error)))?;
            let mut content = Counted::new(entry.size(), total, entry);
            let taken = take(number, facts, &mut content);
            let rest = io::copy(&mut content, &mut io::sink());
            total = content.total;
            if let Some(problem) = content.problem {
                return Err(refused(format!("{}: {problem}", shown(path))).into());
            }
            taken?;
            rest.map_err(|error| E::from(BundleError::Io(error)))?;
        }
        Ok(())
    }
}

/// Reads an entry and does not believe what its head says.
struct Counted<R> {
    inner: R,
    declared: u64,
    read: u64,
    total: u64,
    problem: Option<String>,
}

impl<R: Read> Counted<R> {
    fn new(declared: u64, total: u64, inner: R) -> Self {
        Self {
            inner,
            declared,
            read: 0,
            total,
            problem: None,
        }
    }

    fn fail(&mut self, problem: String) -> io::Error {
        let error = io::Error::other(problem.clone());
        self.problem.get_or_insert(problem);
        error
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(problem) = &self.problem {
            return Err(io::Error::other(problem.clone()));
        }
        let count = match self.inner.read(buffer) {
            Ok(count) => count,
            Err(error) if error.raw_os_error().is_some() => return Err(error),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.fail(format!("damaged: {error}"))),
        };
        self.read += count as u64;
        self.total += count as u64;
        if self.read > self.declared || (count == 0 && self.read < self.declared) {
            if buffer.is_empty() {
                return Ok(0);
            }
            return Err(self.fail("it has another size than the archive says".to_owned()));
        }
        if self.total > LARGEST_CONTENT {
            return Err(self.fail(format!(
                "the files are larger than {LARGEST_CONTENT} bytes in all"
            )));
        }
        Ok(count)
    }
}

/// Refuses an archive whose directory would fill the memory: no entry goes without its head, wherever it stands.
fn bound_directory(file: &mut (impl Read + Seek)) -> Result<(), BundleError> {
    let length = file.seek(SeekFrom::End(0)).map_err(BundleError::Io)?;
    if length > LARGEST_BUNDLE {
        return Err(refused(format!(
            "the bundle is larger than {LARGEST_BUNDLE} bytes"
        )));
    }
    file.seek(SeekFrom::Start(0)).map_err(BundleError::Io)?;
    let mut first = [0_u8; 4];
    let start = file.read_exact(&mut first).map(|()| &first);
    if !start.is_ok_and(|start| start == b"SYSB" || start.starts_with(b"PK")) {
        return Err(refused(
            "neither an artifact bundle nor a ZIP archive".to_owned(),
        ));
    }
    file.seek(SeekFrom::Start(0)).map_err(BundleError::Io)?;
    let finder = memchr::memmem::Finder::new(ENTRY_HEAD);
    let keep = ENTRY_HEAD.len() - 1;
    let (mut heads, mut filled) = (0, 0);
    let mut buffer = vec![0_u8; 256 * 1024];
    loop {
        let count = file.read(&mut buffer[filled..]).map_err(BundleError::Io)?;
        if count == 0 {
            break;
        }
        filled += count;
        heads += finder.find_iter(&buffer[..filled]).count();
        if heads > MOST_HEADS {
            return Err(refused(format!("more than {MOST_FILES} files")));
        }
        // A head may stand across two reads.
        let tail = filled.saturating_sub(keep);
        buffer.copy_within(tail..filled, 0);
        filled -= tail;
    }
    file.seek(SeekFrom::Start(0)).map_err(BundleError::Io)?;
    Ok(())
}

/// The size that an entry claims, if nothing is wrong with the entry.
fn checked_entry(
    archive: &mut ZipArchive<impl Read + Seek>,
    number: usize,
) -> Result<u64, BundleError> {
    let entry = archive.by_index_raw(number).map_err(zip_error)?;
    let name = entry.name().map_err(zip_error)?.into_owned();
    if entry.enclosed_name().is_none()
        || name.starts_with('/')
        || name.contains(['\\', '\0'])
        || name.split('/').any(|part| part == "..")
    {
        return Err(refused(format!(
            "{} points outside of the archive",
            shown(&name)
        )));
    }
    if entry.is_symlink() {
        return Err(refused(format!("{} is a link", shown(&name))));
    }
    if entry.encrypted() {
        return Err(refused(format!("{} is encrypted", shown(&name))));
    }
    if entry.size() > LARGEST_FILE {
        return Err(refused(format!(
            "{} is larger than {LARGEST_FILE} bytes",
            shown(&name)
        )));
    }
    Ok(entry.size())
}

fn read_manifest(archive: &mut ZipArchive<impl Read + Seek>) -> Result<Manifest, BundleError> {
    let Some(index) = archive.index_for_name(MANIFEST) else {
        return Err(refused(format!("{MANIFEST} is missing")));
    };
    let entry = archive.by_index(index).map_err(zip_error)?;
    if entry.size() > LARGEST_MANIFEST {
        return Err(refused(format!(
            "{MANIFEST} is larger than {LARGEST_MANIFEST} bytes"
        )));
    }
    let mut content = Counted::new(entry.size(), 0, entry);
    let mut text = Vec::new();
    let read = content.read_to_end(&mut text);
    if let Some(problem) = content.problem {
        return Err(refused(format!("{MANIFEST}: {problem}")));
    }
    read.map_err(BundleError::Io)?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| refused(format!("{MANIFEST} cannot be read: {error}")))?;
    if manifest.files.len() > MOST_FILES {
        return Err(refused(format!("more than {MOST_FILES} files")));
    }
    if manifest.files.is_empty() {
        return Err(refused(format!("{MANIFEST} names no files")));
    }
    Ok(manifest)
}

fn zip_error(error: ZipError) -> BundleError {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => BundleError::Io(error),
        error => refused(format!("the archive cannot be read: {error}")),
    }
}

fn refused(problem: String) -> BundleError {
    BundleError::Refused(problem)
}

/// A name from outside, short enough and without signs that a reader would stumble over.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(200).collect();
    format!("'{}'", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn an_archive_with_too_many_entries_is_refused_before_its_directory_is_read() {
        let bytes = ENTRY_HEAD.repeat(MOST_HEADS + 1);
        let Err(BundleError::Refused(problem)) = Bundle::open(Cursor::new(bytes)) else {
            panic!("it must be refused");
        };
        assert!(problem.contains("more than 20000 files"), "{problem}");
    }

    #[test]
    fn heads_across_two_reads_count_once() {
        for length in [256 * 1024 - 2, 256 * 1024, 256 * 1024 + 3] {
            let mut bytes = b"PK".to_vec();
            bytes.resize(length, b' ');
            bytes.extend_from_slice(&ENTRY_HEAD.repeat(MOST_HEADS));
            assert!(bound_directory(&mut Cursor::new(&bytes)).is_ok());
            bytes.extend_from_slice(ENTRY_HEAD);
            assert!(bound_directory(&mut Cursor::new(&bytes)).is_err());
        }
    }

    #[test]
    fn bytes_are_counted_whatever_an_entry_says() {
        let read = |declared, before, content: &[u8]| {
            let mut counted = Counted::new(declared, before, content);
            let mut read = Vec::new();
            let result = counted.read_to_end(&mut read);
            (result.is_ok(), counted.problem)
        };
        assert_eq!(read(3, 0, b"abc"), (true, None));
        for (declared, before) in [(2, 0), (4, 0), (3, LARGEST_CONTENT - 2)] {
            let (good, problem) = read(declared, before, b"abc");
            assert!(!good && problem.is_some(), "{declared} {before}");
        }
    }
}
