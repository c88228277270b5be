//! In: what operators need: help, secrets in files, migrations, health. Out: output and statuses that scripts can use.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::App;
use crate::harness::cli::run;
use crate::harness::sdk::message;
use crate::harness::server::{Environment, Server};

#[test]
fn secrets_come_from_files() {
    let mut app = App::with().prepare();
    let secret = |app: &mut App, name: &str, value: &str| {
        let path = app.data().join(name);
        fs::write(&path, format!("{value}\n")).expect("write a secret");
        app.environment
            .insert(format!("{name}_FILE"), path.display().to_string());
    };
    let url = app
        .environment
        .remove("BUGLE_DATABASE_URL")
        .expect("the harness sets it");
    secret(&mut app, "BUGLE_DATABASE_URL", &url);
    secret(
        &mut app,
        "BUGLE_SECRET_KEY",
        "0123456789abcdef0123456789abcdef",
    );
    app.boot();
    app.sdk().send(&message("configured by files"));
    app.wait_idle();
    assert!(
        !app.data().join("secret_key").exists(),
        "a given key is not written down"
    );
}

#[test]
fn the_secret_key_is_made_once_and_kept() {
    let mut app = App::start();
    let path = app.data().join("secret_key");
    let key = fs::read_to_string(&path).expect("a generated key");
    assert_eq!(
        fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let user = app.user();
    let path_of_base = user.open("/").url.path().to_owned();
    app.server_mut().terminate();
    app.boot();
    assert_eq!(fs::read_to_string(&path).expect("still there"), key);
    let page = user.moved_to(app.base()).open("/");
    assert_eq!(
        page.url.path(),
        path_of_base,
        "a session outlives a restart"
    );
}

#[test]
fn migrations_run_or_are_named() {
    let app = App::with().empty().prepare();
    let Err((status, log)) = Server::try_start(&["--no-migrate".to_owned()], &app.environment)
    else {
        panic!("serve --no-migrate starts on an empty database");
    };
    assert_eq!(status.code(), Some(1), "{}", log.text());
    assert!(
        log.text().contains("pending") || log.text().contains("bugle migrate"),
        "{}",
        log.text()
    );
    app.cli(&["migrate"]).success();
    app.cli(&["migrate"]).success();
    let mut server = Server::start(&["--no-migrate".to_owned()], &app.environment);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn health_and_doctor() {
    let mut app = App::start();
    let listening = app.base().trim_start_matches("http://").to_owned();
    app.environment.insert("BUGLE_LISTEN".to_owned(), listening);
    app.cli(&["healthcheck"]).success();
    let report = app.cli(&["doctor"]).success().to_lowercase();
    for subject in ["database", "mail", "data folder"] {
        assert!(
            report.contains(subject),
            "doctor says nothing of the {subject}: {report}"
        );
    }
    app.server_mut().terminate();
    app.cli(&["healthcheck"]).failed();
    let mut broken = app.environment.clone();
    broken.insert(
        "BUGLE_DATABASE_URL".to_owned(),
        "postgres://nobody@127.0.0.1:1/none".to_owned(),
    );
    let report = run(&broken, &["doctor"]).failed();
    assert!(report.to_lowercase().contains("database"), "{report}");
}

#[test]
fn help_names_every_command_and_variable() {
    let environment = Environment::new();
    let help = |arguments: &[&str]| -> String { run(&environment, arguments).success() };
    let overview = help(&["--help"]);
    for command in [
        "serve",
        "migrate",
        "user",
        "org",
        "project",
        "token",
        "doctor",
        "healthcheck",
        "send-test-event",
    ] {
        assert!(overview.contains(command), "--help does not name {command}");
    }
    let serve = help(&["serve", "--help"]);
    let names = [
        "LISTEN",
        "DATA_DIR",
        "DATABASE_URL",
        "REDIS_URL",
        "BASE_URL",
        "SECRET_KEY",
        "WORKERS",
        "ROLES",
        "SMTP_URL",
        "MAIL_FROM",
        "RETENTION_DAYS",
        "LOG_FORMAT",
        "TRUSTED_PROXIES",
        "JOURNAL_LIMIT",
        "SECRET_KEY_FILE",
        "DATABASE_URL_FILE",
    ];
    for name in names {
        assert!(
            serve.contains(&format!("BUGLE_{name}")),
            "serve --help does not name BUGLE_{name}"
        );
    }
    assert!(help(&["--version"]).starts_with("bugle "));
}

#[test]
fn the_log_can_be_json() {
    let app = App::with().env("BUGLE_LOG_FORMAT", "json").start();
    let lines = app.server().log.lines();
    let parsed = lines.iter().filter(|line| {
        serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["level"].is_string())
    });
    assert!(parsed.count() > 0, "{lines:#?}");
}
