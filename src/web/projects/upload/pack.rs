//! Files that somebody chose, as build tools send them. In: scratch files with their names. Out: one bundle, checked and kept in
//! chunks, of which the same task makes artifacts as of any other; or what is wrong with the files, for whoever chose them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::blobs::{BlobError, Blobs};
use crate::protocol::artifact_bundle::{Bundle, BundleError, LARGEST_BUNDLE};
use crate::store::artifacts::ArtifactKind;
use crate::store::uploads::Chunk;

const CHUNK_BYTES: u64 = 8 * 1024 * 1024;
/// The end of a script that is looked at for its debug id.
const TAIL_BYTES: u64 = 64 * 1024;

/// A file as the form brought it.
pub struct Given {
    pub name: String,
    pub file: File,
    pub size: u64,
}

/// What the form says of the files.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub release: String,
    pub dist: String,
    /// What stands before a file's name in the address of a script.
    pub prefix: String,
}

/// A bundle whose chunks are kept.
pub struct Packed {
    pub checksum: String,
    pub chunks: Vec<Chunk>,
}

#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// In words for whoever chose the files.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Blob(#[from] BlobError),
}

impl From<ZipError> for PackError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => Self::Io(error),
            other => Self::Io(io::Error::other(other)),
        }
    }
}

impl From<BundleError> for PackError {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Refused(problem) => Self::Refused(format!(
                "This archive cannot be taken: {problem}. Choose an artifact bundle, or the scripts and maps themselves."
            )),
            BundleError::Io(error) => Self::Io(error),
        }
    }
}

fn refused<T>(problem: impl Into<String>) -> Result<T, PackError> {
    Err(PackError::Refused(problem.into()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Script,
    Map,
    Archive,
    Other,
}

fn kind(name: &str) -> Kind {
    match ArtifactKind::of_name(name) {
        ArtifactKind::MinifiedSource => Kind::Script,
        ArtifactKind::SourceMap => Kind::Map,
        ArtifactKind::Source if name.to_ascii_lowercase().ends_with(".zip") => Kind::Archive,
        ArtifactKind::Source => Kind::Other,
    }
}

/// Checks the files and keeps them as one bundle.
pub fn pack(blobs: &Blobs, mut given: Vec<Given>, typed: &Typed) -> Result<Packed, PackError> {
    let archives = given.iter().filter(|one| kind(&one.name) == Kind::Archive);
    let bundle = match (archives.count(), given.len()) {
        (_, 0) => return refused("Choose at least one file."),
        (1, 1) => {
            let archive = given.remove(0).file;
            // Whoever waits before the page hears at once what is wrong with its directory or manifest.
            Bundle::open(archive.try_clone()?)?;
            archive
        }
        (0, _) => bundle_of(blobs.scratch_file()?, &mut given, typed)?,
        _ => return refused("Choose one archive alone, or scripts and maps without one."),
    };
    cut(blobs, bundle)
}

/// Writes the files into an archive with a manifest.
fn bundle_of(into: File, given: &mut [Given], typed: &Typed) -> Result<File, PackError> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut archive = ZipWriter::new(into);
    let mut files = serde_json::Map::new();
    let mut addresses = Vec::with_capacity(given.len());
    let has_release = !typed.release.trim().is_empty();
    for (number, one) in given.iter_mut().enumerate() {
        let kind = kind(&one.name);
        let (word, debug_id) = match kind {
            Kind::Script => ("minified_source", id_of_script(one)?),
            Kind::Map => ("source_map", id_of_map(one)?),
            Kind::Archive | Kind::Other => {
                return refused(format!(
                    "{} is neither a script (.js, .cjs, .mjs, .jsbundle, .bundle) nor a source map (.map).",
                    one.name
                ));
            }
        };
        if debug_id.is_none() && !has_release {
            return refused(format!(
                "{} has no debug id. Name the release that its events have, or run sentry-cli sourcemaps inject before.",
                one.name
            ));
        }
        let address = format!("{}{}", typed.prefix, one.name);
        if addresses.contains(&address) {
            return refused(format!("Two files are called {}.", one.name));
        }
        let headers: Value = match debug_id {
            Some(id) => json!({"debug-id": id}),
            None => json!({}),
        };
        let path = format!("files/{number}");
        let facts = json!({"type": word, "url": address, "headers": headers});
        files.insert(path.clone(), facts);
        addresses.push(address);
        archive.start_file(path, options)?;
        one.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut one.file, &mut archive)?;
    }
    archive.start_file("manifest.json", options)?;
    serde_json::to_writer(&mut archive, &json!({"files": files})).map_err(io::Error::from)?;
    Ok(archive.finish()?)
}

/// What bundlers and sentry-cli write at the end of a script.
fn id_of_script(given: &mut Given) -> Result<Option<String>, io::Error> {
    const MARK: &[u8] = b"//# debugId=";
    let from = given.size.saturating_sub(TAIL_BYTES);
    given.file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    (&mut given.file).take(TAIL_BYTES).read_to_end(&mut tail)?;
    let Some(at) = memchr::memmem::rfind(&tail, MARK) else {
        return Ok(None);
    };
    let id: Vec<u8> = tail[at + MARK.len()..]
        .iter()
        .copied()
        .take_while(|sign| sign.is_ascii_hexdigit() || *sign == b'-')
        .collect();
    Ok(crate::protocol::debug_id::canonical(
        &String::from_utf8_lossy(&id),
    ))
}

#[derive(Deserialize)]
struct MapHead {
    debug_id: Option<String>,
    #[serde(rename = "debugId")]
    debug_id_too: Option<String>,
}

/// The id of a map that can be read; one that cannot is noted when it is compiled.
fn id_of_map(given: &mut Given) -> Result<Option<String>, io::Error> {
    given.file.seek(SeekFrom::Start(0))?;
    let head: Option<MapHead> = serde_json::from_reader(BufReader::new(&given.file)).ok();
    let id = head.and_then(|head| head.debug_id.or(head.debug_id_too));
    Ok(id.and_then(|id| crate::protocol::debug_id::canonical(&id)))
}

/// Keeps a bundle in chunks, each a blob.
fn cut(blobs: &Blobs, mut bundle: File) -> Result<Packed, PackError> {
    let size = bundle.seek(SeekFrom::End(0))?;
    if size > LARGEST_BUNDLE {
        return refused(format!(
            "The files are larger than {LARGEST_BUNDLE} bytes together."
        ));
    }
    bundle.seek(SeekFrom::Start(0))?;
    let mut whole = Sha1::new();
    let mut chunks: Vec<Chunk> = Vec::new();
    loop {
        let mut bytes = Vec::new();
        (&mut bundle).take(CHUNK_BYTES).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        whole.update(&bytes);
        let blob_key = Blobs::new_key("chunks");
        if let Err(error) = blobs.put(&blob_key, bytes.as_slice()) {
            discard(blobs, &chunks);
            return Err(error.into());
        }
        chunks.push(Chunk {
            checksum: hex::encode(Sha1::digest(&bytes)),
            blob_key,
            size: bytes.len() as i64,
        });
    }
    Ok(Packed {
        checksum: hex::encode(whole.finalize()),
        chunks,
    })
}

/// Takes back chunks that nothing leads to.
pub fn discard(blobs: &Blobs, chunks: &[Chunk]) {
    let deleted = chunks.iter().map(|chunk| blobs.delete(&chunk.blob_key));
    if deleted.filter(Result::is_err).count() > 0 {
        tracing::warn!("chunks of an upload that was not taken remain in the blob store");
    }
}
