//! Tokens of the JSON API. In: scopes, or a token somebody presents. Out: a new secret, shown once, or whom it stands
//! for. Only digests are stored.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::schema::{api_tokens, users};
use super::{Conn, StoreError, dialect, now_ms};

/// Every scope there is; each family's stronger ones come with the weaker.
pub const SCOPES: &[&str] = &[
    "org:read",
    "org:write",
    "org:admin",
    "org:integrations",
    "org:ci",
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "team:read",
    "team:write",
    "team:admin",
    "member:read",
    "member:write",
    "member:admin",
    "event:read",
    "event:write",
    "event:admin",
    "alerts:read",
    "alerts:write",
];

/// Whom a presented token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOwner {
    pub token_id: i64,
    /// None for an organization's own token.
    pub user_id: Option<i64>,
    pub organization_id: Option<i64>,
    pub scopes: Vec<String>,
}

/// Makes a token of a user: `sntryu_` and 64 hex digits. Without scopes it may all that its user may.
pub fn create_user_token(
    conn: &mut Conn,
    user_id: i64,
    name: &str,
    scopes: &[String],
) -> Result<String, StoreError> {
    if let Some(unknown) = scopes
        .iter()
        .find(|scope| !SCOPES.contains(&scope.as_str()))
    {
        return Err(StoreError::Invalid(format!(
            "'{unknown}' is not a scope; known are {}",
            SCOPES.join(", ")
        )));
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    let secret = format!("sntryu_{}", hex::encode(bytes));
    let scopes = if scopes.is_empty() {
        SCOPES.join(",")
    } else {
        scopes.join(",")
    };
    diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::id.eq(dialect::next_ids(conn, "token", 1)?),
            api_tokens::user_id.eq(Some(user_id)),
            api_tokens::name.eq(name),
            api_tokens::token_hash.eq(digest(&secret)),
            api_tokens::last_four.eq(&secret[secret.len() - 4..]),
            api_tokens::scopes.eq(scopes),
            api_tokens::created_at.eq(now_ms()),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// Whom a token stands for; none if nobody, or if its user is switched off.
pub fn owner(conn: &mut Conn, secret: &str) -> Result<Option<TokenOwner>, StoreError> {
    let row: Option<(i64, Option<i64>, Option<i64>, String)> = api_tokens::table
        .filter(api_tokens::token_hash.eq(digest(secret)))
        .select((
            api_tokens::id,
            api_tokens::user_id,
            api_tokens::organization_id,
            api_tokens::scopes,
        ))
        .first(conn)
        .optional()?;
    let Some((token_id, user_id, organization_id, scopes)) = row else {
        return Ok(None);
    };
    if let Some(user_id) = user_id {
        let active: Option<bool> = users::table
            .find(user_id)
            .select(users::is_active)
            .first(conn)
            .optional()?;
        if active != Some(true) {
            return Ok(None);
        }
    }
    let scopes = scopes.split(',').map(str::to_owned).collect();
    Ok(Some(TokenOwner {
        token_id,
        user_id,
        organization_id,
        scopes,
    }))
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
