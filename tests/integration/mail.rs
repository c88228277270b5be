//! In: errors, and a mail server that takes, delays or refuses. Out: one mail for each thing worth one, in the issue's
//! thread, with a link that leads to the issue.

use regex::Regex;
use serde_json::json;
use url::Url;

use crate::harness::sdk::{error, with};
use crate::harness::smtp::Mail;
use crate::harness::visitor::words;
use crate::harness::{App, Mailbox, OWNER, poll};

#[test]
fn a_new_issue_and_its_regression_are_one_thread() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    let first = mailbox.expect(1).remove(0);
    assert_eq!(first.to, [OWNER]);
    assert_eq!(first.from, "bugle@example.com");
    let subject = first.message.subject();
    assert!(
        subject.contains("KeyError: 'price'") && !subject.contains('\n'),
        "{subject}"
    );
    for part in [first.message.text(), first.message.html()] {
        assert!(
            part.contains("KeyError") && part.contains("checkout.cart in total"),
            "{part}"
        );
    }
    let issue = app.only_issue("");
    let link = link_to_issue(&first, &app);
    let page = app.user().open(&link).expect(200);
    page.shows("KeyError");
    assert!(
        page.url
            .path()
            .contains(issue["id"].as_str().expect("an id")),
        "{}",
        page.url
    );

    app.sdk().send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    assert_eq!(mailbox.mails().len(), 1, "a repeat is no news");

    let path = format!(
        "/organizations/acme/issues/{}/",
        issue["id"].as_str().expect("an id")
    );
    app.api().put(&path, &json!({"status": "resolved"}));
    app.sdk().send(&error("KeyError", "'price'", "total"));
    let second = mailbox.expect(2).remove(1);
    assert!(
        second.message.text().to_lowercase().contains("regress"),
        "{}",
        second.message.text()
    );
    same_thread(&first, &second);
}

#[test]
fn mails_of_different_issues_are_different_threads() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    app.sdk().send(&error("ValueError", "of no use", "parse"));
    let mails = mailbox.expect(2);
    let ids: Vec<_> = mails
        .iter()
        .map(|mail| mail.message.header("message-id").expect("an id"))
        .collect();
    assert_ne!(ids[0], ids[1]);
    let threads: Vec<_> = mails
        .iter()
        .filter_map(|mail| mail.message.header("references"))
        .collect();
    assert!(
        threads.is_empty() || threads[0] != threads[1],
        "{threads:?}"
    );
}

#[test]
fn a_flood_of_one_issue_is_one_mail() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    let senders: Vec<_> = (0..3)
        .map(|_| {
            let sdk = app.sdk();
            std::thread::spawn(move || {
                for _ in 0..40 {
                    sdk.send(&error("KeyError", "'price'", "total"));
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().expect("every event is acknowledged");
    }
    app.wait_idle();
    mailbox.expect(1);
    assert_eq!(app.only_issue("")["count"], "120");
}

#[test]
fn a_mail_that_is_refused_is_tried_again() {
    let mailbox = Mailbox::open();
    mailbox.refuse(1);
    let app = App::with().mail_to(&mailbox).start();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    poll::until_within(
        std::time::Duration::from_secs(90),
        "the second attempt",
        || mailbox.mails().len() == 1,
    );
    assert_eq!(mailbox.refusals_left(), 0);
}

/// What applications send is shown as text, never as markup, and cannot reach the header of the mail.
#[test]
fn hostile_texts_stay_texts() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    let event = error(
        "<b>Evil</b>",
        "x\r\nBcc: victim@example.com <script>alert(1)</script>",
        "total",
    );
    app.sdk()
        .send(&with(event, &json!({"environment": "prod"})));
    let mail = mailbox.expect(1).remove(0);
    assert_eq!(mail.to, [OWNER]);
    assert!(mail.message.header("bcc").is_none());
    let html = mail.message.html();
    assert!(words(html).contains("<b>Evil</b>"), "{html}");
    assert!(
        !html.contains("<b>Evil") && !html.contains("<script"),
        "{html}"
    );
    assert!(
        !html.contains("<img") && !html.contains("<link"),
        "nothing is fetched when a mail is opened: {html}"
    );
}

#[test]
fn doctor_sends_a_test_mail() {
    let mailbox = Mailbox::open();
    let app = App::with().mail_to(&mailbox).start();
    let out = app
        .cli(&["doctor", "--send-mail", "admin@example.com"])
        .success();
    assert!(out.contains("admin@example.com"), "{out}");
    let mail = mailbox.expect(1).remove(0);
    assert_eq!(mail.to, ["admin@example.com"]);

    drop(mailbox);
    let mut nowhere = app.environment.clone();
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    nowhere.insert("BUGLE_SMTP_URL".to_owned(), format!("smtp://{closed}"));
    crate::harness::cli::run(&nowhere, &["doctor", "--send-mail", "admin@example.com"]).failed();
}

/// The link of the text part, which the HTML part has as well.
fn link_to_issue(mail: &Mail, app: &App) -> String {
    let pattern = Regex::new(r"https?://\S+/issues/[^\s>)]+").expect("a fixed pattern");
    let text = mail.message.text();
    let link = pattern
        .find(text)
        .unwrap_or_else(|| panic!("no link in {text}"))
        .as_str();
    let address = link.split(['?', '#']).next().expect("an address");
    assert!(
        mail.message.html().contains(address),
        "the HTML part has no {address}"
    );
    assert!(
        link.starts_with(app.base()),
        "{link} does not lead to {}",
        app.base()
    );
    Url::parse(link).expect("a URL").path().to_owned()
}

/// Mail programs thread by references to one id.
fn same_thread(first: &Mail, second: &Mail) {
    let known: Vec<&str> = ["message-id", "references", "in-reply-to"]
        .iter()
        .filter_map(|name| first.message.header(name))
        .flat_map(str::split_whitespace)
        .collect();
    for name in ["references", "in-reply-to"] {
        let value = second
            .message
            .header(name)
            .unwrap_or_else(|| panic!("no {name} in {second:#?}"));
        assert!(
            value.split_whitespace().any(|id| known.contains(&id)),
            "{name} {value} is none of {known:?}"
        );
    }
    assert_ne!(
        first.message.header("message-id"),
        second.message.header("message-id")
    );
}
