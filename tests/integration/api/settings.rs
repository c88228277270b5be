//! In: settings of a project by Sentry's names. Out: events processed by them, and mistakes refused with nothing changed.

use serde_json::json;

use crate::harness::sdk::{error, message, with};
use crate::harness::{App, poll};

#[test]
fn a_project_is_set_up_by_a_program() {
    let app = App::start();
    let api = app.api();
    let path = "/projects/acme/shop/";
    let before = api.get(path);
    assert_eq!(before["dataScrubber"], true);
    assert_eq!(before["options"]["filters:localhost"], false);

    let after = api.put(
        path,
        &json!({
            "fingerprintingRules": "error.type:DbError -> database",
            "sensitiveFields": ["customer"],
            "safeFields": "token_kind\nauth_mode",
            "scrubIPAddresses": true,
            "options": {"filters:error_messages": "*noise*", "filters:web-crawlers": true},
        }),
    );
    assert_eq!(after["safeFields"], json!(["token_kind", "auth_mode"]));
    assert_eq!(after["options"]["filters:error_messages"], "*noise*");
    assert_eq!(api.get(path), after);
    assert_eq!(after["options"]["filters:web-crawlers"], true);

    // Nodes hear of it within a second; until then events are processed as before.
    let more = json!({"extra": {"customer": "C-4711", "token_kind": "short"}});
    let stored = poll::value("an event by the new settings", || {
        let id = app
            .sdk()
            .send(&with(error("DbError", "no connection", "read"), &more));
        app.wait_idle();
        let stored = api.get(&format!("/projects/acme/shop/events/{id}/json/"));
        (stored["extra"]["customer"] == "[Filtered]").then_some(stored)
    });
    assert_eq!(stored["extra"]["token_kind"], "short");
    assert_eq!(stored["grouping"]["rule"]["line"], 1);
    let id = app.sdk().send(&message("only noise here"));
    app.wait_idle();
    api.raw("GET", &format!("/projects/acme/shop/events/{id}/"), None)
        .expect(404);

    for (body, reason) in [
        (
            json!({"fingerprintingRules": "nonsense"}),
            "fingerprintingRules",
        ),
        (json!({"scrubbingExpressions": ["("]}), "unclosed group"),
        (json!({"options": {"filters:moon": true}}), "filters:moon"),
        (json!({"sensitiveFields": 7}), "sensitiveFields"),
        (json!({"slug": "other"}), "slug"),
        (json!([]), "JSON object"),
    ] {
        let answer = api.raw("PUT", path, Some(&body)).expect(400);
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
    let now = api.get(path);
    for kept in ["fingerprintingRules", "sensitiveFields", "options"] {
        assert_eq!(now[kept], after[kept]);
    }
}
