//! What earlier batches have found out, kept in memory so that a batch asks the database only for what is new to it.
//! In: the word that a partition is locked. Out: what is known of its projects, if nobody else has written there since.
//!
//! Each batch leaves a random token in the row of every partition it locks. A batch that finds the token of the last one
//! from this process knows that no other process has changed hashes, users or environments of these projects in
//! between, and that the last batch was committed; otherwise it starts with an empty memory. Whoever moves hashes
//! between issues or deletes what is remembered here must lock the project's partition, which changes the token.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use super::tags::KnownTags;
use super::{PARTITIONS, partition_of};
use crate::store::{Conn, StoreError, dialect};

/// The lock under which counts of tags are written, beside those of the partitions.
const TAGS: i64 = PARTITIONS;

/// What one partition remembers at most: hashes, environments and releases, which are few, and pairs of issue and user,
/// of which eight bytes each are kept.
const MOST_HASHES: usize = 50_000;
const MOST_USERS: usize = 500_000;

/// Everything that is remembered, by partition. Share one for each database.
pub struct Cache {
    partitions: Vec<Mutex<Partition>>,
    tags: Mutex<KnownTags>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            partitions: (0..PARTITIONS).map(|_| Mutex::default()).collect(),
            tags: Mutex::default(),
        }
    }
}

/// What never changes of a project.
#[derive(Clone, Copy)]
pub(super) struct Project {
    pub organization_id: i64,
    /// The version of grouping that its first events came under.
    pub grouping: i32,
}

/// What is known of the projects of one partition.
#[derive(Default)]
pub(super) struct Partition {
    token: Option<i64>,
    /// The issue of a project's grouping hash.
    pub hashes: HashMap<(i64, [u8; 16]), i64>,
    pub environments: HashMap<(i64, String), i64>,
    /// The number of a project's release.
    pub releases: HashMap<(i64, String), i64>,
    pub projects: HashMap<i64, Project>,
    /// Pairs of issue and user that have a row, as 64 bits of their hash.
    pub users: HashSet<u64>,
}

impl Partition {
    fn forget(&mut self) {
        *self = Self::default();
    }

    fn keep_in_bounds(&mut self) {
        if self.hashes.len() + self.environments.len() + self.releases.len() > MOST_HASHES {
            self.hashes = HashMap::new();
            self.environments = HashMap::new();
            self.releases = HashMap::new();
        }
        if self.users.len() > MOST_USERS {
            self.users = HashSet::new();
        }
    }
}

/// The locked partitions of a batch, with what is known of them.
pub(super) struct Known<'c> {
    partitions: Vec<(i64, MutexGuard<'c, Partition>)>,
}

impl Known<'_> {
    /// What is known of the partition that a project belongs to; the batch has locked it.
    pub fn of(&mut self, project_id: i64) -> &mut Partition {
        let wanted = partition_of(project_id);
        let at = self
            .partitions
            .iter()
            .position(|(partition, _)| *partition == wanted)
            .expect("a batch locks the partitions of all its projects");
        &mut self.partitions[at].1
    }
}

impl Cache {
    /// Locks partitions, given in rising order, until the transaction ends.
    pub(super) fn lock(
        &self,
        conn: &mut Conn,
        partitions: &[i64],
    ) -> Result<Known<'_>, StoreError> {
        // The memory first, then the rows: a thread that waits for rows holds up only those who need the same rows.
        let mut known: Vec<(i64, MutexGuard<'_, Partition>)> = partitions
            .iter()
            .map(|partition| {
                let memory = &self.partitions[*partition as usize];
                (
                    *partition,
                    memory.lock().unwrap_or_else(|poisoned| {
                        // A panic in mid-batch may have left half of a batch in it.
                        let mut memory = poisoned.into_inner();
                        memory.forget();
                        memory
                    }),
                )
            })
            .collect();
        let token = random_token()?;
        let found = dialect::lock_partitions(conn, partitions, token)?;
        for (partition, memory) in &mut known {
            let left = found.iter().find(|(id, _)| id == partition);
            if memory.token.is_none() || memory.token != left.map(|(_, token)| *token) {
                memory.forget();
            }
            memory.keep_in_bounds();
            memory.token = Some(token);
        }
        Ok(Known { partitions: known })
    }

    /// Locks the counts of tags until the transaction ends. The last lock that a batch takes.
    pub(super) fn lock_tags(
        &self,
        conn: &mut Conn,
    ) -> Result<MutexGuard<'_, KnownTags>, StoreError> {
        let mut known = self.tags.lock().unwrap_or_else(|poisoned| {
            let mut memory = poisoned.into_inner();
            memory.forget();
            memory
        });
        let token = random_token()?;
        let found = dialect::lock_partitions(conn, &[TAGS], token)?;
        let left = found.first().map(|(_, token)| *token);
        known.continue_from(left, token);
        Ok(known)
    }
}

/// Locks a project against batches until the transaction ends, on every node, and makes them forget what they know of
/// it: for whoever gives hashes to another issue, or takes users away from one.
pub fn lock_project(conn: &mut Conn, project_id: i64) -> Result<(), StoreError> {
    dialect::lock_partitions(conn, &[partition_of(project_id)], random_token()?)?;
    Ok(())
}

/// Locks a project against batches until the transaction ends; what they know of it has to stay true.
pub fn hold_project(conn: &mut Conn, project_id: i64) -> Result<(), StoreError> {
    dialect::hold_partition(conn, partition_of(project_id))
}

fn random_token() -> Result<i64, StoreError> {
    getrandom::u64()
        .map(|number| (number >> 1) as i64)
        .map_err(|error| StoreError::Invalid(format!("the system has no random numbers: {error}")))
}
