//! In: scripts and maps that come in separate uploads, as single files of a release or in bundles, in any order. Out: frames as they were
//! written all the same; the files in the list of the release until somebody deletes them.

use serde_json::{Value, json};

use super::{
    DEBUG_ID, File, WRITTEN, bundle, event, fixture, functions, post_form, send_chunk, stored,
    upload, wait_for, web_shop,
};
use crate::harness::{App, Response, poll};

fn create(app: &App, release: &str) {
    let body = json!({"version": release, "projects": ["shop"]});
    let path = "/organizations/acme/releases/";
    app.api().raw("POST", path, Some(&body)).expect(201);
}

/// Sends one file of a release, as sentry-cli did before there were bundles.
fn send_file(
    app: &App,
    release: &str,
    name: &str,
    content: &[u8],
    header: Option<&str>,
) -> Response {
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("name=\"file\"; filename=\"blob\"", content),
        ("name=\"name\"", name.as_bytes()),
    ];
    if let Some(header) = header {
        parts.push(("name=\"header\"", header.as_bytes()));
    }
    let path = format!("/projects/acme/shop/releases/{release}/files/");
    post_form(app, &path, &parts)
}

/// Waits until an error of the release is shown as it was written.
fn wait_mapped(app: &App, debug_id: Option<&str>, release: Option<&str>) {
    poll::value("errors of the release are mapped", || {
        let id = app.sdk().send(&event(debug_id, release));
        app.wait_idle();
        (functions(&stored(app, &id)) == WRITTEN).then_some(())
    });
}

fn names(files: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = files
        .iter()
        .filter_map(|file| file["name"].as_str())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn files_of_a_release_come_one_by_one_in_any_order() {
    let app = App::start();
    let script = fixture("plain/app.min.js");
    let map = fixture("plain/app.min.js.map");
    for (release, is_map_first) in [("shop@1", false), ("shop@2", true)] {
        create(&app, release);
        let mut files = [
            (
                "~/js/app.min.js",
                &script,
                Some("Sourcemap: app.min.js.map"),
            ),
            ("~/js/app.min.js.map", &map, None),
        ];
        if is_map_first {
            files.reverse();
        }
        for (name, content, header) in files {
            let answer = send_file(&app, release, name, content, header);
            let file = answer.expect(201).json();
            assert_eq!(file["name"], name);
            assert_eq!(file["size"], content.len());
        }
        wait_mapped(&app, None, Some(release));
    }
}

#[test]
fn files_of_a_release_are_listed_and_deleted() {
    let app = App::start();
    create(&app, "shop@1");
    let script = fixture("plain/app.min.js");
    let name = "~/js/app.min.js";
    let file = send_file(&app, "shop@1", name, &script, None);
    let file = file.expect(201).json();
    let again = send_file(&app, "shop@1", name, b"other", None).expect(409);
    assert!(again.text().contains(name), "{}", again.text());
    // What comes in bundles is listed beside.
    upload(&app, Some("shop@1"), &web_shop("plain", &json!({})));

    let list = "/organizations/acme/releases/shop@1/files/";
    let files = app.api().all(list);
    let map = "~/js/app.min.js.map";
    assert_eq!(names(&files), [name, name, map]);
    assert!(files.contains(&file), "{files:?}");
    let found = app.api().all(&format!("{list}?query=.map"));
    assert_eq!(names(&found), [map]);
    let sum = file["sha1"].as_str().expect("a checksum");
    assert_eq!(app.api().all(&format!("{list}?checksum={sum}")).len(), 2);

    let one = format!("{list}{}/", file["id"].as_str().expect("an id"));
    assert_eq!(app.api().get(&one), file);
    let content = app.api().raw("GET", &format!("{one}?download=1"), None);
    assert_eq!(content.expect(200).text().as_bytes(), script);
    app.api().raw("DELETE", &one, None).expect(204);
    app.api().raw("GET", &one, None).expect(404);
    // Half of a bundle can go too, and the name is free again.
    let files = app.api().all(list);
    let of_bundle = files.iter().find(|file| file["name"] == map);
    let id = of_bundle.expect("the map")["id"].as_str().expect("an id");
    app.api()
        .raw("DELETE", &format!("{list}{id}/"), None)
        .expect(204);
    assert_eq!(names(&app.api().all(list)), [name]);
    send_file(&app, "shop@1", name, b"other", None).expect(201);

    // All of a release at once.
    let archives = "/projects/acme/shop/files/source-maps/";
    assert_eq!(app.api().list(archives).len(), 2);
    let all = format!("{archives}?name=shop@1");
    app.api().raw("DELETE", &all, None).expect(204);
    assert!(app.api().list(archives).is_empty());
    assert!(app.api().all(list).is_empty());
}

#[test]
fn files_need_a_release_and_a_name() {
    let app = App::start();
    let nobodys = send_file(&app, "nobody@1", "~/a.js", b"1", None);
    nobodys.expect(404);
    create(&app, "shop@1");
    let path = "/projects/acme/shop/releases/shop@1/files/";
    let without = post_form(&app, path, &[("name=\"name\"", b"~/a.js")]).expect(400);
    assert!(
        without.text().contains("no field named file"),
        "{}",
        without.text()
    );
    send_file(&app, "shop@1", "~/a\n.js", b"1", None).expect(400);
    let odd = send_file(&app, "shop@1", "~/a.js", b"1", Some("no colon"));
    odd.expect(400);
    assert!(app.api().list(path).is_empty());
}

#[test]
fn a_map_belongs_to_a_script_of_another_bundle() {
    let app = App::start();
    for (folder, debug_id, release) in [
        ("plain", None, Some("shop@1")),
        ("with-debug-id", Some(DEBUG_ID), None),
    ] {
        let headers = debug_id.map_or_else(|| json!({}), |id| json!({"debug-id": id}));
        let [script, map]: [File<'_>; 2] = web_shop(folder, &headers);
        upload(&app, release, &[script]);
        upload(&app, release, &[map]);
        wait_mapped(&app, debug_id, release);
    }
}

#[test]
fn a_script_waits_on_where_a_map_is_of_no_use() {
    let app = App::start();
    create(&app, "shop@1");
    let script = fixture("plain/app.min.js");
    send_file(&app, "shop@1", "~/js/app.min.js", &script, None).expect(201);
    let name = "~/js/app.min.js.map";
    let broken = send_file(&app, "shop@1", name, b"no map", None);
    let broken = broken.expect(201).json();
    app.wait_idle();
    let id = app.sdk().send(&event(None, Some("shop@1")));
    app.wait_idle();
    assert_eq!(stored(&app, &id)["errors"][0]["type"], "source_map_broken");
    let file = broken["id"].as_str().expect("an id");
    let path = format!("/organizations/acme/releases/shop@1/files/{file}/");
    app.api().raw("DELETE", &path, None).expect(204);
    let map = fixture("plain/app.min.js.map");
    send_file(&app, "shop@1", name, &map, None).expect(201);
    wait_mapped(&app, None, Some("shop@1"));
}

#[test]
fn bundles_are_put_together_for_a_release() {
    let app = App::start();
    create(&app, "shop@1");
    let bytes = bundle(&web_shop("plain", &json!({})));
    let checksum = send_chunk(&app, &bytes);
    let request = json!({"checksum": checksum, "chunks": [checksum]});
    let of = |release: &str| format!("/organizations/acme/releases/{release}/assemble/");
    app.api()
        .raw("POST", &of("nobody@1"), Some(&request))
        .expect(404);
    wait_for(&app, &of("shop@1"), &request);
    wait_mapped(&app, None, Some("shop@1"));
}
