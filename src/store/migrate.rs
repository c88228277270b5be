//! Schema migrations, embedded in the binary. In: a database. Out: the same database at this release's schema,
//! or the names of what is pending.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Conn, DatabaseUrl};
use super::{StoreError, dialect};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

macro_rules! on_backend {
    ($conn:expr, |$inner:ident, $migrations:ident| $body:expr) => {
        match $conn {
            Conn::Sqlite($inner) => {
                let $migrations = SQLITE;
                $body
            }
            Conn::Postgres($inner) => {
                let $migrations = POSTGRES;
                $body
            }
            Conn::Mysql($inner) => {
                let $migrations = MYSQL;
                $body
            }
        }
    };
}

/// Runs what is pending, under a lock, and returns the names of what was run.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    let _file_lock = lock_file(url)?;
    let mut conn = url.connect()?;
    dialect::lock_migrations(&mut conn)?;
    on_backend!(&mut conn, |inner, migrations| {
        let versions = inner
            .run_pending_migrations(migrations)
            .map_err(|error| StoreError::Migration(error.to_string()))?;
        Ok(versions.iter().map(ToString::to_string).collect())
    })
}

/// The names of the migrations that this release has and the database has not.
pub fn pending(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    let mut conn = url.connect()?;
    on_backend!(&mut conn, |inner, migrations| {
        let pending = inner
            .pending_migrations(migrations)
            .map_err(|error| StoreError::Migration(error.to_string()))?;
        Ok(pending
            .iter()
            .map(|migration| migration.name().to_string())
            .collect())
    })
}

/// `SQLite` has no lock that outlives a transaction, so two starting processes agree on a file beside the database.
fn lock_file(url: &DatabaseUrl) -> Result<Option<std::fs::File>, StoreError> {
    let Some(path) = url.sqlite_path() else {
        return Ok(None);
    };
    let path = format!("{path}.migrating");
    let problem =
        |error: std::io::Error| StoreError::Migration(format!("cannot lock {path}: {error}"));
    let file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(problem)?;
    file.lock().map_err(problem)?;
    Ok(Some(file))
}
