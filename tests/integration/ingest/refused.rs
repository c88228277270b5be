//! In: requests without a right to be served, broken ones and too large ones. Out: the protocol's status with a text
//! that helps, nothing stored, and a server that serves the next one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::harness::http::{agent, send};
use crate::harness::sdk::{envelope, message, new_id};
use crate::harness::{App, Response};

/// An error says what is wrong in `detail` and in the header that SDKs log.
#[track_caller]
fn refused(answer: &Response, statuses: &[u16]) {
    assert!(
        statuses.contains(&answer.status),
        "expected {statuses:?}: {answer}"
    );
    let body = answer.json();
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(detail.len() > 5, "no detail: {answer}");
    assert!(
        body.get("causes").is_none_or(serde_json::Value::is_array),
        "{answer}"
    );
    let header = answer.header("x-sentry-error").unwrap_or_default();
    assert!(!header.is_empty(), "no X-Sentry-Error: {answer}");
    assert!(
        !detail.contains("src/") && !detail.contains("SELECT"),
        "internals: {answer}"
    );
}

#[track_caller]
fn serves_on(app: &App) {
    let id = app.sdk().send(&message("after a refusal"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
    let issues = app.api().issues("");
    assert_eq!(
        issues.len(),
        1,
        "only the good event is stored: {issues:#?}"
    );
}

#[test]
fn without_the_right_key() {
    let app = App::start();
    let (sdk, client) = (app.sdk(), app.anonymous());
    let foreign = app.sdk_of(&app.world().secret_dsn);
    let body = envelope(&message("not for you"));
    let path = sdk.path("envelope/");
    let with_key = |path: &str, key: &str| {
        client.post(
            path,
            &[(
                "x-sentry-auth",
                &format!("Sentry sentry_key={key}, sentry_version=7"),
            )],
            &body,
        )
    };
    refused(&client.post(&path, &[], &body), &[401, 403]);
    refused(
        &client.post(
            &path,
            &[("x-sentry-auth", "Sentry sentry_version=7")],
            &body,
        ),
        &[401, 403],
    );
    refused(
        &client.post(&path, &[("authorization", "Bearer abc")], &body),
        &[401, 403],
    );
    refused(&with_key(&path, &"f".repeat(32)), &[401, 403]);
    refused(&with_key(&path, "not a key"), &[401, 403]);
    refused(&with_key(&path, &"é".repeat(3)), &[400, 401, 403]);
    refused(&with_key(&path, &foreign.key), &[401, 403]);
    refused(&with_key("/api/999999/envelope/", &sdk.key), &[401, 403]);
    refused(
        &with_key("/api/99999999999999999999999/envelope/", &sdk.key),
        &[401, 403, 404],
    );
    assert!(matches!(
        with_key("/api/shop/envelope/", &sdk.key).status,
        401 | 403 | 404
    ));
    let other = format!(
        "{{\"dsn\":\"http://{}@h/{}\"}}\n",
        foreign.key, foreign.project
    );
    refused(&sdk.envelope(other.as_bytes()), &[400, 401, 403]);
    serves_on(&app);
}

#[test]
fn a_disabled_key() {
    let mut app = App::with().prepare();
    let key = crate::harness::Sdk::new("http://nowhere", &app.world().dsn).key;
    app.database.execute(&format!(
        "UPDATE project_keys SET is_active = FALSE WHERE public_key = '{key}'"
    ));
    app.boot();
    refused(
        &app.sdk().envelope(&envelope(&message("too late"))),
        &[401, 403],
    );
}

#[test]
fn broken_requests() {
    let app = App::start();
    let sdk = app.sdk();
    let id = new_id();
    let bodies = [
        String::new(),
        "\n".to_owned(),
        "garbage".to_owned(),
        "[]\n".to_owned(),
        "{\"event_id\":\"nonsense\"}\n".to_owned(),
        format!("{{\"event_id\":\"{id}\"}}\n{{\"length\":2}}\n{{}}"),
        format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\",\"length\":99}}\n{{}}"),
        format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\",\"length\":1}}\n{{}}"),
        format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\",\"length\":-1}}\n{{}}"),
        format!("{{\"event_id\":\"{id}\"}}\nnot a header\n{{}}"),
    ];
    for body in &bodies {
        refused(&sdk.envelope(body.as_bytes()), &[400]);
    }
    refused(&sdk.envelope(&[0, 159, 146, 150, 255, 254]), &[400]);
    let two = [
        envelope(&message("one")),
        b"{\"type\":\"event\"}\n{}\n".to_vec(),
    ]
    .concat();
    refused(&sdk.envelope(&two), &[400, 413]);
    refused(
        &sdk.post("envelope/", &[("content-encoding", "gzip")], b"not gzip"),
        &[400],
    );
    refused(
        &sdk.post("envelope/", &[("content-encoding", "snappy")], b"{}"),
        &[400, 415],
    );
    refused(
        &sdk.post("store/", &[], b"{\"message\": \"unfinished"),
        &[400],
    );
    refused(&sdk.post("store/", &[], b""), &[400]);
    let get = app.anonymous().get(&sdk.path("envelope/"));
    assert!(matches!(get.status, 404 | 405), "{get}");
    // Broken JSON inside a good envelope may be acknowledged, but nothing comes of it.
    let broken =
        format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{{\"message\": \"unfi\n");
    let answer = sdk.envelope(broken.as_bytes());
    assert!(matches!(answer.status, 200 | 400), "{answer}");
    serves_on(&app);
    assert!(app.api().event("acme", "shop", &id).is_none());
}

#[test]
fn too_large() {
    let app = App::start();
    let sdk = app.sdk();
    let large = [
        b"{}\n{\"type\":\"attachment\"}\n".as_slice(),
        &vec![b'x'; 33 << 20],
    ]
    .concat();
    let url = format!("{}{}", app.base(), sdk.path("envelope/"));
    let auth = sdk.auth();
    // A server that answers before it has read everything may close the connection while the client still sends.
    if let Ok(answer) = send(
        &agent(),
        "POST",
        &url,
        &[("x-sentry-auth", &auth)],
        Some(&large),
    ) {
        refused(&answer, &[413]);
    }

    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(b"{}\n{\"type\":\"attachment\"}\n")
        .expect("memory takes it");
    for _ in 0..110 {
        bomb.write_all(&vec![b'x'; 1 << 20])
            .expect("memory takes it");
    }
    let bomb = bomb.finish().expect("memory takes it");
    refused(
        &sdk.post("envelope/", &[("content-encoding", "gzip")], &bomb),
        &[400, 413],
    );

    let many = format!("{{}}\n{}", "{\"type\":\"session\"}\n{}\n".repeat(1_001));
    refused(&sdk.envelope(many.as_bytes()), &[413, 400]);
    let event =
        json!({"event_id": new_id(), "message": "big", "extra": {"text": "y".repeat(3 << 20)}});
    refused(&sdk.envelope(&envelope(&event)), &[413]);
    serves_on(&app);
}

/// The body is not even sent: the declared size is enough.
#[test]
fn a_declared_size_is_refused_unread() {
    let app = App::start();
    let sdk = app.sdk();
    let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).expect("connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("set a timeout");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: tracker\r\nX-Sentry-Auth: {}\r\nContent-Length: 1000000000\r\n\r\n",
        sdk.path("envelope/"),
        sdk.auth()
    );
    stream.write_all(head.as_bytes()).expect("send the head");
    let mut start = [0; 12];
    stream
        .read_exact(&mut start)
        .expect("an answer without the body");
    assert_eq!(&start, b"HTTP/1.1 413");
    serves_on(&app);
}
