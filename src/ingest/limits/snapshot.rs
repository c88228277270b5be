//! A month's counts on disk, for a start without the database. In: the subjects. Out: a small file that is replaced as
//! a whole; a lost or damaged one is no harm, as the database knows what was digested.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Limits, Scope};

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    scope: Scope,
    id: i64,
    month: i64,
    used: i64,
}

/// The file, and what was last written to it.
pub struct Snapshot {
    path: PathBuf,
    written: Vec<Row>,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("limits.json")
}

/// The counts of the last run: month and number.
pub fn load(data_dir: &Path) -> HashMap<(Scope, i64), (i64, i64)> {
    let Ok(bytes) = std::fs::read(path(data_dir)) else {
        return HashMap::new();
    };
    match serde_json::from_slice::<Vec<Row>>(&bytes) {
        Ok(rows) => rows
            .into_iter()
            .map(|row| ((row.scope, row.id), (row.month, row.used)))
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "the snapshot of monthly counts is damaged; the database has them");
            HashMap::new()
        }
    }
}

impl Snapshot {
    pub fn new(data_dir: &Path) -> Self {
        Self {
            path: path(data_dir),
            written: Vec::new(),
        }
    }

    /// Writes the counts if they changed.
    pub fn write(&mut self, limits: &Limits) -> std::io::Result<()> {
        let mut rows: Vec<Row> = limits
            .subjects()
            .iter()
            .filter_map(|subject| {
                let (month, used) = subject.lock().month()?;
                Some(Row {
                    scope: subject.scope,
                    id: subject.id,
                    month,
                    used,
                })
            })
            .collect();
        rows.sort();
        if rows == self.written {
            return Ok(());
        }
        let fresh = self.path.with_extension("json.new");
        std::fs::write(&fresh, serde_json::to_vec(&rows)?)?;
        std::fs::rename(&fresh, &self.path)?;
        self.written = rows;
        Ok(())
    }
}
