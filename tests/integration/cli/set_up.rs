//! In: the commands of a first day. Out: accounts, an organization, a project with its DSN, a token, an event.

use regex::Regex;

use crate::harness::cli::run_with_input;
use crate::harness::sdk::message;
use crate::harness::{Api, App, PASSWORD, Sdk};

#[test]
fn from_nothing_to_the_first_event() {
    let app = App::with().empty().start();
    let create =
        |arguments: &[&str]| run_with_input(&app.environment, arguments, PASSWORD).success();
    create(&[
        "user",
        "create",
        "--email",
        "jane@example.com",
        "--name",
        "Jane",
        "--superuser",
        "--password-stdin",
    ]);
    create(&[
        "user",
        "create",
        "--email",
        "joe@example.com",
        "--password-stdin",
    ]);
    create(&[
        "org",
        "create",
        "--slug",
        "acme",
        "--name",
        "Acme",
        "--owner",
        "jane@example.com",
    ]);
    create(&[
        "org",
        "member",
        "add",
        "--org",
        "acme",
        "--email",
        "joe@example.com",
        "--role",
        "member",
    ]);
    let dsn = create(&[
        "project",
        "create",
        "--org",
        "acme",
        "--slug",
        "shop",
        "--name",
        "Shop",
        "--platform",
        "python",
    ]);
    let form = Regex::new(r"^http://[0-9a-f]{32}@[^/\s]+/\d+$").expect("a fixed pattern");
    assert!(form.is_match(&dsn), "the DSN and nothing else: {dsn:?}");

    // The command came back, so the running server knows the key.
    let id = app.sdk_of(&dsn).send(&message("first"));
    app.wait_idle();
    let token = create(&["token", "create", "--user", "joe@example.com"]);
    assert!(
        !token.contains(char::is_whitespace) && token.len() >= 32,
        "the token and nothing else: {token:?}"
    );
    let api = Api::new(app.base(), &token);
    assert_eq!(
        api.event("acme", "shop", &id).expect("it is there")["title"],
        "first"
    );

    app.visitor().sign_in("jane@example.com", PASSWORD);
    run_with_input(
        &app.environment,
        &[
            "user",
            "set-password",
            "--email",
            "jane@example.com",
            "--password-stdin",
        ],
        "another long password",
    )
    .success();
    app.visitor()
        .sign_in("jane@example.com", "another long password");
}

#[test]
fn send_test_event_arrives() {
    let app = App::start();
    let Sdk { key, project, .. } = app.sdk();
    let host = app.base().trim_start_matches("http://");
    let out = app
        .cli(&[
            "send-test-event",
            "--dsn",
            &format!("http://{key}@{host}/{project}"),
        ])
        .success();
    let id = Regex::new("[0-9a-f]{32}")
        .expect("a fixed pattern")
        .find(&out)
        .unwrap_or_else(|| panic!("no event id: {out}"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", id.as_str()).is_some());
    let wrong = format!("http://{}@{host}/{project}", "f".repeat(32));
    app.cli(&["send-test-event", "--dsn", &wrong]).failure();
}
