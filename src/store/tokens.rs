//! Tokens of the JSON API. In: scopes, or a token somebody presents. Out: a new secret, shown once, or whom it stands
//! for. Only digests are stored.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::schema::{api_tokens, users};
use super::scope::OrgScope;
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

/// What an organization's token may: what builds need, and nothing else.
pub const ORGANIZATION_SCOPE: &str = "org:ci";
/// The unsigned part of an organization's token, which clients read.
#[derive(serde::Serialize)]
struct Claims<'c> {
    /// Seconds since 1970.
    iat: f64,
    url: &'c str,
    region_url: &'c str,
    org: &'c str,
}

/// A token of an organization, without its secret.
#[derive(Debug, Clone, Queryable)]
pub struct OrganizationToken {
    pub id: i64,
    pub name: String,
    pub last_four: String,
    pub created_at: i64,
}

/// Makes a token of an organization, with no user behind it: `sntrys_`, Base64 of what clients read out of it, `_`, and Base64 of 32
/// random bytes without padding, as sentry-cli expects it. `base_url` is where clients find this server.
pub fn create_organization_token(
    conn: &mut Conn,
    scope: &OrgScope,
    name: &str,
    base_url: &str,
) -> Result<(OrganizationToken, String), StoreError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    let now = now_ms();
    let claims = Claims {
        iat: now as f64 / 1000.0,
        url: base_url,
        region_url: base_url,
        org: &scope.organization().slug,
    };
    let claims = serde_json::to_vec(&claims).expect("plain values");
    let secret = format!(
        "sntrys_{}_{}",
        STANDARD.encode(claims),
        STANDARD_NO_PAD.encode(bytes)
    );
    let token = OrganizationToken {
        id: dialect::next_ids(conn, "token", 1)?,
        name: name.to_owned(),
        last_four: secret[secret.len() - 4..].to_owned(),
        created_at: now,
    };
    diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::id.eq(token.id),
            api_tokens::organization_id.eq(Some(scope.organization_id())),
            api_tokens::name.eq(name),
            api_tokens::token_hash.eq(digest(&secret)),
            api_tokens::last_four.eq(&token.last_four),
            api_tokens::scopes.eq(ORGANIZATION_SCOPE),
            api_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok((token, secret))
}

/// The tokens of an organization, newest first.
pub fn of_organization(
    conn: &mut Conn,
    scope: &OrgScope,
) -> Result<Vec<OrganizationToken>, StoreError> {
    Ok(api_tokens::table
        .filter(api_tokens::organization_id.eq(scope.organization_id()))
        .filter(api_tokens::user_id.is_null())
        .order(api_tokens::id.desc())
        .select((
            api_tokens::id,
            api_tokens::name,
            api_tokens::last_four,
            api_tokens::created_at,
        ))
        .load(conn)?)
}

/// Takes a token of an organization back.
pub fn revoke(conn: &mut Conn, scope: &OrgScope, id: i64) -> Result<(), StoreError> {
    let gone = diesel::delete(
        api_tokens::table
            .filter(api_tokens::id.eq(id))
            .filter(api_tokens::organization_id.eq(scope.organization_id()))
            .filter(api_tokens::user_id.is_null()),
    )
    .execute(conn)?;
    if gone == 0 {
        return Err(StoreError::NotFound);
    }
    Ok(())
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
