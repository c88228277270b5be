//! In: commands and settings that cannot work. Out: a sentence that names what is wrong, and a status other than 0.

use tempfile::TempDir;

use crate::harness::cli::run_with_input;
use crate::harness::server::{Environment, Server};
use crate::harness::{App, PASSWORD};

#[test]
fn mistakes_get_a_sentence_that_helps() {
    let app = App::with().prepare();
    let cases: &[(&[&str], &str, &[&str])] = &[
        (
            &[
                "user",
                "create",
                "--email",
                "owner@example.com",
                "--password-stdin",
            ],
            PASSWORD,
            &["owner@example.com"],
        ),
        (
            &["user", "create", "--email", "nonsense", "--password-stdin"],
            PASSWORD,
            &["nonsense"],
        ),
        (
            &[
                "user",
                "create",
                "--email",
                "new@example.com",
                "--password-stdin",
            ],
            "short",
            &["8"],
        ),
        (
            &[
                "user",
                "set-password",
                "--email",
                "nobody@example.com",
                "--password-stdin",
            ],
            PASSWORD,
            &["nobody@example.com"],
        ),
        (
            &[
                "org",
                "create",
                "--slug",
                "acme",
                "--name",
                "A",
                "--owner",
                "owner@example.com",
            ],
            "",
            &["acme"],
        ),
        (
            &[
                "org",
                "create",
                "--slug",
                "Not A Slug",
                "--name",
                "A",
                "--owner",
                "owner@example.com",
            ],
            "",
            &["slug"],
        ),
        (
            &[
                "org",
                "create",
                "--slug",
                "fresh",
                "--name",
                "A",
                "--owner",
                "nobody@example.com",
            ],
            "",
            &["nobody@example.com"],
        ),
        (
            &[
                "org",
                "member",
                "add",
                "--org",
                "acme",
                "--email",
                "owner@example.com",
                "--role",
                "king",
            ],
            "",
            &["king"],
        ),
        (
            &[
                "project",
                "create",
                "--org",
                "nowhere",
                "--slug",
                "a",
                "--name",
                "A",
                "--platform",
                "python",
            ],
            "",
            &["nowhere"],
        ),
        (
            &[
                "project",
                "create",
                "--org",
                "acme",
                "--slug",
                "shop",
                "--name",
                "A",
                "--platform",
                "python",
            ],
            "",
            &["shop"],
        ),
        (
            &["token", "create", "--user", "nobody@example.com"],
            "",
            &["nobody@example.com"],
        ),
        (
            &[
                "token",
                "create",
                "--user",
                "owner@example.com",
                "--scopes",
                "everything",
            ],
            "",
            &["everything"],
        ),
        (&["send-test-event", "--dsn", "not a dsn"], "", &["dsn"]),
        (&["no-such-command"], "", &["no-such-command"]),
    ];
    for (arguments, input, words) in cases {
        let text = run_with_input(&app.environment, arguments, input).failure();
        for word in *words {
            assert!(
                text.to_lowercase().contains(word),
                "{arguments:?} does not speak of {word}: {text}"
            );
        }
    }
}

#[test]
fn settings_that_cannot_work_are_named() {
    let data = TempDir::new().expect("a temporary folder");
    let base = Environment::from([(
        "BUGLE_DATA_DIR".to_owned(),
        data.path().display().to_string(),
    )]);
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("BUGLE_DATABASE_URL", "oracle://x/y")], "database url"),
        (&[("BUGLE_BASE_URL", "ftp://x/")], "bugle_base_url"),
        (&[("BUGLE_ROLES", "ingest")], "redis"),
        (&[("BUGLE_SECRET_KEY", "short")], "bugle_secret_key"),
        (
            &[("BUGLE_ADMIN_EMAIL", "a@example.com")],
            "bugle_admin_password",
        ),
        (&[("BUGLE_SMTP_URL_FILE", "/no/such/file")], "/no/such/file"),
        (&[("BUGLE_REDIS_URL", "http://x")], "bugle_redis_url"),
    ];
    for (settings, word) in cases {
        let mut environment = base.clone();
        environment.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let Err((status, log)) = Server::try_start(&[], &environment) else {
            panic!("{settings:?} starts")
        };
        assert!(
            !status.success() && log.text().to_lowercase().contains(word),
            "{settings:?}: {}",
            log.text()
        );
    }
}
