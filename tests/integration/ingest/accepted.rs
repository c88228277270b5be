//! In: the many forms in which a good request comes. Out: 200 with the event's id, and the event.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;

use crate::harness::sdk::{envelope, message, new_id};
use crate::harness::{App, Sdk};

/// Each of these must be acknowledged with its own id and be there afterwards.
struct Sent<'a> {
    app: &'a App,
    ids: Vec<(String, String)>,
}

impl Sent<'_> {
    #[track_caller]
    fn send(&mut self, form: &str, send: impl FnOnce(&[u8]) -> crate::harness::Response) {
        let id = new_id();
        let event = json!({"event_id": id, "message": form, "platform": "other"});
        let answer = send(&envelope(&event));
        assert_eq!(answer.status, 200, "{form}: {answer}");
        assert_eq!(answer.json()["id"], id.as_str(), "{form}");
        self.ids.push((form.to_owned(), id));
    }

    fn all_stored(self) {
        self.app.wait_idle();
        for (form, id) in self.ids {
            let event = self.app.api().event("acme", "shop", &id);
            assert_eq!(
                event.unwrap_or_else(|| panic!("{form}: not stored"))["title"],
                form.as_str()
            );
        }
    }
}

fn sent(app: &App) -> Sent<'_> {
    Sent {
        app,
        ids: Vec::new(),
    }
}

#[test]
fn every_form_of_authentication() {
    let app = App::start();
    let (sdk, client) = (app.sdk(), app.anonymous());
    let (key, path) = (sdk.key.clone(), sdk.path("envelope/"));
    let mut sent = sent(&app);
    let headers = [
        (
            "X-Sentry-Auth",
            format!("Sentry sentry_key={key}, sentry_version=7, sentry_client=a/1"),
        ),
        (
            "X-Sentry-Auth",
            format!("sentry sentry_version=5,sentry_key={key}"),
        ),
        (
            "X-Sentry-Auth",
            format!("Sentry sentry_key={key}, sentry_secret=0123, sentry_timestamp=1.5"),
        ),
        (
            "Authorization",
            format!("Sentry  sentry_key={key} , sentry_version=7"),
        ),
    ];
    for (number, (name, value)) in headers.iter().enumerate() {
        let value = value.as_str();
        sent.send(&format!("header {number}"), |body| {
            client.post(&path, &[(name, value)], body)
        });
    }
    for query in [
        "",
        "&sentry_version=7&sentry_client=sentry.javascript.browser%2F11.12.0",
    ] {
        let path = format!("{path}?sentry_key={key}{query}");
        let text = [("content-type", "text/plain;charset=UTF-8")];
        sent.send(&format!("query string {query:?}"), |body| {
            client.post(&path, &text, body)
        });
    }
    sent.send("key in header and query string", |body| {
        sdk.post(&format!("envelope/?sentry_key={key}"), &[], body)
    });
    let dsn = format!("http://{key}@tracker.example.com/{}", sdk.project);
    sent.send("dsn in the envelope header", |body| {
        let text = String::from_utf8(body.to_vec()).expect("the envelope is text");
        let body = text.replacen('{', &format!("{{\"dsn\":\"{dsn}\","), 1);
        client.post(&path, &[], body.as_bytes())
    });
    sent.all_stored();
}

#[test]
fn paths_types_and_encodings() {
    let app = App::start();
    let sdk = app.sdk();
    let mut sent = sent(&app);
    for path in ["envelope", "envelope/", "/envelope//"] {
        sent.send(&format!("path {path}"), |body| sdk.post(path, &[], body));
    }
    let types = [
        "application/x-sentry-envelope",
        "text/plain;charset=UTF-8",
        "application/json",
        "application/x-www-form-urlencoded",
        "nonsense",
    ];
    for kind in types {
        sent.send(&format!("content type {kind}"), |body| {
            sdk.post("envelope/", &[("content-type", kind)], body)
        });
    }
    for name in [
        "gzip", "deflate", "br", "zstd", "GZIP", "", "UTF-8", "identity",
    ] {
        sent.send(&format!("content encoding {name:?}"), |body| {
            sdk.post(
                "envelope/",
                &[("content-encoding", name)],
                &encoded(&name.to_lowercase(), body),
            )
        });
    }
    sent.send("chunked", |body| chunked(&app, &sdk, body));
    sent.all_stored();
}

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder
                .write_all(body)
                .and_then(|()| encoder.finish())
                .expect("memory takes it")
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder
                .write_all(body)
                .and_then(|()| encoder.finish())
                .expect("memory takes it")
        }
        "br" => {
            let mut out = Vec::new();
            brotli::CompressorReader::new(Cursor::new(body), 4096, 4, 20)
                .read_to_end(&mut out)
                .expect("memory gives it");
            out
        }
        "zstd" => zstd::encode_all(body, 1).expect("memory takes it"),
        _ => body.to_vec(),
    }
}

/// As Node sends: no content length, the body in pieces.
fn chunked(app: &App, sdk: &Sdk, body: &[u8]) -> crate::harness::Response {
    let pieces: Vec<u8> = body.to_vec();
    let agent = crate::harness::http::agent();
    let request = ureq::http::Request::post(format!("{}{}", app.base(), sdk.path("envelope/")))
        .header("x-sentry-auth", sdk.auth())
        .body(ureq::SendBody::from_owned_reader(Cursor::new(pieces)))
        .expect("a well-formed request");
    crate::harness::http::answer(&agent, request)
}

#[test]
fn browsers_may_send_from_anywhere() {
    let app = App::start();
    let (sdk, client) = (app.sdk(), app.anonymous());
    let ask = [
        ("origin", "https://shop.example.com"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "x-sentry-auth,content-type",
        ),
    ];
    for endpoint in ["envelope/", "envelope", "store/", "security/", "minidump/"] {
        let answer = client.request("OPTIONS", &sdk.path(endpoint), &ask, None);
        assert!(matches!(answer.status, 200 | 204), "{answer}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{answer}"
        );
        let list = |name| answer.header(name).unwrap_or_default().to_ascii_lowercase();
        assert!(
            list("access-control-allow-methods").contains("post"),
            "{answer}"
        );
        assert!(
            list("access-control-allow-headers").contains("x-sentry-auth"),
            "{answer}"
        );
        assert_eq!(list("access-control-max-age"), "3600", "{answer}");
    }
    let good = sdk.post(
        "envelope/",
        &[("origin", "https://shop.example.com")],
        &envelope(&message("from a page")),
    );
    let bad = client.post(
        &sdk.path("envelope/"),
        &[("origin", "https://shop.example.com")],
        b"{}",
    );
    for answer in [good.expect(200), bad] {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{answer}"
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .unwrap_or_default()
            .to_ascii_lowercase();
        for name in ["x-sentry-error", "x-sentry-rate-limits", "retry-after"] {
            assert!(exposed.contains(name), "{name} is not exposed: {answer}");
        }
    }
}

/// SDKs that open a connection and send nothing hold nobody up.
#[test]
fn idle_connections_do_not_hold_up_others() {
    let app = App::start();
    let address = app.base().trim_start_matches("http://").to_owned();
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(&address).expect("connect");
        stream
            .write_all(b"POST /api/1/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            .expect("send");
        idle.push(stream);
    }
    let id = app.sdk().send(&message("between idle connections"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}
