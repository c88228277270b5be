//! Sessions of the dashboard. In: random tokens, of which only the hash is kept. Out: who is signed in.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::accounts::User;
use super::schema::{sessions, users};
use super::{Conn, StoreError};

const DAY_MS: i64 = 86_400_000;
/// A session ends after this time without a request.
const IDLE_MS: i64 = 14 * DAY_MS;
/// A session ends this long after signing in, whatever happens.
const ABSOLUTE_MS: i64 = 30 * DAY_MS;
/// How stale the last-seen time may get: a write for every page would cost more than it says.
const TOUCH_MS: i64 = 10 * 60_000;

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    pub user: User,
    pub csrf_token: String,
    pub token_hash: Vec<u8>,
    last_seen_at: i64,
}

impl Session {
    /// Whether the last-seen time is worth a write.
    pub fn is_stale(&self, now: i64) -> bool {
        now - self.last_seen_at > TOUCH_MS
    }
}

/// What the store keeps of a token.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Signs a user in under the hash of a fresh token.
pub fn create(
    conn: &mut Conn,
    user_id: i64,
    token_hash: &[u8],
    csrf_token: &str,
    now: i64,
) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(token_hash),
            sessions::user_id.eq(user_id),
            sessions::csrf_token.eq(csrf_token),
            sessions::created_at.eq(now),
            sessions::last_seen_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The session of a token, while it lasts and its account is active.
pub fn find(conn: &mut Conn, token_hash: &[u8], now: i64) -> Result<Option<Session>, StoreError> {
    let row: Option<(User, String, i64)> = sessions::table
        .inner_join(users::table.on(users::id.eq(sessions::user_id)))
        .filter(sessions::token_hash.eq(token_hash))
        .filter(sessions::last_seen_at.gt(now - IDLE_MS))
        .filter(sessions::created_at.gt(now - ABSOLUTE_MS))
        .filter(users::is_active.eq(true))
        .select((
            User::as_select(),
            sessions::csrf_token,
            sessions::last_seen_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(|(user, csrf_token, last_seen_at)| Session {
        user,
        csrf_token,
        token_hash: token_hash.to_vec(),
        last_seen_at,
    }))
}

/// Notes that a session is in use.
pub fn touch(conn: &mut Conn, token_hash: &[u8], now: i64) -> Result<(), StoreError> {
    diesel::update(sessions::table.find(token_hash))
        .set(sessions::last_seen_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Signs out.
pub fn delete(conn: &mut Conn, token_hash: &[u8]) -> Result<(), StoreError> {
    diesel::delete(sessions::table.find(token_hash)).execute(conn)?;
    Ok(())
}

/// Removes what has run out; returns how many there were.
pub fn delete_expired(conn: &mut Conn, now: i64) -> Result<usize, StoreError> {
    let expired = sessions::last_seen_at
        .le(now - IDLE_MS)
        .or(sessions::created_at.le(now - ABSOLUTE_MS));
    Ok(diesel::delete(sessions::table.filter(expired)).execute(conn)?)
}
