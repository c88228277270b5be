//! One connection type over the three databases.
//! In: a database URL. Out: an open connection with the session settings that the rest relies on.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::StoreError;

/// Which database a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
    Mysql,
}

impl Backend {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL or MariaDB",
        }
    }
}

/// An open connection to whichever database is configured.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    Mysql(MysqlConnection),
}

/// A checked database address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    pub backend: Backend,
    url: String,
}

impl DatabaseUrl {
    /// Accepts `sqlite:PATH`, `postgres://…` (or `postgresql://…`) and `mysql://…` (or `mariadb://…`).
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(StoreError::Url(
                    "sqlite: needs a file path, as in sqlite:data/bugle.db".into(),
                ));
            }
            return Ok(Self {
                backend: Backend::Sqlite,
                url: path.to_owned(),
            });
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self {
                backend: Backend::Postgres,
                url: text.to_owned(),
            });
        }
        if let Some(rest) = text
            .strip_prefix("mysql://")
            .or_else(|| text.strip_prefix("mariadb://"))
        {
            return Ok(Self {
                backend: Backend::Mysql,
                url: format!("mysql://{rest}"),
            });
        }
        Err(StoreError::Url(
            "the database URL must start with sqlite:, postgres:// or mysql://".into(),
        ))
    }

    /// The file of an `SQLite` database.
    pub fn sqlite_path(&self) -> Option<&str> {
        (self.backend == Backend::Sqlite).then_some(self.url.as_str())
    }

    /// The address of a database server, password included; none where the database is a file.
    pub fn server_url(&self) -> Option<&str> {
        (self.backend != Backend::Sqlite).then_some(self.url.as_str())
    }

    /// Opens a connection and prepares its session.
    pub fn connect(&self) -> Result<Conn, StoreError> {
        match self.backend {
            Backend::Sqlite => {
                let mut conn = SqliteConnection::establish(&self.url)?;
                // FULL: a commit must survive a power cut, as the journal forgets what was committed.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; \
                     PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;",
                )
                .map_err(StoreError::Query)?;
                Ok(Conn::Sqlite(conn))
            }
            Backend::Postgres => {
                let mut conn = PgConnection::establish(&with_timeouts(&self.url))?;
                conn.batch_execute("SET TIME ZONE 'UTC'; SET client_min_messages TO warning; SET lock_timeout TO '30s'")
                    .map_err(StoreError::Query)?;
                Ok(Conn::Postgres(conn))
            }
            Backend::Mysql => {
                let tls = MysqlTls::of(&self.url)?;
                let mut conn = MysqlConnection::establish(&tls.url)?;
                refuse_forgetful_library(&mut conn)?;
                if tls.required {
                    refuse_plain_text(&mut conn)?;
                }
                conn.batch_execute(
                    "SET NAMES utf8mb4 COLLATE utf8mb4_bin; SET time_zone = '+00:00'; \
                     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
                     SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
                )
                .map_err(StoreError::Query)?;
                Ok(Conn::Mysql(conn))
            }
        }
    }
}

/// Without these a connection whose other end went without a word (a machine that died, a firewall that forgot) is waited for
/// by the operating system's rules: for hours.
const POSTGRES_TIMEOUTS: &[(&str, &str)] = &[
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
];

/// Adds what the address does not say itself; one that names several hosts is left as it is.
fn with_timeouts(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else {
        return url.to_owned();
    };
    let given: Vec<String> = parsed
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    for (name, value) in POSTGRES_TIMEOUTS {
        if !given.iter().any(|given| given == name) {
            parsed.query_pairs_mut().append_pair(name, value);
        }
    }
    parsed.into()
}

/// What a MySQL address says about TLS.
#[derive(Debug, PartialEq, Eq)]
struct MysqlTls {
    /// The address to connect to, with a file of trusted certificates where TLS is asked for.
    url: String,
    required: bool,
}

/// Where systems keep the certificates they trust: Debian and Alpine, Fedora, macOS and BSD.
const SYSTEM_CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

impl MysqlTls {
    /// MariaDB's client library, which Debian has, knows no `ssl_mode`: it speaks TLS only when it is told which
    /// certificates to trust. So `ssl_mode=REQUIRED` without `ssl_ca` trusts what the system trusts.
    fn of(url: &str) -> Result<Self, StoreError> {
        let parsed = url::Url::parse(url)
            .map_err(|error| StoreError::Url(format!("the database URL is no URL: {error}")))?;
        let option = |wanted: &str| {
            parsed
                .query_pairs()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.to_uppercase())
        };
        let required = match option("ssl_mode").as_deref() {
            None | Some("DISABLED" | "PREFERRED") => false,
            Some("REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY") => true,
            Some(other) => {
                return Err(StoreError::Url(format!(
                    "ssl_mode={other} is not known: use DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"
                )));
            }
        };
        let mut with_ca = parsed.clone();
        if required && option("ssl_ca").is_none() {
            let bundle = SYSTEM_CERTIFICATES.iter().find(|path| std::path::Path::new(path).exists()).ok_or_else(|| {
                StoreError::Url("this system has no list of trusted certificates: add ssl_ca=PATH to the database URL".into())
            })?;
            with_ca.query_pairs_mut().append_pair("ssl_ca", bundle);
        }
        Ok(Self {
            url: with_ca.into(),
            required,
        })
    }
}

/// Some releases of MariaDB's client library (3.3.19 and 3.4.9 among them) lose the texts of a result's first row without an
/// error, wherever diesel has to fetch them a second time. What is read through one of them cannot be trusted.
fn refuse_forgetful_library(conn: &mut MysqlConnection) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let row: Row = diesel::sql_query("SELECT REPEAT('bugle', 60) AS text")
        .get_result(conn)
        .map_err(StoreError::Query)?;
    if row.text.len() == 300 {
        Ok(())
    } else {
        Err(StoreError::Url(
            "the installed libmariadb loses text that it reads (MariaDB's bug CONC-821): \
             bring it up to date; on Debian 12 libmariadb3 10.11.19 or later is good"
                .into(),
        ))
    }
}

/// A client library that ignores what it does not know must not send a password's data in the clear.
fn refuse_plain_text(conn: &mut MysqlConnection) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Status {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "Value")]
        value: String,
    }
    let status: Vec<Status> =
        diesel::sql_query("SHOW SESSION STATUS LIKE 'Ssl_cipher'").load(conn)?;
    if status.iter().any(|status| !status.value.is_empty()) {
        return Ok(());
    }
    Err(StoreError::Url(
        "the database URL asks for TLS, but the server does not speak it".into(),
    ))
}

impl Conn {
    /// Runs `work` in one transaction. On `SQLite` it takes the write lock at once, so that two writers wait for
    /// each other instead of failing half-way.
    pub fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin()?;
        match work(self) {
            Ok(value) => {
                self.commit()?;
                Ok(value)
            }
            Err(error) => {
                if let Err(rollback) = self.rollback() {
                    tracing::debug!(%rollback, "the rollback failed; the connection is dropped");
                }
                Err(error)
            }
        }
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        let sql = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN",
            Self::Mysql(_) => "START TRANSACTION",
        };
        Ok(self.batch_execute(sql)?)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.batch_execute("COMMIT")?)
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        Ok(self.batch_execute("ROLLBACK")?)
    }

    /// Whether the server at the other end still answers.
    pub fn is_alive(&mut self) -> bool {
        self.batch_execute("SELECT 1").is_ok()
    }

    pub fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
            Self::Mysql(_) => Backend::Mysql,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_to_mysql_is_asked_for_by_ssl_mode() {
        let tls = |query: &str| {
            MysqlTls::of(&format!("mysql://u@h/db{query}")).map(|tls| (tls.required, tls.url))
        };
        let plain = (false, "mysql://u@h/db".to_owned());
        assert_eq!(tls("").expect("fine"), plain);
        assert!(!tls("?ssl_mode=disabled").expect("fine").0);
        let given = tls("?ssl_mode=VERIFY_CA&ssl_ca=/own.pem").expect("fine");
        assert_eq!(
            given,
            (
                true,
                "mysql://u@h/db?ssl_mode=VERIFY_CA&ssl_ca=/own.pem".to_owned()
            )
        );
        if SYSTEM_CERTIFICATES
            .iter()
            .any(|path| std::path::Path::new(path).exists())
        {
            assert!(
                tls("?ssl_mode=REQUIRED")
                    .expect("fine")
                    .1
                    .contains("ssl_ca=")
            );
        }
        assert!(tls("?ssl_mode=maybe").is_err());
    }

    #[test]
    fn the_scheme_names_the_database() {
        let backend = |text: &str| DatabaseUrl::parse(text).map(|url| url.backend).ok();
        assert_eq!(backend("sqlite:data/bugle.db"), Some(Backend::Sqlite));
        assert_eq!(backend("sqlite:///srv/bugle.db"), Some(Backend::Sqlite));
        assert_eq!(backend("postgresql://u@h/db"), Some(Backend::Postgres));
        assert_eq!(backend("mariadb://u@h/db"), Some(Backend::Mysql));
        assert_eq!(backend("data/bugle.db"), None);
        assert_eq!(backend("sqlite:"), None);
    }
}
