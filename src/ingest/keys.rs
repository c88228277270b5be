//! Keys in memory. In: the keys of the database, or of the snapshot from the last run. Out: the project that a key
//! belongs to, without a query; a key that is not here is of nobody, however often it is tried.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use serde::{Deserialize, Serialize};

use crate::store::keys::KeyRow;

/// What a lookup finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Active {
        key_id: i64,
        project_id: i64,
    },
    Disabled {
        key_id: i64,
        project_id: i64,
    },
    Unknown,
    /// Nothing is known yet: the database was never reached.
    NotLoaded,
}

#[derive(Default)]
struct Table {
    version: Option<i64>,
    by_key: HashMap<String, KeyRow>,
}

/// The keys this node knows, and where their snapshot lies.
pub struct Keys {
    table: RwLock<Arc<Table>>,
    snapshot: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: i64,
    keys: Vec<KeyRow>,
}

impl Keys {
    /// Starts with the snapshot of the last run, so that known SDKs are served while the database is away.
    pub fn open(data_dir: &Path) -> Self {
        let snapshot = data_dir.join("keys.json");
        let table = match std::fs::read(&snapshot) {
            Ok(bytes) => match serde_json::from_slice::<Snapshot>(&bytes) {
                Ok(found) => Table {
                    version: Some(found.version),
                    by_key: by_key(found.keys),
                },
                Err(error) => {
                    tracing::warn!(%error, "the snapshot of keys is damaged; waiting for the database");
                    Table::default()
                }
            },
            Err(_) => Table::default(),
        };
        Self {
            table: RwLock::new(Arc::new(table)),
            snapshot,
        }
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().expect("no thread panics with this lock"))
    }

    pub fn find(&self, public_key: &str) -> Found {
        let table = self.table.read().expect("no thread panics with this lock");
        match table.by_key.get(public_key) {
            Some(KeyRow {
                id,
                project_id,
                is_active: true,
                ..
            }) => Found::Active {
                key_id: *id,
                project_id: *project_id,
            },
            Some(KeyRow { id, project_id, .. }) => Found::Disabled {
                key_id: *id,
                project_id: *project_id,
            },
            None if table.version.is_none() => Found::NotLoaded,
            None => Found::Unknown,
        }
    }

    /// The settings version these keys belong to; none before they were loaded.
    pub fn version(&self) -> Option<i64> {
        self.table().version
    }

    /// Takes over what the database says and keeps it on disk.
    pub fn replace(&self, version: i64, keys: Vec<KeyRow>) {
        let snapshot = Snapshot { version, keys };
        if let Err(error) = self.write_snapshot(&snapshot) {
            tracing::warn!(%error, "the snapshot of keys cannot be written; a start without a database would not know them");
        }
        let table = Table {
            version: Some(version),
            by_key: by_key(snapshot.keys),
        };
        *self.table.write().expect("no thread panics with this lock") = Arc::new(table);
    }

    fn write_snapshot(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        let fresh = self.snapshot.with_extension("json.new");
        let file = std::fs::File::create(&fresh)?;
        let mut writer = std::io::BufWriter::new(file);
        serde_json::to_writer(&mut writer, snapshot)?;
        writer
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&fresh, &self.snapshot)
    }
}

fn by_key(keys: Vec<KeyRow>) -> HashMap<String, KeyRow> {
    keys.into_iter()
        .map(|key| (key.public_key.clone(), key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_serves_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keys::open(folder.path());
        assert_eq!(keys.find("abc"), Found::NotLoaded);
        let row = |public_key: &str, is_active| KeyRow {
            id: 1,
            public_key: public_key.into(),
            project_id: 7,
            organization_id: 3,
            is_active,
        };
        keys.replace(5, vec![row("abc", true), row("old", false)]);
        let again = Keys::open(folder.path());
        assert_eq!(again.version(), Some(5));
        assert_eq!(
            again.find("abc"),
            Found::Active {
                key_id: 1,
                project_id: 7
            }
        );
        assert_eq!(
            again.find("old"),
            Found::Disabled {
                key_id: 1,
                project_id: 7
            }
        );
        assert_eq!(again.find("xyz"), Found::Unknown);
    }
}
