//! In: debug files as sentry-cli uploads them, minidumps and events of native programs and of Android. Out: functions, files and lines; what is
//! missing is said, and comes right once it is uploaded.

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::sdk::{new_id, now};
use crate::harness::{App, poll};

const DEBUG_ID: &str = "25743b1f-a348-ec08-5c51-eb0e942f0328";
const MAPPING_ID: &str = "1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0";
const MAPPING: &str = "com.example.Cart -> a.b:\n    1:1:int total():42:42 -> a\n";
const DIFS: &str = "/projects/acme/shop/files/difs/assemble/";
const DSYMS: &str = "/projects/acme/shop/files/dsyms/";

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::read(folder.join(name)).expect("the fixture is in the repository")
}

/// A crash of a small C function, called from Rust.
fn dump() -> Vec<u8> {
    let packed = fixture("native/crash.dmp.gz");
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_end(&mut plain)
        .expect("a packed file");
    plain
}

fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        body.extend_from_slice(
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

fn post_form(app: &App, path: &str, body: &[u8]) -> crate::harness::Response {
    let authorization = format!("Bearer {}", app.world().token);
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "multipart/form-data; boundary=x"),
    ];
    app.anonymous().post(path, &headers, body)
}

/// Uploads a file as sentry-cli does, and gives the last answer about it.
fn upload(app: &App, name: &str, content: &[u8]) -> Value {
    let checksum = hex::encode(Sha1::digest(content));
    let asked = json!({checksum.as_str(): {"name": name, "chunks": [checksum]}});
    let ask = || app.api().raw("POST", DIFS, Some(&asked)).expect(200).json()[&checksum].clone();
    let first = ask();
    assert_eq!(
        (&first["state"], &first["missingChunks"]),
        (&json!("not_found"), &json!([checksum]))
    );
    let chunk = form(&[("file", Some(&checksum), content)]);
    post_form(app, "/api/0/organizations/acme/chunk-upload/", &chunk).expect(200);
    poll::value("the file is done", || {
        let answer = ask();
        let state = answer["state"].as_str()?.to_owned();
        matches!(state.as_str(), "ok" | "error").then_some(answer)
    })
}

fn frames(app: &App, id: &str) -> Vec<(String, String, i64)> {
    let stored = app
        .api()
        .get(&format!("/projects/acme/shop/events/{id}/json/"));
    let frames = stored["exception"]["values"][0]["stacktrace"]["frames"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    frames
        .iter()
        .map(|frame| {
            (
                text(&frame["function"]),
                text(&frame["filename"]),
                frame["lineno"].as_i64().unwrap_or(0),
            )
        })
        .collect()
}

fn readable(frames: &[(String, String, i64)]) -> Vec<(&str, &str, i64)> {
    let known = frames.iter().filter(|(_, _, line)| *line > 0);
    known
        .map(|(function, file, line)| (function.as_str(), file.as_str(), *line))
        .collect()
}

const CRASH: [(&str, &str, i64); 3] = [
    ("shop_crash::checkout", "main.rs", 5),
    ("cart_total", "cart.c", 10),
    ("read_price", "cart.c", 4),
];

/// Sends a crash as a form, and gives its id without hyphens.
fn crash(app: &App) -> String {
    let event = br#"{"release":"shop@7.0.1","tags":{"edition":"pro"}}"#;
    let body = form(&[
        ("sentry", None, event),
        ("sentry[environment]", None, b"production"),
        ("prod", None, b"shop-desktop"),
        ("upload_file_minidump", Some("crash.dmp"), &dump()),
        ("log", Some("shop.log"), b"last line"),
    ]);
    let answer = app
        .sdk()
        .post(
            "minidump/",
            &[("content-type", "multipart/form-data; boundary=x")],
            &body,
        )
        .expect(200);
    let id = answer.text();
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
    app.wait_idle();
    id.replace('-', "")
}

#[test]
fn a_crash_is_shown_with_function_file_and_line() {
    let app = App::start();
    let file = upload(&app, "shop.sym", &fixture("native/shop.sym"));
    assert_eq!(
        (&file["state"], &file["dif"]["debugId"]),
        (&json!("ok"), &json!(DEBUG_ID)),
        "{file}"
    );
    assert_eq!(
        (&file["dif"]["symbolType"], &file["dif"]["cpuName"]),
        (&json!("breakpad"), &json!("x86_64"))
    );
    let id = crash(&app);
    let found = frames(&app, &id);
    assert!(readable(&found).ends_with(&CRASH), "{found:?}");
    let stored = app
        .api()
        .get(&format!("/projects/acme/shop/events/{id}/json/"));
    assert_eq!(
        (&stored["platform"], &stored["level"], &stored["release"]),
        (&json!("native"), &json!("fatal"), &json!("shop@7.0.1"))
    );
    assert_eq!(
        (&stored["environment"], &stored["extra"]["prod"]),
        (&json!("production"), &json!("shop-desktop"))
    );
    let exception = &stored["exception"]["values"][0];
    assert_eq!(
        exception["value"],
        "Fatal Error: SIGSEGV / SEGV_MAPERR at 0x0"
    );
    assert_eq!(exception["mechanism"]["handled"], false);
    assert_eq!(stored["contexts"]["os"]["name"], "Linux");
    let files = app
        .api()
        .list(&format!("/projects/acme/shop/events/{id}/attachments/"));
    let mut names: Vec<&str> = files
        .iter()
        .filter_map(|file| file["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["crash.dmp", "shop.log"]);

    let user = app.user();
    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let page = user.open(&format!("/acme/issues/{issue}/")).expect(200);
    page.shows("read_price");
    page.shows("cart.c");
    page.shows("no debug file");
    let list = user.open("/acme/projects/shop/debug-files").expect(200);
    list.shows("shop.sym");
    list.shows(DEBUG_ID);

    // Deleted, it is gone for the events to come.
    let object = app.api().list(DSYMS)[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let back = app
        .api()
        .raw("GET", &format!("{DSYMS}?id={object}"), None)
        .expect(200)
        .body;
    assert_eq!(back, fixture("native/shop.sym"));
    let gone = user.submit(&list, &list.form_with("Delete for good"), &[]);
    gone.shows("Nothing uploaded yet");
    assert!(app.api().list(DSYMS).is_empty());
}

#[test]
fn a_crash_is_processed_again_once_its_file_is_there() {
    let app = App::start();
    // Looked for only where something was uploaded.
    upload(
        &app,
        &format!("/proguard/{MAPPING_ID}.txt"),
        MAPPING.as_bytes(),
    );
    let id = crash(&app);
    assert!(readable(&frames(&app, &id)).is_empty());
    upload(&app, "shop.sym", &fixture("native/shop.sym"));
    let user = app.user();
    let issue = app.only_issue("")["id"].as_str().expect("an id").to_owned();
    let page = user
        .open(&format!("/acme/issues/{issue}/events/{id}/"))
        .expect(200);
    page.shows("no debug file");
    user.submit(&page, &page.form_with("Process again"), &[]);
    poll::until("the frames are there", || {
        readable(&frames(&app, &id)).ends_with(&CRASH)
    });
}

#[test]
fn minidumps_come_in_other_forms_too() {
    let app = App::start();
    upload(&app, "shop.sym", &fixture("native/shop.sym"));
    let sdk = app.sdk();
    // The dump alone, packed.
    let alone = sdk.post(
        "minidump/",
        &[("content-type", "application/octet-stream")],
        &fixture("native/crash.dmp.gz"),
    );
    let alone = alone.expect(200).text().replace('-', "");
    // Beside an event, as the SDK for Rust sends it.
    let beside = new_id();
    let event = json!({"event_id": beside, "timestamp": now(), "platform": "native", "release": "shop@7.0.2"});
    let dump = dump();
    let mut body = format!(
        "{{\"event_id\":\"{beside}\"}}\n{{\"type\":\"event\"}}\n{event}\n{{\"type\":\"attachment\",\"attachment_type\":\"event.minidump\",\"filename\":\"a.dmp\",\"length\":{}}}\n",
        dump.len()
    )
    .into_bytes();
    body.extend_from_slice(&dump);
    sdk.envelope(&body).expect(200);
    app.wait_idle();
    for id in [&alone, &beside] {
        let found = frames(&app, id);
        assert!(readable(&found).ends_with(&CRASH), "{found:?}");
    }
    assert_eq!(app.only_issue("")["count"], "2");
    let stored = app
        .api()
        .get(&format!("/projects/acme/shop/events/{beside}/json/"));
    assert_eq!(stored["release"], "shop@7.0.2");
}

#[test]
fn a_broken_dump_is_an_event_and_what_is_none_is_refused() {
    let app = App::start();
    let sdk = app.sdk();
    let recorded = fixture("synthetic/minidump-multipart.bin");
    let headers = [(
        "content-type",
        "multipart/form-data; boundary=----boundary7d91",
    )];
    let answer = sdk.post("minidump/", &headers, &recorded).expect(200);
    assert_eq!(answer.text(), "57a201cb-e69b-b870-a0c1-7b32e05a0a71");
    app.wait_idle();
    let stored = app
        .api()
        .get("/projects/acme/shop/events/57a201cbe69bb870a0c17b32e05a0a71/json/");
    assert_eq!(
        (
            &stored["level"],
            &stored["platform"],
            &stored["environment"]
        ),
        (&json!("fatal"), &json!("native"), &json!("production"))
    );
    assert_eq!(stored["errors"][0]["type"], "minidump_broken", "{stored}");
    for wrong in [&b"MZ"[..], b""] {
        let body = form(&[("upload_file_minidump", Some("crash.dmp"), wrong)]);
        sdk.post(
            "minidump/",
            &[("content-type", "multipart/form-data; boundary=x")],
            &body,
        )
        .expect(400);
    }
}

#[test]
fn obfuscated_stacks_are_read_with_their_mapping() {
    let app = App::start();
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file(
            format!("proguard/{MAPPING_ID}.txt"),
            SimpleFileOptions::default(),
        )
        .expect("a file begins");
    archive
        .write_all(MAPPING.as_bytes())
        .expect("memory can be written");
    let archive = archive.finish().expect("an archive ends").into_inner();
    let answer = post_form(
        &app,
        &format!("/api/0{DSYMS}"),
        &form(&[("file", Some("a.zip"), &archive)]),
    );
    let answer = answer.expect(201).json();
    assert_eq!(answer.as_array().map(Vec::len), Some(1));
    // sentry-cli 2 stops where it cannot read the id, compiled or not.
    assert_eq!(answer[0]["uuid"], MAPPING_ID);
    poll::until("the mapping is compiled", || {
        let files = app.api().list(DSYMS);
        files
            .iter()
            .any(|file| file["symbolType"] == "proguard" && file["debugId"] == MAPPING_ID)
    });
    let id = new_id();
    let event = json!({
        "event_id": id, "timestamp": now(), "platform": "java",
        "debug_meta": {"images": [{"type": "proguard", "uuid": MAPPING_ID}]},
        "exception": {"values": [{"type": "IllegalStateException", "module": "java.lang", "value": "empty", "stacktrace": {"frames": [
            {"module": "a.b", "function": "a", "filename": "SourceFile", "lineno": 1, "in_app": true},
        ]}}]},
    });
    app.sdk().send(&event);
    app.wait_idle();
    assert_eq!(
        frames(&app, &id),
        [("total".to_owned(), "Cart.java".to_owned(), 42)]
    );
    assert_eq!(app.only_issue("")["culprit"], "com.example.Cart in total");
}

#[test]
fn what_is_no_debug_file_says_so() {
    let app = App::start();
    let answer = upload(&app, "notes.txt", b"these are notes");
    assert_eq!(answer["state"], "error");
    assert!(
        answer["detail"]
            .as_str()
            .is_some_and(|text| text.contains("no debug file")),
        "{answer}"
    );
    assert!(answer["dif"].is_null());
    app.user()
        .open("/acme/projects/shop/debug-files")
        .expect(200)
        .shows("failed");
    // Half an ELF file, and one that lies about itself.
    let answer = upload(&app, "half", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    assert_eq!(answer["state"], "error");
    let wrong = json!({"zz": {"name": "a", "chunks": []}});
    app.api().raw("POST", DIFS, Some(&wrong)).expect(400);
    let unknown = app
        .api()
        .get(&format!("{DSYMS}unknown/?checksums={}", "0".repeat(40)));
    assert_eq!(unknown["missing"], json!(["0".repeat(40)]));
}
