//! In: nothing but the binary. Out: the people, organizations, projects and tokens that every test finds, made once a
//! run through the command line and cloned for each test.

use std::path::Path;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::cli;
use super::database::Database;
use super::server::Environment;

pub const OWNER: &str = "owner@example.com";
pub const PASSWORD: &str = "correct horse battery staple";
pub const STRANGER: &str = "stranger@example.com";

/// `acme` with the projects `shop` and `web` belongs to the owner; `umbrella` with `secret` to the stranger.
#[derive(Clone)]
pub struct World {
    pub dsn: String,
    pub web_dsn: String,
    pub secret_dsn: String,
    pub token: String,
    pub stranger_token: String,
}

struct Template {
    world: World,
    database: Database,
    _data: TempDir,
}

static TEMPLATE: OnceLock<Template> = OnceLock::new();

fn template() -> &'static Template {
    TEMPLATE.get_or_init(|| {
        let data = TempDir::new().expect("a temporary folder");
        let database = Database::empty(data.path());
        let environment = environment(data.path(), &database);
        let world = found(&environment);
        Template {
            world,
            database,
            _data: data,
        }
    })
}

pub fn environment(data: &Path, database: &Database) -> Environment {
    Environment::from([
        ("BUGLE_DATA_DIR".to_owned(), data.display().to_string()),
        ("BUGLE_DATABASE_URL".to_owned(), database.url.clone()),
    ])
}

fn found(environment: &Environment) -> World {
    let run = |arguments: &[&str]| cli::run(environment, arguments).success();
    run(&["migrate"]);
    for (email, name) in [(OWNER, "Olga Owner"), (STRANGER, "Stefan Stranger")] {
        let arguments = [
            "user",
            "create",
            "--email",
            email,
            "--name",
            name,
            "--password-stdin",
        ];
        cli::run_with_input(environment, &arguments, PASSWORD).success();
    }
    run(&[
        "org", "create", "--slug", "acme", "--name", "Acme", "--owner", OWNER,
    ]);
    run(&[
        "org", "create", "--slug", "umbrella", "--name", "Umbrella", "--owner", STRANGER,
    ]);
    let project = |org: &str, slug: &str, platform: &str| {
        run(&[
            "project",
            "create",
            "--org",
            org,
            "--slug",
            slug,
            "--name",
            slug,
            "--platform",
            platform,
        ])
    };
    World {
        dsn: project("acme", "shop", "python"),
        web_dsn: project("acme", "web", "javascript"),
        secret_dsn: project("umbrella", "secret", "python"),
        token: run(&["token", "create", "--user", OWNER]),
        stranger_token: run(&["token", "create", "--user", STRANGER]),
    }
}

/// A database of its own with the world in it, for the server on this data folder.
pub fn clone_into(data: &Path) -> (World, Database) {
    let template = template();
    (
        template.world.clone(),
        Database::copy_of(&template.database, data),
    )
}
