//! How many new issues a project may have. In: events whose fingerprint is unknown. Out: whether one more issue is allowed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use diesel::prelude::*;

use crate::store::schema::projects;
use crate::store::{Conn, StoreError};

/// The minutes whose new issues may come at once: a project that is connected today has its first hundreds within seconds.
const BURST_MINUTES: i64 = 25;

const MINUTE_MS: i64 = 60_000;

/// How many new issues the projects of a batch may still have. Beyond, events go to one common issue: a program that puts
/// something random into its errors would bury the list.
pub(super) struct Allowance {
    /// New issues of a project in a minute, on average; 0 for any number.
    limit: i64,
    /// By project: the minute of the last new issue, and the new issues that still count against the limit. As in a leaky
    /// bucket, each minute takes `limit` of them away.
    made: HashMap<i64, (i64, i64)>,
}

impl Allowance {
    pub fn new(limit: i64) -> Self {
        Self {
            limit,
            made: HashMap::new(),
        }
    }

    /// The minute of a project, and the issues that count in it.
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
        if self.limit == 0 {
            return Ok(true);
        }
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
        let passed = minute.saturating_sub(entry.0).max(0);
        let leaked = passed.saturating_mul(self.limit);
        *entry = (entry.0.max(minute), entry.1.saturating_sub(leaked).max(0));
        if entry.1 >= self.limit.saturating_mul(BURST_MINUTES) {
            return Ok(false);
        }
        entry.1 += 1;
        Ok(true)
    }
}
