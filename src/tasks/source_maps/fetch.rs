//! A script and its source map from where browsers load them. In: the script's address, which an event named and nobody has checked. Out:
//! both as blobs with the map compiled; or why they cannot be had, for those who look after the script.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use url::Url;

use super::bundle::{inline, reference_in};
use super::compile::compile_file;
use crate::app::App;
use crate::blobs::{BlobError, Blobs};
use crate::outgoing::{Bounds, Got, OutgoingError};
use crate::store::artifacts::ArtifactKind;
use crate::store::uploads::NewFile;
use crate::tasks::child::ChildError;

const MOST_SCRIPT: u64 = 30 * 1024 * 1024;
const MOST_MAP: u64 = 100 * 1024 * 1024;
/// For each of the two.
const WITHIN: Duration = Duration::from_secs(30);

/// What was fetched, as the files of an upload.
#[derive(Debug)]
pub struct Fetched {
    pub files: Vec<NewFile>,
    /// All bytes of it in the blob store, unpacked.
    pub size: i64,
}

/// Why a map was not fetched.
#[derive(Debug, PartialEq, Eq)]
pub enum NotFetched {
    /// By what stands under the address.
    Useless(String),
    /// This machine's fault.
    Passing(String),
}

impl From<BlobError> for NotFetched {
    fn from(error: BlobError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<std::io::Error> for NotFetched {
    fn from(error: std::io::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<ChildError> for NotFetched {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::Useless(problem) => Self::Useless(problem),
            ChildError::Machine(error) => Self::Passing(error.to_string()),
        }
    }
}

/// Fetches both and compiles the map; blocks for as long as that takes.
pub fn fetch(app: &App, url: &str) -> Result<Fetched, NotFetched> {
    let mut script = Vec::new();
    let got = get(app, "script", url, &mut script, MOST_SCRIPT)?;
    let header = ["sourcemap", "x-sourcemap"]
        .iter()
        .find_map(|name| got.header(name));
    let reference = match header {
        Some(reference) => reference.to_owned(),
        None => reference_in(&script).ok_or_else(|| useless(
            "the script names no source map: it has no sourceMappingURL at its end, and came without a SourceMap header",
        ))?,
    };
    let (map, map_url) = map_of(app, &got.url, &reference)?;
    let compiled = compile_file(|| app.blobs.scratch_file(), &script, &map)?;
    let mut kept = Kept::new(&app.blobs);
    let script_file = NewFile {
        kind: ArtifactKind::MinifiedSource.number(),
        debug_id: None,
        url: url.to_owned(),
        source_map: Some(cut(&reference)),
        size: 0,
        compiled_key: None,
        problem: None,
        blob_key: String::new(),
        checksum: String::new(),
        missing_map: None,
    };
    let map_file = NewFile {
        kind: ArtifactKind::SourceMap.number(),
        url: map_url.unwrap_or_else(|| format!("{url} (inside)")),
        source_map: None,
        ..script_file.clone()
    };
    let (script_key, script_size) = kept.put("artifacts", script.as_slice())?;
    let (map_key, map_size) = kept.put("artifacts", at_start(map)?)?;
    let (compiled_key, compiled_size) = kept.put("compiled", at_start(compiled)?)?;
    kept.keys.clear();
    Ok(Fetched {
        files: vec![
            NewFile {
                blob_key: script_key,
                size: script_size,
                compiled_key: Some(compiled_key),
                ..script_file
            },
            NewFile {
                blob_key: map_key,
                size: map_size,
                ..map_file
            },
        ],
        size: script_size + map_size + compiled_size,
    })
}

/// The map that a script refers to, in a file; and its address, if it is not in the script itself.
fn map_of(app: &App, script: &Url, reference: &str) -> Result<(File, Option<String>), NotFetched> {
    let mut file = app.blobs.scratch_file()?;
    if let Some(decoded) = inline(reference) {
        let decoded = decoded.map_err(useless)?;
        file.write_all(&decoded)?;
        return Ok((file, None));
    }
    let url = script.join(reference).map_err(|error| {
        useless(&format!(
            "the script's reference to its source map is no address ({error}): {}",
            cut(reference)
        ))
    })?;
    let got = get(app, "source map", url.as_str(), &mut file, MOST_MAP)?;
    file.seek(SeekFrom::Start(0))?;
    let mut first = [0];
    if file.read(&mut first)? == 1 && first[0] == b'<' {
        return Err(useless(&format!(
            "the server answered with a page instead of the source map {}",
            cut(url.as_str())
        )));
    }
    Ok((file, Some(got.url.to_string())))
}

fn get(
    app: &App,
    what: &str,
    url: &str,
    into: &mut dyn std::io::Write,
    most_bytes: u64,
) -> Result<Got, NotFetched> {
    let bounds = Bounds {
        most_bytes,
        until: Instant::now() + WITHIN,
    };
    let got = app.outgoing.get(url, into, bounds);
    let got = got.map_err(|error| match error {
        OutgoingError::NotKept(problem) => NotFetched::Passing(problem),
        error => useless(&format!("{error}: {what} {}", cut(url))),
    })?;
    if got.status != 200 {
        return Err(useless(&format!(
            "the server answered {} for the {what} {}",
            got.status,
            cut(url)
        )));
    }
    Ok(got)
}

fn useless(problem: &str) -> NotFetched {
    NotFetched::Useless(problem.to_owned())
}

/// As much of an address as a sentence bears.
fn cut(url: &str) -> String {
    url.chars().take(200).collect()
}

fn at_start(mut file: File) -> std::io::Result<File> {
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Blobs that go again unless all of them could be put.
struct Kept<'b> {
    blobs: &'b Blobs,
    keys: Vec<String>,
}

impl<'b> Kept<'b> {
    fn new(blobs: &'b Blobs) -> Self {
        Self {
            blobs,
            keys: Vec::new(),
        }
    }

    fn put(&mut self, kind: &str, content: impl std::io::Read) -> Result<(String, i64), BlobError> {
        let key = Blobs::new_key(kind);
        self.keys.push(key.clone());
        let size = self.blobs.put(&key, content)?;
        Ok((key, size as i64))
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        for key in &self.keys {
            if let Err(error) = self.blobs.delete(key) {
                tracing::warn!(%error, key, "a blob that nobody needs stays");
            }
        }
    }
}
