//! In: the old `store` endpoint and the endpoints of features that are not built yet. Out: their success answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::App;
use crate::harness::api::encode;
use crate::harness::sdk::new_id;

#[test]
fn every_form_of_the_store_endpoint() {
    let app = App::start();
    let (sdk, client) = (app.sdk(), app.anonymous());
    let mut sent = Vec::new();
    let mut event = |form: &str| {
        let id = new_id();
        sent.push((form.to_owned(), id.clone()));
        (
            id.clone(),
            json!({"event_id": id, "message": form}).to_string(),
        )
    };

    let (id, body) = event("plain JSON");
    assert_eq!(
        sdk.post(
            "store/",
            &[("content-type", "application/json")],
            body.as_bytes()
        )
        .expect(200)
        .json()["id"],
        id
    );
    let (id, body) = event("without a slash");
    assert_eq!(
        sdk.post("store", &[], body.as_bytes()).expect(200).json()["id"],
        id
    );
    let (id, body) = event("without a project");
    let auth = sdk.auth();
    let answer = client.post("/api/store/", &[("x-sentry-auth", &auth)], body.as_bytes());
    assert_eq!(answer.expect(200).json()["id"], id);
    let (id, body) = event("base64 of zlib");
    let packed = {
        use std::io::Write as _;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder
            .write_all(body.as_bytes())
            .and_then(|()| encoder.finish())
            .expect("memory takes it")
    };
    assert_eq!(
        sdk.post("store/", &[], STANDARD.encode(packed).as_bytes())
            .expect(200)
            .json()["id"],
        id
    );
    let (_, body) = event("GET with sentry_data");
    let path = format!(
        "{}?sentry_key={}&sentry_version=4&sentry_data={}",
        sdk.path("store/"),
        sdk.key,
        encode(&STANDARD.encode(body))
    );
    let answer = client.get(&path).expect(200);
    assert_eq!(answer.header("content-type"), Some("image/gif"), "{answer}");
    assert!(
        answer.body.starts_with(b"GIF89a") || answer.body.starts_with(b"GIF87a"),
        "{answer}"
    );

    let answer = sdk
        .post("store/", &[], b"{\"message\":\"no id\"}")
        .expect(200);
    let made_up = answer.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(made_up.len(), 32, "{made_up}");
    sent.push(("no id".to_owned(), made_up));

    app.wait_idle();
    for (form, id) in sent {
        let event = app
            .api()
            .event("acme", "shop", &id)
            .unwrap_or_else(|| panic!("{form}: not stored"));
        assert_eq!(event["title"], form.as_str());
    }
}

#[test]
fn endpoints_of_later_features_answer_success() {
    let app = App::start();
    let (sdk, client) = (app.sdk(), app.anonymous());
    let key = format!("?sentry_key={}", sdk.key);
    for endpoint in [
        "cron/nightly/",
        &format!("cron/nightly/{}/", sdk.key),
        &format!("cron/nightly/{}", sdk.key),
    ] {
        sdk.post(&format!("{endpoint}?status=ok"), &[], b"")
            .expect(202);
    }
    client
        .get(&sdk.path(&format!("cron/nightly/{}/?status=in_progress", sdk.key)))
        .expect(202);
    let form = "--b\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"a.dmp\"\r\n\r\nMDMP\r\n--b--\r\n";
    for endpoint in ["minidump", "minidump/"] {
        let path = sdk.path(&format!("{endpoint}{key}"));
        let answer = client
            .post(
                &path,
                &[("content-type", "multipart/form-data; boundary=b")],
                form.as_bytes(),
            )
            .expect(200);
        assert_eq!(answer.text().trim().len(), 36, "a hyphenated id: {answer}");
    }
    // A wrong key is refused here too.
    client
        .get(&sdk.path(&format!("cron/nightly/{}/?status=ok", "f".repeat(32))))
        .expect(403);
    app.wait_idle();
    // A dump without anything in it is told all the same.
    assert_eq!(app.only_issue("")["count"], "2");
}
