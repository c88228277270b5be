//! In: set-up, sign-in, forged forms. Out: who gets in, and what a form without its token changes: nothing.

use regex::Regex;

use crate::browser::set_up_token;
use crate::harness::sdk::error;
use crate::harness::{App, OWNER, PASSWORD};

#[test]
fn set_up_with_the_token() {
    let app = App::with().empty().start();
    let token = set_up_token(&app);
    let visitor = app.visitor();
    let page = visitor.open("/").expect(200);
    assert!(
        page.url.path().contains("setup"),
        "without an account every page leads to the set-up: {}",
        page.url
    );
    let form = page.form_with("type=\"password\"");
    let fill = |token: &str| {
        let values = [
            ("token", token),
            ("email", "jane@example.com"),
            ("name", "Jane"),
            ("password", PASSWORD),
            ("organization", "Acme"),
        ];
        visitor.submit(&page, &form, &values)
    };
    let refused = fill("wrong-token");
    assert!(
        matches!(refused.response.status, 400 | 403 | 422),
        "{refused}"
    );
    let done = fill(&token).expect(200);
    assert!(
        !done.text().contains("type=\"password\""),
        "signed in after the set-up: {done}"
    );
    let again = app.visitor().open("/setup/");
    assert!(
        !again.text().contains("name=\"token\""),
        "the set-up is over: {again}"
    );
    app.visitor().sign_in("jane@example.com", PASSWORD);
}

#[test]
fn signing_in_and_out() {
    let app = App::start();
    let visitor = app.visitor();
    for (email, password) in [(OWNER, "wrong password"), ("nobody@example.com", PASSWORD)] {
        let page = visitor.open("/");
        let refused = visitor.submit(
            &page,
            &page.form_with("type=\"password\""),
            &[("email", email), ("password", password)],
        );
        assert!(refused.text().contains("type=\"password\""), "{refused}");
        assert!((200..500).contains(&refused.response.status), "{refused}");
    }
    let asked_for = visitor.open("/acme/issues/");
    let form = asked_for.form_with("type=\"password\"");
    let page = visitor
        .submit(
            &asked_for,
            &form,
            &[("email", OWNER), ("password", PASSWORD)],
        )
        .expect(200);
    assert_eq!(
        page.url.path(),
        "/acme/issues/",
        "one lands where one wanted to go"
    );
    let account = visitor.open("/account").expect(200);
    let page = visitor.submit(&account, &account.form_of_button("Sign out"), &[]);
    assert!(page.text().contains("type=\"password\""), "{page}");
    assert!(
        visitor
            .open("/acme/issues/")
            .text()
            .contains("type=\"password\"")
    );
}

#[test]
fn a_form_without_its_token_changes_nothing() {
    let app = App::start();
    app.sdk().send(&error("KeyError", "'price'", "total"));
    app.wait_idle();
    let user = app.user();
    let path = format!(
        "/acme/issues/{}/",
        app.only_issue("")["id"].as_str().expect("an id")
    );
    let page = user.open(&path).expect(200);
    let form = page.form_of_button("Resolve");
    let target = page.url.join(&form.action).expect("an address");
    let urlencoded = ("content-type", "application/x-www-form-urlencoded");
    let body = |with_token: bool| {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in form
            .fields
            .iter()
            .filter(|(name, _)| with_token || !name.contains("csrf"))
        {
            body.append_pair(name, value);
        }
        body.finish()
    };
    assert_ne!(body(true), body(false), "the form has a token");
    let cases = [
        (body(false), "origin", app.base()),
        (body(true), "origin", "https://evil.example.com"),
        (body(true), "sec-fetch-site", "cross-site"),
    ];
    for (body, name, value) in &cases {
        let answer = user.request(
            "POST",
            target.as_str(),
            &[urlencoded, (name, value)],
            Some(body.as_bytes()),
        );
        assert_eq!(answer.status, 403, "{answer}");
    }
    user.request("GET", target.as_str(), &[], None);
    assert_eq!(app.only_issue("")["status"], "unresolved");
}

#[test]
fn every_page_has_the_security_headers() {
    let app = App::start();
    let user = app.user();
    for path in ["/acme/issues/", "/no/such/page/", "/login/"] {
        let answer = user.open(path).response;
        let policy = answer
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("no policy: {answer}"));
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    }
    assert_eq!(
        user.open("/acme/issues/").response.header("cache-control"),
        Some("no-store")
    );
    let page = app.visitor().open("/");
    let inline = Regex::new(r#"(?i)<script\b[^>]*>\s*[^<\s]|<[^>]*\s(style|on[a-z]+)=["']"#)
        .expect("a fixed pattern");
    assert!(
        !inline.is_match(&page.text()),
        "inline script or style on {page}"
    );
}
