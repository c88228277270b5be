//! In: deploys, and issues that came back in a release. Out: marks on charts, and lists and links that lead from one to the other.

use serde_json::json;

use crate::harness::App;
use crate::harness::sdk::{error, with};

const RELEASES: &str = "/organizations/acme/releases/";

fn send(app: &App, kind: &str, release: &str) {
    let event = error(kind, "no", kind);
    app.sdk().send(&with(event, &json!({"release": release})));
    app.wait_idle();
}

#[test]
fn deploys_are_marked_on_charts() {
    let app = App::start();
    let api = app.api();
    send(&app, "Price", "shop@1");
    let body = json!({"version": "shop@1", "projects": ["shop"]});
    api.raw("POST", RELEASES, Some(&body)).expect(201);
    let other = json!({"version": "web@1", "projects": ["web"]});
    api.raw("POST", RELEASES, Some(&other)).expect(201);
    for (version, environment) in [
        ("shop%401", "production"),
        ("shop%401", "staging"),
        ("web%401", "elsewhere"),
    ] {
        let path = format!("{RELEASES}{version}/deploys/");
        let deploy = json!({"environment": environment});
        api.raw("POST", &path, Some(&deploy)).expect(201);
    }
    let user = app.user();
    let id = app.only_issue("is:unresolved")["id"].clone();
    let issue = format!("/acme/issues/{}/", id.as_str().unwrap_or_default());
    let page = user.open(&issue).expect(200).text();
    for text in [
        "Deploy of shop@1 to production, ",
        "Deploy of shop@1 to staging, ",
        "; 2 deploys, the last: shop@1 to staging, ",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("web@1"), "of another project");
    assert!(page.contains("href=\"/acme/releases/shop%401/\""));
    let list = user.open("/acme/issues/?query=is%3Aunresolved+environment%3Aproduction");
    let list = list.expect(200).text();
    assert!(list.contains("1 deploy, the last of shop@1 to production, "));
    assert!(!list.contains("Deploy of shop@1 to staging"));
    let projects = user.open("/acme/projects/").expect(200).text();
    assert!(projects.contains("Deploy of shop@1 to staging, "));
}

#[test]
fn a_release_shows_what_came_back_in_it() {
    let app = App::start();
    send(&app, "Price", "shop@1.0+7");
    send(&app, "Stock", "shop@1.0+7");
    let price = app.only_issue("is:unresolved Price");
    let path = format!("/issues/{}/", price["id"].as_str().unwrap_or_default());
    app.api().put(&path, &json!({"status": "resolved"}));
    send(&app, "Price", "shop@2.0+8");
    let user = app.user();
    let page = user.open("/acme/releases/shop%402.0%2B8/").expect(200);
    page.shows("1, last came back in this release");
    page.shows("0, first seen in this release");
    page.shows("Price: no");
    assert!(!page.words().contains("Stock: no"));
    let link = "/acme/issues/?query=regressedRelease%3A%22shop%402.0%2B8%22";
    assert!(
        page.text().contains(&format!("href=\"{link}\"")),
        "{}",
        page.text()
    );
    let found = user.open(link).expect(200);
    found.shows("Price");
    assert!(!found.words().contains("Stock"));
    assert_eq!(app.api().issues("regressedRelease:shop@2*").len(), 1);
    assert_eq!(app.api().issues("!regressedRelease:shop@2.0+8").len(), 1);
    assert_eq!(app.api().issues("firstRelease:shop@1.0+7").len(), 2);
}
