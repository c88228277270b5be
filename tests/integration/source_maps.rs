//! In: scripts and source maps as build tools upload them, and events of browsers. Out: frames as they were written, on the page and in
//! the grouping; what is missing is said, and comes right once it is uploaded.

mod apart;
mod by_hand;
mod public;

use std::io::{Cursor, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::sdk::{new_id, now};
use crate::harness::{App, Response, poll};

const DEBUG_ID: &str = "2665e6c8-8787-53b2-9f29-7bd264c75cc9";

/// One file of a bundle: its type, its address, its headers and its content.
struct File<'f> {
    kind: &'f str,
    url: &'f str,
    headers: Value,
    content: Vec<u8>,
}

fn fixture(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sourcemaps/web-shop");
    std::fs::read(root.join(path)).expect("the fixture is in the repository")
}

fn web_shop(folder: &str, headers: &Value) -> [File<'static>; 2] {
    let mut script = headers.clone();
    script["sourcemap"] = json!("app.min.js.map");
    [
        File {
            kind: "minified_source",
            url: "~/js/app.min.js",
            headers: script,
            content: fixture(&format!("{folder}/app.min.js")),
        },
        File {
            kind: "source_map",
            url: "~/js/app.min.js.map",
            headers: headers.clone(),
            content: fixture(&format!("{folder}/app.min.js.map")),
        },
    ]
}

/// A bundle of files, as sentry-cli writes it.
fn bundle(files: &[File<'_>]) -> Vec<u8> {
    let mut facts = serde_json::Map::new();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let path = file.url.replace('~', "files/_/_");
        facts.insert(
            path.clone(),
            json!({"type": file.kind, "url": file.url, "headers": file.headers}),
        );
        archive
            .start_file(path, SimpleFileOptions::default())
            .expect("a file begins");
        archive.write_all(&file.content).expect("memory");
    }
    archive
        .start_file("manifest.json", SimpleFileOptions::default())
        .expect("a file begins");
    let manifest = json!({"files": facts, "org": "acme", "project": "shop"});
    archive
        .write_all(manifest.to_string().as_bytes())
        .expect("memory");
    let zip = archive.finish().expect("an archive").into_inner();
    [b"SYSB\x02\0\0\0".as_slice(), &zip].concat()
}

/// Sends parts of a form: for each what stands in its head after the word form-data, and its content.
fn post_form(app: &App, path: &str, parts: &[(&str, &[u8])]) -> Response {
    let mut body = Vec::new();
    for (head, content) in parts {
        let head = format!("--edge\r\ncontent-disposition: form-data; {head}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let authorization = format!("Bearer {}", app.world().token);
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "multipart/form-data; boundary=edge"),
    ];
    app.anonymous()
        .post(&format!("/api/0{path}"), &headers, &body)
}

/// Uploads a bundle, as sentry-cli does, and waits until it can be used.
fn upload(app: &App, release: Option<&str>, files: &[File<'_>]) {
    let bytes = bundle(files);
    let checksum = send_chunk(app, &bytes);
    let request = json!({"checksum": checksum, "chunks": [checksum], "projects": ["shop"], "version": release});
    wait_for(
        app,
        "/organizations/acme/artifactbundle/assemble/",
        &request,
    );
}

/// Returns its checksum.
fn send_chunk(app: &App, bytes: &[u8]) -> String {
    let checksum = hex::encode(Sha1::digest(bytes));
    let head = format!("name=\"file\"; filename=\"{checksum}\"");
    let path = "/organizations/acme/chunk-upload/";
    post_form(app, path, &[(&head, bytes)]).expect(200);
    checksum
}

/// Asks until the upload is ready.
fn wait_for(app: &App, path: &str, request: &Value) {
    let state = poll::value("the upload is ready", || {
        let answer = app
            .api()
            .raw("POST", path, Some(request))
            .expect(200)
            .json();
        matches!(answer["state"].as_str(), Some("ok" | "error")).then_some(answer)
    });
    assert_eq!(state["state"], "ok", "{state}");
}

/// An error of the shop's script, thrown in `priceInCents` and called by `renderTotal`.
fn event(debug_id: Option<&str>, release: Option<&str>) -> Value {
    let script = "https://shop.example.com/js/app.min.js?v=3";
    // The script with a debug id has two lines more at its beginning.
    let line = if debug_id.is_some() { 3 } else { 1 };
    let frame = |function: &str, column: i64| json!({"abs_path": script, "filename": "/js/app.min.js", "function": function, "lineno": line, "colno": column, "in_app": true});
    let mut event = json!({"event_id": new_id(), "timestamp": now(), "platform": "javascript", "exception": {"values": [{
        "type": "TypeError", "value": "article.price is undefined",
        "stacktrace": {"frames": [frame("?", 1183), frame("o", 890), frame("i", 348)]},
    }]}});
    if let Some(id) = debug_id {
        event["debug_meta"] =
            json!({"images": [{"type": "sourcemap", "code_file": script, "debug_id": id}]});
    }
    if let Some(release) = release {
        event["release"] = json!(release);
    }
    event
}

/// The event as it is stored.
fn stored(app: &App, id: &str) -> Value {
    let event = app.api().get(&format!("/projects/acme/shop/events/{id}/"));
    let group = event["groupID"].as_str().expect("an issue").to_owned();
    let page = app
        .user()
        .open(&format!("/acme/issues/{group}/events/{id}/json"))
        .expect(200);
    serde_json::from_str(&page.text()).expect("JSON")
}

fn functions(event: &Value) -> Vec<String> {
    let frames = event["exception"]["values"][0]["stacktrace"]["frames"].as_array();
    frames
        .expect("frames")
        .iter()
        .map(|frame| frame["function"].as_str().unwrap_or_default().to_owned())
        .collect()
}

const WRITTEN: [&str; 3] = ["<anonymous>", "renderTotal", "priceInCents"];

#[test]
fn frames_are_shown_as_they_were_written_by_debug_id_and_by_release() {
    let app = App::start();
    upload(
        &app,
        None,
        &web_shop("with-debug-id", &json!({"debug-id": DEBUG_ID})),
    );
    upload(&app, Some("shop@1.4.2"), &web_shop("plain", &json!({})));
    let by_id = app.sdk().send(&event(Some(DEBUG_ID), None));
    let by_release = app.sdk().send(&event(None, Some("shop@1.4.2")));
    app.wait_idle();
    for id in [&by_id, &by_release] {
        let event = stored(&app, id);
        assert_eq!(functions(&event), WRITTEN);
        let frame = &event["exception"]["values"][0]["stacktrace"]["frames"][2];
        assert_eq!(frame["abs_path"], "../../web-src/lib/prices.ts");
        assert_eq!(frame["lineno"], 15);
        assert_eq!(
            frame["context_line"],
            "  return Math.round(article.price!.amount * 100);"
        );
        assert!(event["errors"].is_null(), "{}", event["errors"]);
    }
    // Both builds of the script are the same code, so it is one issue.
    let issue = app.only_issue("");
    assert_eq!(issue["count"], "2");
    assert_eq!(issue["culprit"], "priceInCents(web-src/lib/prices)");
    let id = issue["id"].as_str().expect("an id");
    let page = app.user().open(&format!("/acme/issues/{id}/")).expect(200);
    let text = page.text();
    assert!(text.contains("priceInCents"));
}

#[test]
fn a_map_that_comes_later_helps_on_the_events_page() {
    let app = App::start();
    // Something is uploaded, but not for this script.
    upload(&app, Some("other@1"), &web_shop("plain", &json!({})));
    let early = app.sdk().send(&event(None, Some("shop@2")));
    app.wait_idle();
    let before = stored(&app, &early);
    assert_eq!(before["errors"][0]["type"], "source_map_missing");
    assert_eq!(before["errors"][0]["value"], "release shop@2");
    assert_eq!(functions(&before)[2], "i");

    upload(&app, Some("shop@2"), &web_shop("plain", &json!({})));
    let issue = app.only_issue("");
    let id = issue["id"].as_str().expect("an id");
    let page = format!("/acme/issues/{id}/events/{early}/");
    let user = app.user();
    // What was not found a moment ago is remembered for some seconds.
    let after = poll::value("the event is mapped", || {
        let shown = user.open(&page).expect(200);
        // The button goes once the frames are mapped.
        if shown.text().contains("Process again") {
            let form = shown.form_of_button("Process again");
            user.submit(&shown, &form, &[]);
        }
        let event = stored(&app, &early);
        event["errors"].is_null().then_some(event)
    });
    assert_eq!(functions(&after), WRITTEN);

    // What comes in from now on is the same issue.
    app.sdk().send(&event(None, Some("shop@2")));
    app.wait_idle();
    assert_eq!(app.only_issue("")["count"], "2");
}

#[test]
fn uploads_that_are_of_no_use_say_why() {
    let app = App::start();
    let mut files = web_shop("plain", &json!({}));
    files[1].content = b"this is no map".to_vec();
    upload(&app, Some("broken@1"), &files);
    let [script, _] = web_shop("plain", &json!({}));
    upload(&app, Some("alone@1"), &[script]);
    for (release, reason) in [
        ("broken@1", "the source map cannot be read"),
        (
            "alone@1",
            "the source map ~/js/app.min.js.map was not uploaded",
        ),
    ] {
        let id = app.sdk().send(&event(None, Some(release)));
        app.wait_idle();
        let note = &stored(&app, &id)["errors"][0];
        assert_eq!(note["type"], "source_map_broken");
        let said = note["value"].as_str().expect("a reason");
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn another_projects_maps_are_not_used() {
    let app = App::start();
    upload(&app, Some("shop@1"), &web_shop("plain", &json!({})));
    let dsn = app.cli(&[
        "project",
        "create",
        "--org",
        "acme",
        "--slug",
        "other",
        "--name",
        "Other",
        "--platform",
        "javascript",
    ]);
    let other = app.sdk_of(dsn.success().trim());
    let id = other.send(&event(None, Some("shop@1")));
    app.wait_idle();
    let event = app.api().get(&format!("/projects/acme/other/events/{id}/"));
    assert_eq!(event["errors"], json!([]));
    assert!(event.to_string().contains("app.min.js"));
    assert!(!event.to_string().contains("prices.ts"));
}
