//! In: probes with GET and HEAD. Out: the same head, and a body only for the GET.

use crate::harness::App;

#[test]
fn head_is_get_without_a_body() {
    let app = App::start();
    for path in ["/health/live", "/health/ready", "/login"] {
        let get = app.anonymous().get(path).expect(200);
        let head = app.anonymous().request("HEAD", path, &[], None).expect(200);
        assert!(!get.body.is_empty() && head.body.is_empty(), "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
        let length = head.header("content-length").map(str::to_owned);
        if path == "/health/live" {
            assert_eq!(length, Some(get.body.len().to_string()), "{path}");
        }
    }
    app.anonymous()
        .request("HEAD", "/no/such/page/at/all", &[], None)
        .expect(404);
}

#[test]
fn health_has_a_row_for_each_component() {
    let app = App::start();
    let health = app.health();
    let rows = health["components"].as_array().expect("rows");
    for name in ["journal", "keys", "database", "redis", "mail"] {
        assert!(rows.iter().any(|row| row["name"] == name), "{health:#}");
    }
    let redis = rows.iter().find(|row| row["name"] == "redis");
    let expected = if app.redis.is_some() { "ok" } else { "off" };
    assert_eq!(redis.map(|row| &row["status"]), Some(&expected.into()));
}
