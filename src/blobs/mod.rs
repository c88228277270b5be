//! Large things that no query looks into. In: a key and bytes. Out: the bytes again, from a folder or from S3.
//!
//! Keys are made here or by whoever stores something, never by what came from outside. Content is packed with zstd; a
//! blob appears whole or not at all. Calls block, so that threads of the digest can make them: requests go through
//! `spawn_blocking`.

mod place;

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Runtime;

pub use place::BlobPlace;

/// Nothing larger is kept, nor unpacked again.
pub const LARGEST: u64 = 512 * 1024 * 1024;

/// What is larger than this when packed goes to the store in parts of this size.
const PART: usize = 8 * 1024 * 1024;
const LEVEL: i32 = 3;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no blob with the key {0}")]
    NotFound(String),
    #[error("the blob store cannot be used: {0}")]
    Place(String),
    #[error("the blob store failed: {0}")]
    Store(#[from] object_store::Error),
    #[error("a blob cannot be packed or unpacked: {0}")]
    Content(#[from] std::io::Error),
    #[error("a blob is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("the blob store is closed")]
    Closed,
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    driver: Arc<Driver>,
    /// For what is too large to be held in memory while it is packed.
    scratch: PathBuf,
}

/// A runtime of its own, so that any thread may wait for it.
struct Driver(Option<Runtime>);

impl Drop for Driver {
    fn drop(&mut self) {
        // Not by waiting for its threads, which a thread of another runtime must not do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Blobs {
    pub fn open(place: &BlobPlace, scratch: PathBuf) -> Result<Self, BlobError> {
        crate::config::create_data_dir(&scratch)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("blobs")
            .enable_all()
            .build()?;
        let store = {
            let _inside = runtime.enter();
            place.open()?
        };
        Ok(Self {
            store,
            driver: Arc::new(Driver(Some(runtime))),
            scratch,
        })
    }

    /// A key that nothing has: `kind` and 160 random bits, spread over folders.
    pub fn new_key(kind: &str) -> String {
        let mut bytes = [0_u8; 20];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        key_of(kind, &bytes)
    }

    /// Keeps what `content` gives and returns its size, unpacked.
    pub fn put(&self, key: &str, content: impl Read) -> Result<u64, BlobError> {
        let mut packed = self.scratch_file()?;
        let mut content = content.take(LARGEST + 1);
        let mut encoder = zstd::Encoder::new(&mut packed, LEVEL)?;
        let size = std::io::copy(&mut content, &mut encoder)?;
        encoder.finish()?.flush()?;
        if size > LARGEST {
            return Err(BlobError::TooLarge);
        }
        let length = packed.seek(SeekFrom::End(0))?;
        packed.seek(SeekFrom::Start(0))?;
        let (store, path) = (Arc::clone(&self.store), Path::from(key));
        self.wait(async move {
            if length <= PART as u64 {
                let mut bytes = Vec::with_capacity(length as usize);
                packed.read_to_end(&mut bytes)?;
                store.put(&path, bytes.into()).await?;
                return Ok(());
            }
            put_in_parts(store.as_ref(), &path, packed).await
        })?;
        Ok(size)
    }

    /// The bytes that were kept.
    pub fn get(&self, key: &str) -> Result<Vec<u8>, BlobError> {
        let (store, path) = (Arc::clone(&self.store), Path::from(key));
        let packed = self.wait(async move { Ok(store.get(&path).await?.bytes().await?) });
        let packed = match packed {
            Err(BlobError::Store(object_store::Error::NotFound { .. })) => {
                return Err(BlobError::NotFound(key.to_owned()));
            }
            other => other?,
        };
        let mut content = Vec::new();
        zstd::Decoder::new(packed.as_ref())?
            .take(LARGEST + 1)
            .read_to_end(&mut content)?;
        if content.len() as u64 > LARGEST {
            return Err(BlobError::TooLarge);
        }
        Ok(content)
    }

    /// Forgets a blob; one that is not there is no mistake.
    pub fn delete(&self, key: &str) -> Result<(), BlobError> {
        let (store, path) = (Arc::clone(&self.store), Path::from(key));
        self.wait(async move {
            match store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// A file without a name: it is gone with its handle, also after a crash.
    pub fn scratch_file(&self) -> Result<std::fs::File, std::io::Error> {
        tempfile::tempfile_in(&self.scratch)
    }

    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, BlobError>> + Send + 'static,
    ) -> Result<T, BlobError> {
        let runtime = self.driver.0.as_ref().ok_or(BlobError::Closed)?;
        let (answer, result) = crossbeam_channel::bounded(1);
        runtime.spawn(async move {
            // Nobody waiting any more is no fault.
            let _ = answer.send(work.await);
        });
        result.recv().map_err(|_| BlobError::Closed)?
    }
}

/// The key of something that has a digest.
pub fn key_of(kind: &str, digest: &[u8]) -> String {
    let name = hex::encode(digest);
    format!("{kind}/{}/{name}", &name[..2])
}

async fn put_in_parts(
    store: &dyn ObjectStore,
    path: &Path,
    mut packed: std::fs::File,
) -> Result<(), BlobError> {
    let mut upload = store.put_multipart(path).await?;
    loop {
        let mut part = Vec::with_capacity(PART);
        let read = (&mut packed).take(PART as u64).read_to_end(&mut part);
        let sent = match read {
            Ok(0) => break,
            Ok(_) => upload.put_part(part.into()).await.map_err(BlobError::from),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = sent {
            // What the store keeps of it otherwise stays until its own cleaning.
            let _ = upload.abort().await;
            return Err(error);
        }
    }
    upload.complete().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs(folder: &std::path::Path) -> Blobs {
        let place = BlobPlace::File(folder.join("blobs"));
        Blobs::open(&place, folder.join("uploads")).expect("a folder can be opened")
    }

    #[test]
    fn what_is_put_is_got_again_until_it_is_deleted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blobs = blobs(folder.path());
        let small = b"some bytes".to_vec();
        // Does not pack, so that it goes in several parts.
        let mut large = vec![0_u8; 2 * PART + 17];
        getrandom::fill(&mut large).expect("random bytes");
        for content in [small, large, Vec::new()] {
            let key = Blobs::new_key("test");
            assert!(matches!(blobs.get(&key), Err(BlobError::NotFound(_))));
            let size = blobs.put(&key, content.as_slice()).expect("put");
            assert_eq!(size, content.len() as u64);
            assert!(blobs.get(&key).expect("get") == content);
            blobs.put(&key, b"other".as_slice()).expect("put again");
            assert_eq!(blobs.get(&key).expect("get"), b"other");
            blobs.delete(&key).expect("delete");
            blobs.delete(&key).expect("delete again");
            assert!(matches!(blobs.get(&key), Err(BlobError::NotFound(_))));
        }
    }

    #[test]
    fn it_is_used_and_dropped_inside_another_runtime() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let blobs = blobs(folder.path());
            blobs.put("test/aa/a", b"x".as_slice()).expect("put");
            assert_eq!(blobs.get("test/aa/a").expect("get"), b"x");
        });
    }
}
