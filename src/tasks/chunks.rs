//! A file out of the chunks that it came in. In: the checksums of the chunks and of the whole. Out: a file without a name, checked; or why
//! there is none.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};

use sha1::{Digest, Sha1};

use crate::app::App;
use crate::blobs::BlobError;
use crate::protocol::artifact_bundle::LARGEST_BUNDLE;
use crate::store::{StoreError, uploads};

/// Why an upload comes to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Another try with the same chunks ends alike.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Passing(String),
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

/// The chunks one after the other, if they make up what was announced; with its size.
pub fn joined(
    app: &App,
    organization_id: i64,
    checksum: &str,
    chunks: &[String],
) -> Result<(File, u64), Failure> {
    let asked = chunks.to_vec();
    let known = app
        .store
        .read_blocking(move |conn| uploads::chunks(conn, organization_id, &asked))?;
    let mut file = app.blobs.scratch_file()?;
    let mut hash = Sha1::new();
    let mut size = 0;
    for chunk in chunks {
        let Some(chunk) = known.get(chunk) else {
            return Err(Failure::Refused(
                "A chunk of this upload has expired; upload it again".to_owned(),
            ));
        };
        let bytes = match app.blobs.get(&chunk.blob_key) {
            Err(BlobError::NotFound(key)) => {
                app.store
                    .write_blocking(move |conn| uploads::forget_chunk(conn, &key))?;
                return Err(Failure::Refused(
                    "A chunk of this upload is gone; upload it again".to_owned(),
                ));
            }
            other => other?,
        };
        size += bytes.len() as u64;
        if size > LARGEST_BUNDLE {
            return Err(Failure::Refused(format!(
                "The upload is larger than {LARGEST_BUNDLE} bytes"
            )));
        }
        hash.update(&bytes);
        file.write_all(&bytes)?;
    }
    if hex::encode(hash.finalize()) != checksum {
        return Err(Failure::Refused(
            "The chunks do not make up a file with the checksum that was announced".to_owned(),
        ));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok((file, size))
}
