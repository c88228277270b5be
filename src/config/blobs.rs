//! Settings of where uploads are kept.

use std::path::Path;

use clap::Args;

use crate::blobs::BlobPlace;

/// Uploads.
#[derive(Debug, Clone, Args)]
pub struct BlobArgs {
    /// Where uploads are kept: `file:PATH` or `s3://bucket/prefix`; by default `blobs` in the data folder.
    #[arg(long, env = "BUGLE_BLOB_URL", value_name = "URL")]
    pub blob_url: Option<String>,
}

impl BlobArgs {
    /// Reads the place and adds what is wrong to the mistakes.
    pub fn check(&self, data_dir: &Path, mistakes: &mut Vec<String>) -> BlobPlace {
        let default = || BlobPlace::File(data_dir.join("blobs"));
        match self.blob_url.as_deref().filter(|text| !text.is_empty()) {
            None => default(),
            Some(text) => BlobPlace::parse(text).unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                default()
            }),
        }
    }
}
