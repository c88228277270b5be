//! In: a bundle of a build's files, in chunks as sentry-cli sends them. Out: how far it is, files that are found again,
//! and refusals of what no build tool writes.

use std::io::{Cursor, Write as _};

use bugle::blobs::{BlobPlace, Blobs};
use bugle::store::artifacts::{ArtifactKind, artifact_by_debug_id, artifact_by_url};
use bugle::store::tasks::{self, NewTask};
use bugle::store::{DatabaseUrl, Store};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::api::Api;
use crate::harness::{App, OWNER, Response, poll};

const OPTIONS: &str = "/organizations/acme/chunk-upload/";
const ASSEMBLE: &str = "/organizations/acme/artifactbundle/assemble/";
const DEBUG_ID: &str = "83afbdf8-c331-5037-bddf-0b088950a56a";

fn sha1(bytes: &[u8]) -> String {
    hex::encode(Sha1::digest(bytes))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory can be written");
    packer.finish().expect("memory can be written")
}

/// A bundle whose manifest names every file.
fn bundle(files: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let mut facts = serde_json::Map::new();
    for (path, kind, url, _) in files {
        let mut headers = json!({"debug-id": DEBUG_ID});
        if *kind == "minified_source" {
            headers["sourcemap"] = json!("app.min.js.map");
        }
        facts.insert(
            (*path).to_owned(),
            json!({"type": kind, "url": url, "headers": headers}),
        );
    }
    let manifest = json!({"files": facts, "org": "acme", "project": "web", "release": "web@1.0"});
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let mut add = |path: &str, content: &str| {
        archive.start_file(path, options).expect("a file begins");
        archive
            .write_all(content.as_bytes())
            .expect("memory can be written");
    };
    for (path, _, _, content) in files {
        add(path, content);
    }
    add("manifest.json", &manifest.to_string());
    let archive = archive.finish().expect("an archive ends").into_inner();
    [b"SYSB\x02\0\0\0".as_slice(), &archive].concat()
}

fn usual() -> Vec<u8> {
    bundle(&[
        (
            "files/_/_/js/app.min.js",
            "minified_source",
            "~/js/app.min.js",
            "throw 1",
        ),
        (
            "files/_/_/js/app.min.js.map",
            "source_map",
            "~/js/app.min.js.map",
            "{\"version\":3}",
        ),
    ])
}

/// Sends parts of the names and contents given.
fn send(app: &App, token: &str, parts: &[(&str, &str, &[u8])]) -> Response {
    let mut body = Vec::new();
    for (field, name, content) in parts {
        let head = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let authorization = format!("Bearer {token}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "multipart/form-data; boundary=edge"),
    ];
    let path = format!("/api/0{OPTIONS}");
    app.anonymous()
        .request("POST", &path, &headers, Some(&body))
}

fn request(bytes: &[u8], chunks: &[&[u8]], projects: &[&str]) -> Value {
    let chunks: Vec<String> = chunks.iter().map(|chunk| sha1(chunk)).collect();
    json!({"checksum": sha1(bytes), "chunks": chunks, "projects": projects,
        "version": "web@1.0", "dist": "42"})
}

fn ask(api: &Api, body: &Value) -> Value {
    api.raw("POST", ASSEMBLE, Some(body)).expect(200).json()
}

/// Asks until the work has ended.
fn outcome(api: &Api, body: &Value) -> Value {
    poll::value("the bundle is done", || {
        let answer = ask(api, body);
        let is_done = matches!(answer["state"].as_str(), Some("ok" | "error" | "not_found"));
        is_done.then_some(answer)
    })
}

/// What became of an upload that is one chunk.
fn upload(app: &App, bytes: &[u8]) -> Value {
    send(app, &app.world().token, &[("file", &sha1(bytes), bytes)]).expect(200);
    outcome(&app.api(), &request(bytes, &[bytes], &["web"]))
}

#[test]
fn a_bundle_goes_from_options_to_ok_and_its_files_are_found() {
    let app = App::start();
    let api = app.api();
    let options = api.get(OPTIONS);
    assert_eq!(options["chunkSize"], 8 * 1024 * 1024);
    assert_eq!(options["hashAlgorithm"], "sha1");
    let accept = options["accept"].as_array().expect("a list");
    assert!(accept.contains(&json!("artifact_bundles_v2")));

    let bytes = usual();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let body = request(&bytes, &[first, second], &["web"]);
    let missing = ask(&api, &body);
    assert_eq!(missing["state"], "not_found");
    assert_eq!(missing["missingChunks"], json!([sha1(first), sha1(second)]));

    let token = &app.world().token;
    send(&app, token, &[("file_gzip", &sha1(first), &gzip(first))]).expect(200);
    assert_eq!(ask(&api, &body)["missingChunks"], json!([sha1(second)]));
    // A chunk that is there already comes again without harm.
    let again = [
        ("file_gzip", sha1(first), gzip(first)),
        ("file", sha1(second), second.to_vec()),
    ];
    let again: Vec<(&str, &str, &[u8])> = again
        .iter()
        .map(|(field, name, content)| (*field, name.as_str(), content.as_slice()))
        .collect();
    let answer = send(&app, token, &again).expect(200);
    assert!(answer.body.is_empty());

    let begun = ask(&api, &body);
    assert_eq!(begun["state"], "created");
    assert_eq!(begun["missingChunks"], json!([]));
    let done = outcome(&api, &body);
    assert_eq!(done["state"], "ok", "{done}");
    assert_eq!(done["detail"], Value::Null);

    let project: i64 = api.get("/projects/acme/web/")["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("a project has a number");
    let other: i64 = api.get("/projects/acme/shop/")["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("a project has a number");
    let store = Store::new(DatabaseUrl::parse(&app.database.url).expect("a database"));
    let blobs = Blobs::open(
        &BlobPlace::File(app.data().join("blobs")),
        app.data().join("uploads"),
    )
    .expect("the server's blobs");
    let by_id = |project: i64, kind| {
        let found =
            store.read_blocking(move |conn| artifact_by_debug_id(conn, project, DEBUG_ID, kind));
        found.expect("a look-up")
    };
    let script = by_id(project, ArtifactKind::MinifiedSource).expect("the script is found");
    assert_eq!(script.url, "~/js/app.min.js");
    assert_eq!(script.source_map.as_deref(), Some("app.min.js.map"));
    assert_eq!(script.size, 7);
    assert_eq!(blobs.get(&script.blob).expect("its content"), b"throw 1");
    let map = by_id(project, ArtifactKind::SourceMap).expect("the map is found");
    assert_eq!(
        blobs.get(&map.blob).expect("its content"),
        b"{\"version\":3}"
    );
    assert_eq!(by_id(other, ArtifactKind::SourceMap), None);
    let by_url = |release: &'static str, dist: Option<&'static str>, url: &'static str| {
        let kind = ArtifactKind::MinifiedSource;
        let found = store
            .read_blocking(move |conn| artifact_by_url(conn, project, release, dist, url, kind));
        found.expect("a look-up").map(|found| found.blob)
    };
    let url = "https://cdn.example.com/js/app.min.js?v=2";
    assert_eq!(by_url("web@1.0", Some("42"), url), Some(script.blob));
    assert_eq!(by_url("web@1.0", None, url), None);
    assert_eq!(by_url("web@2.0", Some("42"), url), None);
    assert_eq!(
        by_url("web@1.0", Some("42"), "https://cdn.example.com/app.min.js"),
        None
    );

    // The second project of the same build costs one request.
    let shop = ask(&api, &request(&bytes, &[first, second], &["shop"]));
    assert_eq!(shop["state"], "ok");
    assert!(by_id(other, ArtifactKind::SourceMap).is_some());
}

#[test]
fn chunks_that_are_not_what_they_say_are_refused() {
    let app = App::start();
    let token = &app.world().token;
    let refused = |parts: &[(&str, &str, &[u8])]| {
        let answer = send(&app, token, parts).expect(400);
        assert!(answer.json()["error"].is_string(), "{answer}");
    };
    refused(&[("file", &sha1(b"other"), b"bytes")]);
    refused(&[("file", "../../etc/passwd", b"bytes")]);
    refused(&[("file_gzip", &sha1(b"bytes"), b"bytes")]);
    let large = vec![0_u8; 8 * 1024 * 1024 + 1];
    refused(&[("file", &sha1(&large), &large)]);
    // A chunk that unpacks to more than a chunk may have.
    refused(&[("file_gzip", &sha1(&large), &gzip(&large))]);

    let bytes = usual();
    let wrong =
        json!({"checksum": sha1(b"something else"), "chunks": [sha1(&bytes)], "projects": ["web"]});
    send(&app, token, &[("file", &sha1(&bytes), &bytes)]).expect(200);
    let answer = outcome(&app.api(), &wrong);
    assert_eq!(answer["state"], "error");
    assert!(
        answer["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("checksum")),
        "{answer}"
    );
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let app = App::start();
    let api = app.api();
    let bytes = usual();
    for body in [
        request(&bytes, &[], &["web"]),
        request(&bytes, &[&bytes], &[]),
        request(&bytes, &[&bytes], &["no-such-project"]),
        request(&bytes, &[&bytes], &["secret"]),
        json!({"checksum": "XYZ", "chunks": [sha1(&bytes)], "projects": ["web"]}),
        json!({}),
    ] {
        let answer = api.raw("POST", ASSEMBLE, Some(&body)).expect(400);
        assert!(answer.json()["detail"].is_string(), "{answer}");
    }
}

/// Writes another number into the archive's directory, where it says how large each file is.
fn lie_about_sizes(bytes: &mut [u8], name: &str, size: u32) {
    let heads: Vec<usize> = (0..bytes.len() - 46)
        .filter(|at| bytes[*at..].starts_with(b"PK\x01\x02"))
        .filter(|at| bytes[at + 46..].starts_with(name.as_bytes()))
        .collect();
    assert!(!heads.is_empty());
    for at in heads {
        bytes[at + 24..at + 28].copy_from_slice(&size.to_le_bytes());
    }
}

#[test]
fn archives_that_no_build_tool_writes_are_refused() {
    let app = App::start();
    let refused = |bytes: &[u8], reason: &str| {
        let answer = upload(&app, bytes);
        assert_eq!(answer["state"], "error", "{reason}: {answer}");
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(reason), "{reason}: {answer}");
    };
    refused(b"no archive at all", "neither an artifact bundle");
    refused(b"SYSB\x02\0\0\0PK and nothing else", "cannot be read");

    // Names that lead out of the archive. The placeholder has the length of what it is exchanged for.
    let plain = bundle(&[("files/aaaaaaa.js", "source", "~/a.js", "1")]);
    for name in [
        "../../../../x.js",
        "/etc/aaaaaaaa.js",
        "..\\..\\..\\..\\x.js",
    ] {
        let placeholder = &b"files/aaaaaaa.js"[..];
        let mut bytes = plain.clone();
        let name = &name.as_bytes()[..16];
        for at in 0..bytes.len() - 16 {
            if bytes[at..].starts_with(placeholder) {
                bytes[at..at + 16].copy_from_slice(name);
            }
        }
        let answer = upload(&app, &bytes);
        assert_eq!(answer["state"], "error", "{answer}");
    }

    let mut small = usual();
    lie_about_sizes(&mut small, "files/_/_/js/app.min.js", 3);
    refused(&small, "size");
    let mut large = usual();
    lie_about_sizes(&mut large, "files/_/_/js/app.min.js", 600 * 1024 * 1024);
    refused(&large, "is larger than");
    let three: Vec<(String, String)> = (0..3)
        .map(|number| (format!("files/{number}.js"), format!("~/{number}.js")))
        .collect();
    let three: Vec<(&str, &str, &str, &str)> = three
        .iter()
        .map(|(path, url)| (path.as_str(), "source", url.as_str(), "1"))
        .collect();
    let mut all = bundle(&three);
    lie_about_sizes(&mut all, "files/", 400 * 1024 * 1024);
    refused(&all, "in all");

    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .add_symlink("files/a.js", "/etc/passwd", SimpleFileOptions::default())
        .expect("a link");
    let link = archive.finish().expect("an archive ends").into_inner();
    refused(&link, "is a link");

    let mut empty = ZipWriter::new(Cursor::new(Vec::new()));
    empty
        .start_file("files/a.js", SimpleFileOptions::default())
        .expect("a file begins");
    let empty = empty.finish().expect("an archive ends").into_inner();
    refused(&empty, "manifest.json is missing");

    // A plain archive is fine.
    let answer = upload(&app, &usual()[8..]);
    assert_eq!(answer["state"], "ok", "{answer}");
}

#[test]
fn who_may_not_upload_learns_nothing() {
    let app = App::start();
    let bytes = usual();
    let body = request(&bytes, &[&bytes], &["web"]);
    let stranger = Api::new(app.base(), &app.world().stranger_token);
    stranger.raw("GET", OPTIONS, None).expect(404);
    stranger.raw("POST", ASSEMBLE, Some(&body)).expect(404);
    let part: &[(&str, &str, &[u8])] = &[("file", &sha1(&bytes), &bytes)];
    send(&app, &app.world().stranger_token, part).expect(404);

    let token = |scopes: &str| {
        app.cli(&["token", "create", "--user", OWNER, "--scopes", scopes])
            .success()
    };
    let reader = token("event:admin");
    let api = Api::new(app.base(), &reader);
    api.raw("GET", OPTIONS, None).expect(403);
    api.raw("POST", ASSEMBLE, Some(&body)).expect(403);
    send(&app, &reader, part).expect(403);
    send(&app, "nonsense", part).expect(401);
    let looker = token("project:read");
    Api::new(app.base(), &looker)
        .raw("GET", OPTIONS, None)
        .expect(200);
    send(&app, &looker, part).expect(403);
    let builder = token("org:ci");
    send(&app, &builder, part).expect(200);
    assert_eq!(
        outcome(&Api::new(app.base(), &builder), &body)["state"],
        "ok"
    );

    // What one organization has sent does not answer for another.
    let theirs =
        json!({"checksum": sha1(&bytes), "chunks": [sha1(&bytes)], "projects": ["secret"]});
    let answer = stranger
        .raw(
            "POST",
            "/organizations/umbrella/artifactbundle/assemble/",
            Some(&theirs),
        )
        .expect(200)
        .json();
    assert_eq!(answer["state"], "not_found");
    assert_eq!(answer["missingChunks"], json!([sha1(&bytes)]));
}

#[test]
fn the_page_lists_uploads_and_deletes_one_with_its_content() {
    let app = App::start();
    let path = "/acme/projects/web/source-maps";
    let user = app.user();
    user.open(path).expect(200).shows("Nothing uploaded yet");
    user.open("/umbrella/projects/secret/source-maps")
        .expect(404);
    upload(&app, b"no archive at all");
    let bytes = usual();
    assert_eq!(upload(&app, &bytes)["state"], "ok");
    let kept = || count_files(&app.data().join("blobs").join("artifacts"));
    assert_eq!(kept(), 2);
    let page = user.open(path).expect(200);
    page.shows("web@1.0");
    page.shows("failed");
    page.shows("neither an artifact bundle");
    let form = page.form_with("source-maps/2/delete");
    let page = user.submit(&page, &form, &[]).expect(200);
    page.shows("Upload deleted");
    poll::until("its content is gone", || kept() == 0);
    // The chunks are still there, so the same build comes back at once.
    let api = app.api();
    let body = request(&bytes, &[&bytes], &["web"]);
    assert_eq!(ask(&api, &body)["state"], "created");
    assert_eq!(outcome(&api, &body)["state"], "ok");
    assert_eq!(kept(), 2);
}

#[test]
fn chunks_live_for_a_day() {
    let mut app = App::start();
    let bytes = usual();
    let token = app.world().token.clone();
    send(&app, &token, &[("file", &sha1(&bytes), &bytes)]).expect(200);
    let folder = app.data().join("blobs").join("chunks");
    assert_eq!(count_files(&folder), 1);
    app.server_mut().terminate();
    let later = 25 * 60 * 60 * 1000;
    app.environment
        .insert("BUGLE_TEST_CLOCK_OFFSET_MS".to_owned(), later.to_string());
    app.boot();
    // This hour's run was before the clock moved: another one.
    let store = Store::new(DatabaseUrl::parse(&app.database.url).expect("a database"));
    let task = NewTask {
        kind: "expired_chunks",
        args: "{}".to_owned(),
        unique_key: None,
        run_at: 0,
    };
    store
        .write_blocking(move |conn| tasks::enqueue(conn, std::slice::from_ref(&task)))
        .expect("a task");
    poll::until("the chunk is gone", || count_files(&folder) == 0);
    let answer = ask(&app.api(), &request(&bytes, &[&bytes], &["web"]));
    assert_eq!(answer["state"], "not_found");
}

fn count_files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| if path.is_dir() { count_files(&path) } else { 1 })
        .sum()
}
