//! Where blobs are kept, as a setting says it. In: `file:PATH` or `s3://bucket/prefix`. Out: an object store, or what is
//! wrong with the setting.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};

use super::BlobError;

const CONNECT: &str = "3 seconds";
const ONE_TRY: &str = "15 seconds";
/// No further try after so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A place for blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobPlace {
    File(PathBuf),
    S3 { bucket: String, prefix: String },
}

impl BlobPlace {
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("BUGLE_BLOB_URL names no folder: write file:PATH".to_owned());
            }
            return Ok(Self::File(path.into()));
        }
        let Some(rest) = text.strip_prefix("s3://") else {
            return Err(format!(
                "BUGLE_BLOB_URL '{text}' must look like file:PATH or s3://bucket/prefix"
            ));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || rest.contains(['?', '#', '@']) {
            return Err(format!(
                "BUGLE_BLOB_URL '{text}' must look like s3://bucket/prefix; keys and region come from the environment"
            ));
        }
        Ok(Self::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
        })
    }

    /// Opens the place; a folder is made, for its owner only.
    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, BlobError> {
        match self {
            Self::File(folder) => {
                crate::config::create_data_dir(folder)
                    .map_err(|error| BlobError::Place(format!("{}: {error}", folder.display())))?;
                Ok(Arc::new(
                    LocalFileSystem::new_with_prefix(folder)?.with_fsync(true),
                ))
            }
            Self::S3 { bucket, prefix } => {
                // The HTTP client takes the process's TLS provider; a second call finds the first one's, which is the same.
                let _ = rustls::crypto::ring::default_provider().install_default();
                // Whoever waits for a blob holds something up: better to hear soon that it cannot be had.
                let retry = RetryConfig {
                    max_retries: 2,
                    retry_timeout: PATIENCE,
                    ..RetryConfig::default()
                };
                let client = |key| AmazonS3ConfigKey::Client(key);
                let builder = AmazonS3Builder::from_env()
                    .with_retry(retry)
                    .with_config(client(ClientConfigKey::ConnectTimeout), CONNECT)
                    .with_config(client(ClientConfigKey::Timeout), ONE_TRY)
                    .with_bucket_name(bucket);
                let store = builder.build()?;
                if prefix.is_empty() {
                    Ok(Arc::new(store))
                } else {
                    Ok(Arc::new(PrefixStore::new(store, prefix.as_str())))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let parse = |text: &str| BlobPlace::parse(text);
        assert_eq!(parse("file:x/y"), Ok(BlobPlace::File("x/y".into())));
        assert_eq!(parse("file:///x/y"), Ok(BlobPlace::File("/x/y".into())));
        assert_eq!(
            parse("s3://bucket/a/b/"),
            Ok(BlobPlace::S3 {
                bucket: "bucket".to_owned(),
                prefix: "a/b".to_owned()
            })
        );
        for text in ["", "file:", "s3://", "s3:///x", "s3://key@bucket", "gs://x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
