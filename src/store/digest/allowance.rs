//! How many new issues a project may have. In: events whose fingerprint is unknown. Out: whether one more issue is allowed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use diesel::prelude::*;

use crate::store::schema::projects;
use crate::store::{Conn, StoreError};

/// New issues of a project in one minute. Beyond, events go to one common issue: a program that puts something random
/// into its errors would bury the list.
const MOST_NEW_ISSUES: i64 = 200;

const MINUTE_MS: i64 = 60_000;

/// How many new issues the projects of a batch may still have in the minute that they are in.
#[derive(Default)]
pub(super) struct Allowance {
    /// By project: the minute, and the issues made in it.
    made: HashMap<i64, (i64, i64)>,
}

impl Allowance {
    /// The minute of a project, and the issues made in it.
    pub fn of(&self, project_id: i64) -> (i64, i64) {
        self.made.get(&project_id).copied().unwrap_or_default()
    }

    /// One more issue, if there is room for it.
    pub fn take(
        &mut self,
        conn: &mut Conn,
        project_id: i64,
        received_ms: i64,
    ) -> Result<bool, StoreError> {
        let minute = received_ms / MINUTE_MS;
        let entry = match self.made.entry(project_id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let found: Option<(i64, i64)> = projects::table
                    .find(project_id)
                    .select((projects::issue_minute, projects::issue_minute_count))
                    .first(conn)
                    .optional()?;
                entry.insert(found.ok_or(StoreError::NotFound)?)
            }
        };
        // Records of several nodes may come a little out of order: the minute never goes back.
        if minute > entry.0 {
            *entry = (minute, 0);
        }
        if entry.1 >= MOST_NEW_ISSUES {
            return Ok(false);
        }
        entry.1 += 1;
        Ok(true)
    }
}
