//! In: `TEST_DATABASE` and the addresses of private database servers. Out: a database of its own for each test,
//! empty or cloned from a template, dropped afterwards.

use std::env;
use std::path::Path;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::sql_types::{BigInt, Binary, Text};
use diesel::{
    Connection, MysqlConnection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection,
    sql_query,
};
use url::Url;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Sqlite,
    Postgres,
    Mysql,
}

pub fn backend() -> Backend {
    match env::var("TEST_DATABASE").as_deref() {
        Err(_) | Ok("" | "sqlite") => Backend::Sqlite,
        Ok("postgres") => Backend::Postgres,
        Ok("mysql") => Backend::Mysql,
        Ok(other) => panic!("TEST_DATABASE={other}: sqlite, postgres or mysql"),
    }
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// What `CAST` calls a 64-bit integer.
pub fn integer() -> &'static str {
    if backend() == Backend::Mysql {
        "SIGNED"
    } else {
        "BIGINT"
    }
}

/// A database that lives as long as this value. `SQLite`'s lies in the data folder and goes with it.
pub struct Database {
    pub url: String,
    name: Option<String>,
}

impl Database {
    pub fn empty(data: &Path) -> Self {
        Self::create(data, None)
    }

    pub fn copy_of(template: &Database, data: &Path) -> Self {
        Self::create(data, Some(template))
    }

    fn create(data: &Path, template: Option<&Database>) -> Self {
        if backend() == Backend::Sqlite {
            let path = data.join("test.sqlite");
            if let Some(template) = template {
                let source = template
                    .url
                    .strip_prefix("sqlite:")
                    .expect("the template is on the same backend");
                for suffix in ["", "-wal"]
                    .into_iter()
                    .filter(|suffix| Path::new(&format!("{source}{suffix}")).exists())
                {
                    let target = format!("{}{suffix}", path.display());
                    std::fs::copy(format!("{source}{suffix}"), target).expect("copy the template");
                }
            }
            return Self {
                url: format!("sqlite:{}", path.display()),
                name: None,
            };
        }
        let name = format!(
            "bugle_test_{}_{}",
            process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        match (
            backend(),
            template.and_then(|template| template.name.as_deref()),
        ) {
            (Backend::Postgres, None) => postgres(&[format!("CREATE DATABASE {name}")]),
            (Backend::Postgres, Some(source)) => {
                postgres(&[format!("CREATE DATABASE {name} TEMPLATE {source}")]);
            }
            (_, None) => mysql(&[create_mysql(&name)]),
            (_, Some(source)) => clone_mysql(source, &name),
        }
        let mut url = server();
        url.set_path(&name);
        Self {
            url: url.into(),
            name: Some(name),
        }
    }
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = Binary)]
    event_id: Vec<u8>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// For what no page and no command shows yet, and for states that nobody can bring about from outside.
impl Database {
    /// The sum or count that a query gives the name `number`.
    pub fn number(&self, query: &str) -> i64 {
        let row: Number = match backend() {
            Backend::Sqlite => sql_query(query).get_result(&mut self.sqlite()),
            Backend::Postgres => sql_query(query).get_result(&mut pg_connection(&self.url)),
            Backend::Mysql => sql_query(query).get_result(&mut mysql_connection(&self.url)),
        }
        .unwrap_or_else(|error| panic!("{query}: {error}"));
        row.number
    }

    /// Ids of all stored events, as often as they are stored, oldest first.
    pub fn event_ids(&self) -> Vec<String> {
        let query = "SELECT event_id FROM events ORDER BY id";
        let rows: Vec<EventRow> = match backend() {
            Backend::Sqlite => sql_query(query).load(&mut self.sqlite()),
            Backend::Postgres => sql_query(query).load(&mut pg_connection(&self.url)),
            Backend::Mysql => sql_query(query).load(&mut mysql_connection(&self.url)),
        }
        .expect("read the events");
        rows.into_iter()
            .map(|row| hex::encode(row.event_id))
            .collect()
    }

    /// Columns with a value that holds one of the texts. Payloads are compressed, and so not looked into.
    pub fn columns_with(&self, texts: &[&str]) -> Vec<String> {
        let columns = match backend() {
            Backend::Sqlite => {
                "SELECT m.name AS owner, c.name AS name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
            }
            Backend::Postgres => {
                "SELECT CAST(table_name AS TEXT) AS owner, CAST(column_name AS TEXT) AS name FROM information_schema.columns WHERE table_schema = 'public'"
            }
            Backend::Mysql => {
                "SELECT table_name AS owner, column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE()"
            }
        };
        let columns: Vec<Column> = match backend() {
            Backend::Sqlite => sql_query(columns).load(&mut self.sqlite()),
            Backend::Postgres => sql_query(columns).load(&mut pg_connection(&self.url)),
            Backend::Mysql => sql_query(columns).load(&mut mysql_connection(&self.url)),
        }
        .expect("list the columns");
        assert!(columns.len() > 100, "all columns");
        let text = if backend() == Backend::Mysql {
            "CHAR"
        } else {
            "TEXT"
        };
        columns
            .iter()
            .filter(|column| {
                let found: Vec<String> = texts
                    .iter()
                    .map(|needle| format!("CAST({} AS {text}) LIKE '%{needle}%'", column.name))
                    .collect();
                let (owner, found) = (&column.owner, found.join(" OR "));
                self.number(&format!(
                    "SELECT COUNT(*) AS number FROM {owner} WHERE {found}"
                )) > 0
            })
            .map(|column| format!("{}.{}", column.owner, column.name))
            .collect()
    }

    pub fn execute(&self, statement: &str) {
        match backend() {
            Backend::Sqlite => sql_query(statement).execute(&mut self.sqlite()),
            Backend::Postgres => sql_query(statement).execute(&mut pg_connection(&self.url)),
            Backend::Mysql => sql_query(statement).execute(&mut mysql_connection(&self.url)),
        }
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Holds `SQLite`'s only write lock until the connection is dropped.
    pub fn lock(&self) -> SqliteConnection {
        let mut connection = self.sqlite();
        // A server under load leaves it for moments only, which waiting in longer and longer steps would miss.
        sql_query("PRAGMA busy_timeout = 0")
            .execute(&mut connection)
            .expect("set the timeout");
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(error) = sql_query("BEGIN IMMEDIATE").execute(&mut connection) {
            assert!(Instant::now() < deadline, "take the write lock: {error}");
            std::thread::yield_now();
        }
        connection
    }

    fn sqlite(&self) -> SqliteConnection {
        let path = self
            .url
            .strip_prefix("sqlite:")
            .expect("the backend is SQLite");
        let mut connection = SqliteConnection::establish(path).expect("open the database");
        sql_query("PRAGMA busy_timeout = 10000")
            .execute(&mut connection)
            .expect("set the timeout");
        connection
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A failed test leaves its database behind, to be looked at; private servers end with the run.
        if std::thread::panicking() {
            return;
        }
        match (backend(), &self.name) {
            (Backend::Postgres, Some(name)) => {
                postgres(&[format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")]);
            }
            (Backend::Mysql, Some(name)) => mysql(&[format!("DROP DATABASE IF EXISTS {name}")]),
            _ => {}
        }
    }
}

fn server() -> Url {
    let variable = if backend() == Backend::Postgres {
        "TEST_POSTGRES_URL"
    } else {
        "TEST_MYSQL_URL"
    };
    let value = env::var(variable)
        .unwrap_or_else(|_| panic!("set {variable} to the address of a private server"));
    Url::parse(&value).unwrap_or_else(|error| panic!("{variable}: {error}"))
}

/// One at a time: two copies of one template get into each other's way.
static ADMIN: Mutex<()> = Mutex::new(());

fn postgres(statements: &[String]) {
    let _turn = ADMIN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut connection = pg_connection(server().as_str());
    for statement in statements {
        sql_query(statement)
            .execute(&mut connection)
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

fn create_mysql(name: &str) -> String {
    format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")
}

fn pg_connection(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("connect to TEST_POSTGRES_URL")
}

fn mysql_connection(url: &str) -> MysqlConnection {
    MysqlConnection::establish(url).expect("connect to TEST_MYSQL_URL")
}

fn mysql(statements: &[String]) {
    let mut connection = mysql_connection(server().as_str());
    for statement in statements {
        sql_query(statement)
            .execute(&mut connection)
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Definition {
    #[diesel(sql_type = Text, column_name = "Create Table")]
    create_table: String,
}

/// `MySQL` has no templates: the tables are made again from their definitions, with their rows.
fn clone_mysql(source: &str, name: &str) {
    let mut connection = mysql_connection(server().as_str());
    let tables: Vec<Name> = sql_query(format!(
        "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = '{source}'"
    ))
    .load(&mut connection)
    .expect("list the template's tables");
    let mut statements = vec![
        create_mysql(name),
        format!("USE {name}"),
        "SET foreign_key_checks = 0".to_owned(),
    ];
    for Name { name: table } in &tables {
        let definition: Definition = sql_query(format!("SHOW CREATE TABLE `{source}`.`{table}`"))
            .get_result(&mut connection)
            .expect("read the definition of a table");
        statements.push(definition.create_table);
        statements.push(format!(
            "INSERT INTO `{name}`.`{table}` SELECT * FROM `{source}`.`{table}`"
        ));
    }
    mysql(&statements);
}
