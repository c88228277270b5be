//! In: the form of the page for source maps, with files in it. Out: what an upload of a build tool is, or what is wrong with the files.

use super::{DEBUG_ID, WRITTEN, event, fixture, functions, stored};
use crate::harness::visitor::{Page, Visitor};
use crate::harness::{App, poll};

const PLACE: &str = "/acme/projects/shop/source-maps";

/// Sends the form as a browser does, without following where it leads.
fn send(
    app: &App,
    user: &Visitor,
    csrf: &str,
    fields: &[(&str, &str)],
    files: &[(&str, Vec<u8>)],
) -> (u16, String) {
    let mut body = Vec::new();
    for (name, value) in [("csrf", csrf)].iter().chain(fields) {
        let part =
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for (name, content) in files {
        let head = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend_from_slice(b"--edge--\r\n");
    let headers = [
        ("content-type", "multipart/form-data; boundary=edge"),
        ("origin", app.base()),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = user.request("POST", PLACE, &headers, Some(&body));
    (answer.status, answer.text())
}

fn csrf(page: &Page) -> String {
    let form = page.form_with("name=\"files\"");
    let field = form.fields.into_iter().find(|(name, _)| name == "csrf");
    field.expect("the form has a token").1
}

fn wait_until_stored(user: &Visitor, uploads: usize) {
    poll::until("the upload is stored", || {
        let page = user.open(PLACE).expect(200);
        page.text().matches(">stored<").count() == uploads
    });
}

#[test]
fn scripts_and_maps_that_a_person_uploads_count_as_those_of_a_build() {
    let app = App::start();
    let user = app.user();
    let csrf = csrf(&user.open(PLACE).expect(200));
    let files = |folder: &str| {
        ["app.min.js", "app.min.js.map"].map(|name| (name, fixture(&format!("{folder}/{name}"))))
    };
    let by_release = [("release", "shop@1.4.2"), ("dist", ""), ("prefix", "~/js/")];
    let (status, text) = send(&app, &user, &csrf, &by_release, &files("plain"));
    assert_eq!(status, 303, "{text}");
    wait_until_stored(&user, 1);
    let by_id = [("release", ""), ("dist", ""), ("prefix", "~/")];
    let (status, text) = send(&app, &user, &csrf, &by_id, &files("with-debug-id"));
    assert_eq!(status, 303, "{text}");
    wait_until_stored(&user, 2);
    for sent in [event(None, Some("shop@1.4.2")), event(Some(DEBUG_ID), None)] {
        let id = app.sdk().send(&sent);
        app.wait_idle();
        assert_eq!(functions(&stored(&app, &id)), WRITTEN);
    }
}

#[test]
fn what_cannot_be_taken_is_said_beside_the_form() {
    let app = App::start();
    let user = app.user();
    let csrf = csrf(&user.open(PLACE).expect(200));
    let script = || ("app.js", b"a()".to_vec());
    let release = [
        ("release", "shop@1 & <co>"),
        ("dist", ""),
        ("prefix", "~/x/"),
    ];
    for (fields, files, problem) in [
        (&release[..], vec![], "Choose at least one file."),
        (
            &release[..],
            vec![("", vec![])],
            "Choose at least one file.",
        ),
        (&[][..], vec![script()], "app.js has no debug id."),
        (
            &release[..],
            vec![script(), script()],
            "Two files are called app.js.",
        ),
        (
            &release[..],
            vec![("a.txt", vec![1])],
            "a.txt is neither a script",
        ),
        (
            &release[..],
            vec![("a.zip", b"PK nonsense".to_vec())],
            "This archive cannot be taken",
        ),
        (
            &release[..],
            vec![("a.zip", vec![1]), script()],
            "Choose one archive alone",
        ),
        (
            &[("release", "a\tb")][..],
            vec![script()],
            "The release has more than",
        ),
    ] {
        let (status, text) = send(&app, &user, &csrf, fields, &files);
        assert_eq!(status, 200, "{text}");
        let words = crate::harness::visitor::words(&text);
        assert!(words.contains(problem), "{problem}: {words}");
        if fields.len() == 3 {
            assert!(
                text.contains("value=\"shop@1 &#38; &#60;co&#62;\""),
                "{text}"
            );
            assert!(text.contains("value=\"~/x/\""));
        }
    }
    let (status, _) = send(&app, &user, "forged", &release, &[script()]);
    assert_eq!(status, 403);
    let page = user.open(PLACE).expect(200);
    page.shows("Nothing uploaded yet");
    let kept = app
        .database
        .number("SELECT COUNT(*) AS number FROM upload_chunks");
    assert_eq!(kept, 0);
}
