//! In: scripts that browsers load from a public server, and a project that has their source maps fetched. Out: events that become readable
//! by themselves, with one fetch for all of them; and nothing that a hostile address could reach or hold up.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{WRITTEN, event, fixture, functions, stored, upload, web_shop};
use crate::harness::sdk::{new_id, now};
use crate::harness::site::{Page, Site};
use crate::harness::{App, poll};

const PAGE: &str = "/acme/projects/shop/source-maps";

fn app() -> App {
    App::with().env("BUGLE_ALLOW_OUTGOING", "127.0.0.1").start()
}

fn site() -> Site {
    let site = Site::open();
    site.content("/js/app.min.js", "", &fixture("plain/app.min.js"));
    site.content("/js/app.min.js.map", "", &fixture("plain/app.min.js.map"));
    site
}

/// Switches fetching on or off and waits until events show that the nodes know.
fn set_fetching(app: &App, is_on: bool) {
    let project = "/projects/acme/shop/";
    let answer = app.api().put(project, &json!({"scrapeJavaScript": is_on}));
    assert_eq!(answer["scrapeJavaScript"], is_on);
    // Of this address nothing is fetched, so the event says at once whether the setting is known.
    poll::until("the setting counts", || {
        let probe = json!({"event_id": new_id(), "timestamp": now(), "platform": "javascript", "exception": {"values": [{
            "type": "Probe", "value": "is it on", "stacktrace": {"frames": [
                {"abs_path": "ftp://probe.example/x.js", "function": "probe", "lineno": 1, "colno": 5}]}}]}});
        let id = app.sdk().send(&probe);
        app.wait_idle();
        stored(app, &id)["errors"].is_array() == is_on
    });
}

/// The event of a script at this address.
fn at(event: &Value, url: &str) -> Value {
    let text = event
        .to_string()
        .replace("https://shop.example.com/js/app.min.js?v=3", url);
    serde_json::from_str(&text).expect("JSON")
}

fn note(app: &App, id: &str) -> (String, String) {
    let event = stored(app, id);
    let note = &event["errors"][0];
    let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
    (text("type"), text("value"))
}

/// Sends an event and waits until its map could not be fetched; gives the reason.
fn reason(app: &App, url: &str) -> String {
    let id = app.sdk().send(&at(&event(None, Some("shop@9")), url));
    app.wait_idle();
    poll::value("the failure is told", || {
        let (kind, value) = note(app, &id);
        (kind == "source_map_not_fetched").then_some(value)
    })
}

#[test]
fn events_become_readable_by_themselves_and_stay_in_their_issue() {
    let site = site();
    let app = app();
    let url = site.url("/js/app.min.js");
    let sent = || at(&event(None, Some("shop@3")), &url);
    // Off until somebody turns it on.
    assert_eq!(
        app.api().get("/projects/acme/shop/")["scrapeJavaScript"],
        false
    );
    let id = app.sdk().send(&sent());
    app.wait_idle();
    assert!(stored(&app, &id)["errors"].is_null());
    assert!(site.asked().is_empty());

    set_fetching(&app, true);
    let first: Vec<String> = (0..5).map(|_| app.sdk().send(&sent())).collect();
    poll::until("the event that asked is mapped", || {
        app.wait_idle();
        first
            .iter()
            .any(|id| functions(&stored(&app, id)) == WRITTEN)
    });
    let later = app.sdk().send(&sent());
    app.wait_idle();
    let event = stored(&app, &later);
    assert_eq!(functions(&event), WRITTEN);
    assert!(event["errors"].is_null(), "{}", event["errors"]);
    let issue = app.only_issue("TypeError");
    assert_eq!(issue["count"], "7", "{issue}");
    assert_eq!(site.count("/js/app.min.js"), 1);
    assert_eq!(site.count("/js/app.min.js.map"), 1);

    // It stands among the uploads, and can be deleted there; then it is fetched anew.
    let user = app.user();
    let page = user.open(PAGE).expect(200);
    page.shows(&url);
    assert!(page.text().contains(">fetched<"));
    let form = page.form_of_button("Delete for good");
    user.submit(&page, &form, &[]);
    app.wait_idle();
    assert!(!user.open(PAGE).expect(200).text().contains(">fetched<"));
    poll::until("it is fetched once more", || {
        app.sdk().send(&sent());
        app.wait_idle();
        site.count("/js/app.min.js") == 2
    });
}

#[test]
fn a_map_is_found_by_its_header_inside_the_script_and_over_redirects() {
    let site = Site::open();
    let script = fixture("plain/app.min.js");
    let text = String::from_utf8(script).expect("text");
    let (bare, _) = text.split_once("//# source").expect("it names its map");
    let map = fixture("plain/app.min.js.map");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&map).expect("memory");
    let gzip = gzip.finish().expect("memory");
    site.content("/maps/app.map", "content-encoding: gzip\r\n", &gzip);
    site.content(
        "/by-header.js",
        "X-SourceMap: /maps/app.map\r\n",
        bare.as_bytes(),
    );
    let inside = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&map)
    };
    let inside = format!("{bare}//# sourceMappingURL=data:application/json;base64,{inside}");
    site.content("/inside.js", "", inside.as_bytes());
    site.put("/moved.js", Page::Moved("/by-header.js".to_owned()));
    let app = app();
    set_fetching(&app, true);
    for path in ["/by-header.js", "/inside.js", "/moved.js"] {
        // Without a release as well.
        let id = app.sdk().send(&at(&event(None, None), &site.url(path)));
        poll::until(path, || {
            app.wait_idle();
            functions(&stored(&app, &id)) == WRITTEN
        });
    }
}

#[test]
fn what_cannot_be_fetched_is_said_once_and_not_asked_for_again() {
    let site = site();
    site.content("/nothing.js", "", b"a();");
    site.content("/page.js", "sourcemap: /page\r\n", b"a();");
    site.content("/page", "", b"<!doctype html><title>Shop</title>");
    site.content("/lost.js", "sourcemap: lost.map\r\n", b"a();");
    site.content("/odd.js", "sourcemap: odd.map\r\n", b"a();");
    site.content("/odd.map", "", b"this is no map");
    let metadata = "http://169.254.169.254/latest/meta-data/".to_owned();
    site.put("/metadata.js", Page::Moved(metadata));
    site.content(
        "/inner.js",
        "sourcemap: http://10.0.0.1/app.map\r\n",
        b"a();",
    );
    site.put("/endless.js", Page::Endless);
    let app = app();
    set_fetching(&app, true);
    for (path, expected) in [
        ("/gone.js", "answered 404 for the script"),
        ("/nothing.js", "names no source map"),
        ("/page.js", "a page instead of the source map"),
        ("/lost.js", "answered 404 for the source map"),
        ("/odd.js", "the source map cannot be read"),
        ("/metadata.js", "169.254.169.254 has no public address"),
        ("/inner.js", "10.0.0.1 has no public address"),
        ("/endless.js", "more than the 30 MiB"),
    ] {
        let said = reason(&app, &site.url(path));
        assert!(said.contains(expected), "{path}: {said}");
    }
    // The next event hears the same, and nobody is asked.
    let said = reason(&app, &site.url("/gone.js"));
    assert!(said.contains("404"), "{said}");
    assert_eq!(site.count("/gone.js"), 1);
    let user = app.user();
    let page = user.open(PAGE).expect(200);
    page.shows("Could not be fetched");
    page.shows(&site.url("/gone.js"));
    // Whoever has mended it saves the setting, and the next event tries again.
    site.content("/gone.js", "", &fixture("plain/app.min.js"));
    site.content("/app.min.js.map", "", &fixture("plain/app.min.js.map"));
    let form = page.form_with("name=\"fetch\"");
    user.submit(&page, &form, &[("fetch", "on")]);
    poll::until("the mended script is fetched", || {
        let sent = at(&event(None, Some("shop@9")), &site.url("/gone.js"));
        let id = app.sdk().send(&sent);
        app.wait_idle();
        functions(&stored(&app, &id)) == WRITTEN
    });
}

#[test]
fn private_addresses_are_not_called_for_an_event() {
    let site = site();
    let app = App::start();
    set_fetching(&app, true);
    let port = site.url("/js/app.min.js");
    for url in [
        port.clone(),
        port.replace("127.0.0.1", "localhost"),
        port.replace("127.0.0.1", "2130706433"),
        port.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
    ] {
        let said = reason(&app, &url);
        assert!(
            said.contains("no public address") || said.contains("cannot be resolved"),
            "{url}: {said}"
        );
    }
    assert!(site.asked().is_empty());
}

#[test]
fn an_upload_goes_before_what_is_public() {
    let site = site();
    let app = app();
    set_fetching(&app, true);
    upload(&app, Some("shop@1.4.2"), &web_shop("plain", &json!({})));
    let url = site.url("/js/app.min.js");
    let id = app.sdk().send(&at(&event(None, Some("shop@1.4.2")), &url));
    app.wait_idle();
    assert_eq!(functions(&stored(&app, &id)), WRITTEN);
    assert!(site.asked().is_empty());
}

#[test]
fn many_addresses_and_a_server_that_hangs_hold_nothing_up() {
    let site = Site::open();
    site.put("*", Page::Hangs);
    let app = app();
    set_fetching(&app, true);
    let mut last = String::new();
    for number in 0..300 {
        let url = site.url(&format!("/{number}.js"));
        last = app.sdk().send(&at(&event(None, None), &url));
    }
    poll::until("the last event is stored", || {
        app.api().event("acme", "shop", &last).is_some()
    });
    let (kind, _) = note(&app, &last);
    assert_eq!(kind, "source_map_wanted");
    poll::until("the first is being fetched", || !site.asked().is_empty());
    let words = app.user().open(PAGE).expect(200).words();
    assert!(words.contains("Waiting to be fetched: 100."), "{words}");
    // One of a project at a time.
    assert_eq!(site.asked().len(), 1);
    // Switched off, what waits goes without being fetched.
    let answer = app
        .api()
        .put("/projects/acme/shop/", &json!({"scrapeJavaScript": false}));
    assert_eq!(answer["scrapeJavaScript"], false);
    // The one that hangs is given up after 30 seconds, and only then.
    app.wait_idle_within(poll::DEADLINE * 4);
}
