//! In: Chromium on the dashboard. Out: the whole way from the set-up to a regression, with and without JavaScript, on
//! accessible pages in both colour schemes and at two widths, and the mails that belong to it.

use std::path::Path;

use regex::Regex;

use crate::harness::{App, Mailbox, live, poll};

#[test]
fn the_whole_way() {
    whole_way("on");
}

#[test]
fn the_whole_way_without_javascript() {
    whole_way("off");
}

fn whole_way(scripts: &str) {
    if !live::wanted() {
        return;
    }
    let mailbox = Mailbox::open();
    let app = App::with().empty().mail_to(&mailbox).start();
    let python = live::python();
    let folder = python
        .ancestors()
        .nth(3)
        .expect("the interpreter lies three levels deep");
    let mut script = live::browser_script("browser", "journey.mjs");
    script
        .env("BASE_URL", app.base())
        .env("SETUP_TOKEN", set_up_token(&app))
        .env("APP", format!("{} app.py uncaught", python.display()))
        .env("APP_FOLDER", folder)
        .env("SCRIPTS", scripts)
        .env(
            "SHOTS",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots"),
        );
    live::run(&mut script);

    app.wait_idle();
    let mails = mailbox.expect(2);
    assert!(
        mails.iter().all(|mail| mail.to == ["jane@example.com"]),
        "{mails:#?}"
    );
    assert!(
        mails[0].message.subject().contains("ZeroDivisionError"),
        "{mails:#?}"
    );
    assert!(
        mails[1].message.text().to_lowercase().contains("regress"),
        "{mails:#?}"
    );
}

/// The one-time token that `serve` prints while there is no account.
pub fn set_up_token(app: &App) -> String {
    let line = poll::value("serve prints the set-up token", || {
        app.server()
            .log
            .lines()
            .into_iter()
            .find(|line| line.to_lowercase().contains("set-up token"))
    });
    let pattern = Regex::new(r"[A-Za-z0-9_-]{20,}").expect("a fixed pattern");
    let token = pattern.find_iter(&line).last();
    token
        .unwrap_or_else(|| panic!("no token in {line}"))
        .as_str()
        .to_owned()
}
