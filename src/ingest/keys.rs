//! Keys in memory. In: the keys of the database, or of the snapshot from the last run. Out: the project that a key
//! belongs to, without a query; a key that is not here is of nobody, however often it is tried.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use crate::store::keys::{KeyRow, Settings};
use crate::store::now_ms;

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
    projects: HashSet<i64>,
}

/// The keys this node knows, and where their snapshot lies.
pub struct Keys {
    table: RwLock<Arc<Table>>,
    snapshot: PathBuf,
}

impl Keys {
    /// Starts with the snapshot of the last run, so that known SDKs are served while the database is away. Gives its
    /// settings too, for what else follows from them.
    pub fn open(data_dir: &Path) -> (Self, Option<Settings>) {
        let snapshot = data_dir.join("keys.json");
        let found = match std::fs::read(&snapshot) {
            Ok(bytes) => match serde_json::from_slice::<Settings>(&bytes) {
                Ok(found) => Some(found),
                Err(error) => {
                    tracing::warn!(%error, "the snapshot of keys is damaged; waiting for the database");
                    None
                }
            },
            Err(_) => None,
        };
        let table = found.as_ref().map(table).unwrap_or_default();
        let keys = Self {
            table: RwLock::new(Arc::new(table)),
            snapshot,
        };
        (keys, found)
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().expect("no thread panics with this lock"))
    }

    pub fn find(&self, public_key: &str) -> Found {
        let table = self.table.read().expect("no thread panics with this lock");
        match table.by_key.get(public_key) {
            Some(row) => {
                let (key_id, project_id) = (row.id, row.project_id);
                let runs_out = row.expires_at;
                if row.is_active && runs_out.is_none_or(|at| now_ms() < at) {
                    Found::Active { key_id, project_id }
                } else {
                    Found::Disabled { key_id, project_id }
                }
            }
            None if table.version.is_none() => Found::NotLoaded,
            None => Found::Unknown,
        }
    }

    /// Whether there is such a project; what is sent with a wrong key is told to its owner.
    pub fn has_project(&self, project_id: i64) -> bool {
        let table = self.table.read().expect("no thread panics with this lock");
        table.projects.contains(&project_id)
    }

    /// The settings version these keys belong to; none before they were loaded.
    pub fn version(&self) -> Option<i64> {
        self.table().version
    }

    /// Takes over what the database says and keeps it on disk.
    pub fn replace(&self, settings: &Settings) {
        if let Err(error) = self.write_snapshot(settings) {
            tracing::warn!(%error, "the snapshot of keys cannot be written; a start without a database would not know them");
        }
        *self.table.write().expect("no thread panics with this lock") = Arc::new(table(settings));
    }

    fn write_snapshot(&self, settings: &Settings) -> std::io::Result<()> {
        let fresh = self.snapshot.with_extension("json.new");
        let file = std::fs::File::create(&fresh)?;
        let mut writer = std::io::BufWriter::new(file);
        serde_json::to_writer(&mut writer, settings)?;
        writer
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&fresh, &self.snapshot)
    }
}

fn table(settings: &Settings) -> Table {
    let keys = settings.keys.iter();
    let projects = settings.projects.iter().map(|project| project.id);
    Table {
        version: Some(settings.version),
        // An old snapshot lists no projects.
        projects: keys
            .clone()
            .map(|key| key.project_id)
            .chain(projects)
            .collect(),
        by_key: keys
            .map(|key| (key.public_key.clone(), key.clone()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keys::LimitRow;

    fn row(public_key: &str, is_active: bool) -> KeyRow {
        KeyRow {
            id: 1,
            public_key: public_key.into(),
            project_id: 7,
            organization_id: 3,
            is_active,
            minute_limit: Some(5),
            month_limit: None,
            expires_at: None,
        }
    }

    const ACTIVE: Found = Found::Active {
        key_id: 1,
        project_id: 7,
    };
    const DISABLED: Found = Found::Disabled {
        key_id: 1,
        project_id: 7,
    };

    #[test]
    fn a_snapshot_serves_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let (keys, nothing) = Keys::open(folder.path());
        assert_eq!(nothing, None);
        assert_eq!(keys.find("abc"), Found::NotLoaded);
        let mut rotated = row("rotated", true);
        rotated.expires_at = Some(now_ms() - 1);
        let settings = Settings {
            version: 5,
            keys: vec![row("abc", true), row("old", false), rotated],
            projects: vec![LimitRow {
                id: 8,
                minute_limit: None,
                month_limit: Some(1000),
            }],
            organizations: Vec::new(),
        };
        keys.replace(&settings);
        let (again, found) = Keys::open(folder.path());
        assert_eq!(found, Some(settings));
        assert_eq!(again.version(), Some(5));
        assert_eq!(again.find("abc"), ACTIVE);
        assert_eq!(again.find("old"), DISABLED);
        assert_eq!(again.find("rotated"), DISABLED);
        assert_eq!(again.find("xyz"), Found::Unknown);
        assert!(again.has_project(7) && again.has_project(8) && !again.has_project(9));
    }

    #[test]
    fn a_snapshot_of_an_older_release_still_serves() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = r#"{"version":4,"keys":[{"id":1,"public_key":"abc","project_id":7,"organization_id":3,"is_active":true}]}"#;
        std::fs::write(folder.path().join("keys.json"), text).expect("a file");
        let (keys, found) = Keys::open(folder.path());
        assert_eq!(keys.find("abc"), ACTIVE);
        assert!(keys.has_project(7));
        assert_eq!(found.expect("settings").keys[0].minute_limit, None);
    }
}
