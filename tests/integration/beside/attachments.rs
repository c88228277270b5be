//! In: files beside events, in the same request, before it, after it, too large, alone. Out: what the event's page and the API show of them,
//! and their bytes.

use serde_json::{Value, json};

use super::envelope;
use crate::harness::database::integer;
use crate::harness::sdk::{error, new_id};
use crate::harness::{App, poll};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

fn file(name: &str, media_type: &str) -> Value {
    json!({"type": "attachment", "filename": name, "content_type": media_type})
}

fn item(event: &Value) -> (Value, Vec<u8>) {
    (json!({"type": "event"}), event.to_string().into_bytes())
}

fn id_of(event: &Value) -> String {
    event["event_id"].as_str().expect("an id").to_owned()
}

/// By name: two that came in one millisecond have no order.
fn listed(app: &App, id: &str) -> Vec<Value> {
    let mut files = app
        .api()
        .list(&format!("/projects/acme/shop/events/{id}/attachments/"));
    files.sort_by_key(|file| file["name"].to_string());
    files
}

fn usage(app: &App, condition: &str) -> i64 {
    app.database.number(&format!(
        "SELECT CAST(COALESCE(SUM(quantity), 0) AS {}) AS number FROM usage_hours WHERE category = 'attachment' AND {condition}",
        integer()
    ))
}

#[test]
fn files_are_shown_with_their_event() {
    let app = App::start();
    let event = error("KeyError", "'price'", "total");
    let id = id_of(&event);
    let log = "line one\nline <two>".as_bytes().to_vec();
    let body = envelope(
        Some(&id),
        &[
            item(&event),
            (file("../../shop.log", "text/plain"), log.clone()),
            (file("screen.png", "image/png"), PICTURE.to_vec()),
            (
                file("evil.html", "text/html"),
                b"<script>alert(1)</script>".to_vec(),
            ),
        ],
    );
    app.sdk().envelope(&body).expect(200);
    app.wait_idle();

    let files = listed(&app, &id);
    let names: Vec<&str> = files
        .iter()
        .filter_map(|file| file["name"].as_str())
        .collect();
    assert_eq!(names, ["evil.html", "screen.png", "shop.log"]);
    assert_eq!(
        (&files[2]["size"], &files[2]["mimetype"]),
        (&json!(19), &json!("text/plain"))
    );
    let one = format!(
        "/projects/acme/shop/events/{id}/attachments/{}/",
        files[2]["id"].as_str().expect("an id")
    );
    let bytes = app
        .api()
        .raw("GET", &format!("{one}?download=1"), None)
        .expect(200);
    assert_eq!(bytes.body, log);

    let user = app.user();
    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let page = user
        .open(&format!("/acme/issues/{issue}/events/{id}/"))
        .expect(200);
    page.shows("Attachments 3");
    page.shows("shop.log 19 B View");
    let place = format!("/acme/issues/{issue}/events/{id}/attachments");
    let href = |at: usize| format!("{place}/{}", files[at]["id"].as_str().expect("an id"));
    assert!(
        page.text()
            .contains(&format!("<img src=\"{}?view\"", href(1)))
    );

    // A browser never takes a file for more than it is.
    let plain = |path: &str, media_type: &str, disposition: &str| {
        let answer = user.request("GET", path, &[], None).expect(200);
        assert_eq!(answer.header("content-type"), Some(media_type), "{path}");
        assert!(
            answer
                .header("content-disposition")
                .is_some_and(|value| value.starts_with(disposition)),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("sandbox"))
        );
        answer.body
    };
    plain(&href(2), "application/octet-stream", "attachment");
    assert_eq!(
        plain(
            &format!("{}?view", href(2)),
            "text/plain; charset=utf-8",
            "inline"
        ),
        log
    );
    assert_eq!(
        plain(&format!("{}?view", href(1)), "image/png", "inline"),
        PICTURE
    );
    plain(
        &format!("{}?view", href(0)),
        "text/plain; charset=utf-8",
        "inline",
    );

    // Who may not see the event may not see its files.
    assert_eq!(
        app.visitor().request("GET", &href(2), &[], None).status,
        303
    );
    app.anonymous().get(&format!("/api/0{one}")).expect(401);
    let elsewhere = format!(
        "/acme/issues/{issue}/events/{}/attachments/{}",
        new_id(),
        files[2]["id"].as_str().expect("an id")
    );
    assert_eq!(user.request("GET", &elsewhere, &[], None).status, 404);
}

#[test]
fn files_may_come_before_and_after_their_event() {
    let app = App::start();
    let sdk = app.sdk();
    let event = error("KeyError", "'price'", "total");
    let id = id_of(&event);
    let early = envelope(
        Some(&id),
        &[(file("early.txt", "text/plain"), b"1".to_vec())],
    );
    sdk.envelope(&early).expect(200);
    app.wait_idle();
    sdk.send(&event);
    app.wait_idle();
    let form = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"late.txt\"\r\nContent-Type: text/plain\r\n\r\n22\r\n--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n--x--\r\n";
    let answer = sdk.post(
        &format!("events/{id}/attachments/"),
        &[("content-type", "multipart/form-data; boundary=x")],
        form.as_bytes(),
    );
    answer.expect(201);
    app.wait_idle();
    let sizes: Vec<(String, u64)> = listed(&app, &id)
        .iter()
        .map(|file| {
            (
                file["name"].as_str().expect("a name").to_owned(),
                file["size"].as_u64().expect("a size"),
            )
        })
        .collect();
    assert_eq!(
        sizes,
        [("early.txt".to_owned(), 1), ("late.txt".to_owned(), 2)]
    );
    sdk.post(
        "events/nonsense/attachments/",
        &[("content-type", "multipart/form-data; boundary=x")],
        form.as_bytes(),
    )
    .expect(400);
}

#[test]
fn a_large_file_is_kept_and_a_larger_one_costs_nothing_else() {
    let app = App::start();
    let event = error("KeyError", "'price'", "total");
    let id = id_of(&event);
    let large: Vec<u8> = (0..19 * 1024 * 1024_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let body = envelope(
        Some(&id),
        &[
            item(&event),
            (file("large.bin", "application/octet-stream"), large.clone()),
            (file("small.txt", "text/plain"), b"small".to_vec()),
        ],
    );
    app.sdk().envelope(&body).expect(200);
    let too_large = envelope(
        Some(&id),
        &[
            (
                file("larger.bin", "application/octet-stream"),
                vec![7; 20 * 1024 * 1024 + 1],
            ),
            (file("last.txt", "text/plain"), b"last".to_vec()),
        ],
    );
    app.sdk().envelope(&too_large).expect(200);
    app.wait_idle();
    let names: Vec<String> = listed(&app, &id)
        .iter()
        .map(|file| file["name"].to_string())
        .collect();
    assert_eq!(names, ["\"large.bin\"", "\"last.txt\"", "\"small.txt\""]);
    let first = listed(&app, &id)[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let bytes = app
        .api()
        .raw(
            "GET",
            &format!("/projects/acme/shop/events/{id}/attachments/{first}/?download"),
            None,
        )
        .expect(200)
        .body;
    assert!(bytes == large, "the bytes come back as they were sent");
    poll::until("the refused one is counted", || {
        usage(&app, "outcome = 'invalid' AND reason = 'too_large'") == 1
    });
    assert_eq!(usage(&app, "outcome = 'accepted'"), 3);
}

/// A limit on events takes the files of an event with it, and a file without an event is of nothing.
#[test]
fn files_go_with_events_that_are_not_taken() {
    let app = App::with().env("BUGLE_KEY_RATE_LIMIT", "1").start();
    let sdk = app.sdk();
    let send = |event: &Value| {
        let body = envelope(
            Some(&id_of(event)),
            &[item(event), (file("a.txt", "text/plain"), b"a".to_vec())],
        );
        sdk.envelope(&body)
    };
    let (first, second) = (
        error("KeyError", "1", "total"),
        error("KeyError", "2", "total"),
    );
    send(&first).expect(200);
    send(&second).expect(200);
    sdk.envelope(&envelope(
        None,
        &[(file("lost.txt", "text/plain"), b"x".to_vec())],
    ))
    .expect(200);
    app.wait_idle();
    poll::until("what is not kept is counted", || {
        usage(&app, "outcome = 'rate_limited'") == 1 && usage(&app, "reason = 'no_event'") == 1
    });
    assert_eq!(listed(&app, &id_of(&first)).len(), 1);
    assert_eq!(listed(&app, &id_of(&second)).len(), 0);
}

/// Senders that heard no answer send again.
#[test]
fn the_same_file_of_the_same_event_is_there_once() {
    let app = App::start();
    let event = error("KeyError", "'price'", "total");
    let id = id_of(&event);
    let body = envelope(
        Some(&id),
        &[
            item(&event),
            (file("a.txt", "text/plain"), b"one".to_vec()),
            (file("a.txt", "text/plain"), b"two".to_vec()),
        ],
    );
    for _ in 0..2 {
        app.sdk().envelope(&body).expect(200);
        app.wait_idle();
    }
    assert_eq!(app.only_issue("")["count"], "1");
    assert_eq!(listed(&app, &id).len(), 2);
}

/// Where files cannot be kept, they wait, and nothing waits with them.
#[test]
fn files_wait_while_their_place_is_away() {
    let app = App::start();
    let (folder, aside) = (app.data().join("blobs"), app.data().join("blobs.aside"));
    std::fs::rename(&folder, &aside).expect("the folder moves");
    std::fs::write(&folder, b"no folder").expect("a file in its place");
    let first = error("KeyError", "'price'", "total");
    let id = id_of(&first);
    let body = envelope(
        Some(&id),
        &[item(&first), (file("a.txt", "text/plain"), b"a".to_vec())],
    );
    app.sdk().envelope(&body).expect(200);
    let second = app
        .sdk_of(&app.world().web_dsn)
        .send(&error("KeyError", "'price'", "total"));
    poll::until("events go on", || {
        app.api().event("acme", "shop", &id).is_some()
            && app.api().event("acme", "web", &second).is_some()
    });
    assert!(listed(&app, &id).is_empty());
    std::fs::remove_file(&folder).expect("the file goes");
    std::fs::rename(&aside, &folder).expect("the folder comes back");
    app.wait_idle();
    assert_eq!(listed(&app, &id).len(), 1);
}
