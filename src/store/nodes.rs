//! The processes that share this database. In: a node's heartbeat. Out: its small number, and who else is alive.

use diesel::prelude::*;

use super::schema::nodes;
use super::{Conn, StoreError, dialect, now_ms};

/// A node that has not been seen for this long counts as gone (milliseconds).
pub const ALIVE_FOR_MS: i64 = 12_000;

/// One process, as its heartbeat describes it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = nodes)]
pub struct Node {
    pub number: i64,
    pub uid: i64,
    pub name: String,
    pub roles: String,
    pub settings_version: i64,
    pub key_fingerprint: String,
    pub last_seen: i64,
    pub version: String,
    pub accepted: i64,
    pub digested: i64,
    pub damaged: i64,
    pub waiting: i64,
    pub journal_bytes: i64,
    /// When the oldest record that waits was received; 0 if none waits.
    pub oldest_at: i64,
}

/// What a heartbeat says of the node's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = nodes)]
pub struct JournalReport {
    pub accepted: i64,
    pub digested: i64,
    pub damaged: i64,
    pub waiting: i64,
    pub journal_bytes: i64,
    pub oldest_at: i64,
}

impl Node {
    fn new(number: i64, uid: i64) -> Self {
        Self {
            number,
            uid,
            name: String::new(),
            roles: String::new(),
            settings_version: 0,
            key_fingerprint: String::new(),
            last_seen: 0,
            version: String::new(),
            accepted: 0,
            digested: 0,
            damaged: 0,
            waiting: 0,
            journal_bytes: 0,
            oldest_at: 0,
        }
    }

    /// What was accepted and is nowhere, by the node's last heartbeat.
    pub fn missing(&self) -> i64 {
        self.accepted - self.digested - self.damaged - self.waiting
    }
}

/// Writes what a node says of its journal.
pub fn report(conn: &mut Conn, uid: i64, journal: JournalReport) -> Result<(), StoreError> {
    diesel::update(nodes::table.filter(nodes::uid.eq(uid)))
        .set(journal)
        .execute(conn)?;
    Ok(())
}

/// Every node that was there, alive or not, whose journal took something in or that lives.
pub fn all(conn: &mut Conn) -> Result<Vec<Node>, StoreError> {
    let lives = nodes::last_seen.gt(now_ms() - ALIVE_FOR_MS);
    Ok(nodes::table
        .filter(lives.or(nodes::accepted.gt(0)))
        .order(nodes::number)
        .select(Node::as_select())
        .load(conn)?)
}

/// Records that a node lives. A new node gets the next number; numbers are part of event row ids.
pub fn heartbeat(
    conn: &mut Conn,
    uid: i64,
    name: &str,
    roles: &str,
    settings_version: i64,
    fingerprint: &str,
) -> Result<i64, StoreError> {
    let now = now_ms();
    let number: Option<i64> = nodes::table
        .filter(nodes::uid.eq(uid))
        .select(nodes::number)
        .first(conn)
        .optional()?;
    if let Some(number) = number {
        diesel::update(nodes::table.find(number))
            .set((
                nodes::name.eq(name),
                nodes::roles.eq(roles),
                nodes::settings_version.eq(settings_version),
                nodes::key_fingerprint.eq(fingerprint),
                nodes::last_seen.eq(now),
                nodes::version.eq(env!("CARGO_PKG_VERSION")),
            ))
            .execute(conn)?;
        return Ok(number);
    }
    let node = Node {
        name: name.to_owned(),
        roles: roles.to_owned(),
        settings_version,
        key_fingerprint: fingerprint.to_owned(),
        last_seen: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Node::new(dialect::next_ids(conn, "node", 1)?, uid)
    };
    diesel::insert_into(nodes::table)
        .values(&node)
        .execute(conn)?;
    Ok(node.number)
}

/// The small number of a journal's node; a node that could not yet introduce itself gets its number here.
pub fn number_of(conn: &mut Conn, uid: i64) -> Result<i64, StoreError> {
    let known: Option<i64> = nodes::table
        .filter(nodes::uid.eq(uid))
        .select(nodes::number)
        .first(conn)
        .optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    let node = Node::new(dialect::next_ids(conn, "node", 1)?, uid);
    diesel::insert_into(nodes::table)
        .values(&node)
        .execute(conn)?;
    Ok(node.number)
}

/// The nodes seen lately.
pub fn alive(conn: &mut Conn) -> Result<Vec<Node>, StoreError> {
    Ok(nodes::table
        .filter(nodes::last_seen.gt(now_ms() - ALIVE_FOR_MS))
        .order(nodes::number)
        .select(Node::as_select())
        .load(conn)?)
}

/// How many live nodes have not taken over the settings of this version yet: they do not know a new key.
pub fn behind(conn: &mut Conn, version: i64) -> Result<usize, StoreError> {
    let alive = alive(conn)?;
    Ok(alive
        .iter()
        .filter(|node| node.settings_version < version)
        .count())
}

/// Takes a node off the list of the living when it stops in good order.
pub fn leave(conn: &mut Conn, uid: i64) -> Result<(), StoreError> {
    diesel::update(nodes::table.filter(nodes::uid.eq(uid)))
        .set(nodes::last_seen.eq(0))
        .execute(conn)?;
    Ok(())
}
