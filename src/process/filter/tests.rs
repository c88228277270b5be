//! Whole events against the filters of a project.

use std::net::IpAddr;

use super::*;
use crate::process::rules::sample::{Random, event};

/// Everything off.
fn off() -> Filters {
    Filters {
        browser_extensions: false,
        web_crawlers: false,
        health_checks: false,
        invalid_csp: false,
        ..Filters::default()
    }
}

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

fn reason(filters: &Filters, payload: &str, sender: &str) -> Option<&'static str> {
    let sender: IpAddr = sender.parse().expect("an address");
    Filter::new(filters.clone()).reason(&event(payload), Some(sender))
}

/// What must go with the one filter on, and what must stay with it.
fn check(filters: &Filters, name: &'static str, gone: &[&str], kept: &[&str]) {
    for payload in gone {
        assert_eq!(
            reason(filters, payload, "192.0.2.1"),
            Some(name),
            "{payload}"
        );
        assert_eq!(reason(&off(), payload, "192.0.2.1"), None, "{payload}");
    }
    for payload in kept {
        assert_eq!(reason(filters, payload, "192.0.2.1"), None, "{payload}");
    }
}

#[test]
fn localhost() {
    let filters = Filters {
        localhost: true,
        ..off()
    };
    check(
        &filters,
        "localhost",
        &[
            r#"{"user":{"ip_address":"127.0.0.1"}}"#,
            r#"{"user":{"ip_address":"::1"}}"#,
            r#"{"request":{"url":"http://localhost:3000/a?b"}}"#,
            r#"{"request":{"url":"http://shop.localhost/"}}"#,
            r#"{"request":{"url":"http://[::1]/"}}"#,
            r#"{"request":{"url":"file:///C:/a.html"}}"#,
            r#"{"request":{"headers":{"host":"localhost:8000"}}}"#,
            r#"{"request":{"headers":{"x-forwarded-host":"localhost, proxy.example.com","host":"a.example"}}}"#,
            r#"{"request":{"url":"https://a.example/","headers":{"X-Forwarded-For":"127.0.0.1, 192.0.2.9"}}}"#,
        ],
        &[
            r#"{"user":{"ip_address":"192.0.2.1"}}"#,
            r#"{"request":{"url":"https://localhost.example.com/"}}"#,
            // The address says it; the host is that of the machine behind the proxy.
            r#"{"request":{"url":"https://a.example/","headers":{"host":"localhost"}}}"#,
            r#"{"request":{"headers":{"x-forwarded-host":"a.example","host":"localhost"}}}"#,
            r#"{"request":{"headers":{"X-Forwarded-For":"192.0.2.9, 127.0.0.1"}}}"#,
            r#"{"message":"localhost"}"#,
        ],
    );
    let payload = r#"{"request":{"url":"https://a.example/"}}"#;
    for (sender, expected) in [
        ("127.3.2.1", Some("localhost")),
        ("::ffff:127.0.0.1", Some("localhost")),
        ("10.0.0.1", None),
    ] {
        assert_eq!(reason(&filters, payload, sender), expected, "{sender}");
    }
    assert_eq!(Filter::new(filters).reason(&event(payload), None), None);
}

#[test]
fn legacy_browsers() {
    let filters = Filters {
        legacy_browsers: list(&["ie11", "safari_pre_6"]),
        ..off()
    };
    check(
        &filters,
        "legacy-browsers",
        &[
            r#"{"request":{"headers":{"User-Agent":"Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko"}}}"#,
            r#"{"request":{"headers":[["user-agent","Mozilla/5.0 (Macintosh) AppleWebKit/534 Version/5.1.7 Safari/534"]]}}"#,
        ],
        &[
            r#"{"request":{"headers":{"User-Agent":"Mozilla/5.0 (compatible; MSIE 10.0; Trident/6.0)"}}}"#,
            r#"{"request":{"headers":{"User-Agent":"Mozilla/5.0 Chrome/120.0 Safari/537.36"}}}"#,
            r#"{"request":{"headers":{"Referer":"Trident/7.0; rv:11.0"}}}"#,
            r#"{"message":"Trident/7.0; rv:11.0"}"#,
        ],
    );
}

#[test]
fn browser_extensions() {
    let filters = Filters {
        browser_extensions: true,
        ..off()
    };
    check(
        &filters,
        "browser-extensions",
        &[
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"x","stacktrace":{"frames":[
                {"abs_path":"https://a.example/a.js"},{"abs_path":"chrome-extension://abc/b.js"}]}}]}"#,
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"x","stacktrace":{"frames":[
                {"abs_path":"moz-extension://abc/b.js"},{"abs_path":"<anonymous>"},{"filename":"[native code]"}]}}]}"#,
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"Extension context invalidated."}]}"#,
            r#"{"platform":"javascript","exception":[{"type":"TypeError","value":"can't access dead object"}]}"#,
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"x","stacktrace":{"frames":[
                {"abs_path":"https://me.kis.v2.scr.kaspersky-labs.com/main.js"}]}}]}"#,
        ],
        &[
            // The newest frame is the page's own: the extension only called it.
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"x","stacktrace":{"frames":[
                {"abs_path":"chrome-extension://abc/b.js"},{"abs_path":"https://a.example/a.js"}]}}]}"#,
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"x"}]}"#,
            r#"{"platform":"javascript","message":"Extension context invalidated."}"#,
            r#"{"platform":"python","exception":[{"type":"Error","value":"Extension context invalidated."}]}"#,
            r#"{"platform":"javascript","exception":[{"type":"Error","value":"x","stacktrace":{"frames":[{"abs_path":"<anonymous>"}]}}]}"#,
        ],
    );
}

#[test]
fn web_crawlers() {
    let filters = Filters {
        web_crawlers: true,
        ..off()
    };
    check(
        &filters,
        "web-crawlers",
        &[r#"{"request":{"headers":{"User-Agent":"Mozilla/5.0 (compatible; Googlebot/2.1)"}}}"#],
        &[
            r#"{"request":{"headers":{"User-Agent":"Slackbot 1.0 (+https://api.slack.com/robots)"}}}"#,
            r#"{"request":{"headers":{"User-Agent":"Mozilla/5.0 Chrome/120.0 Safari/537.36"}}}"#,
            r#"{"message":"Googlebot/2.1"}"#,
        ],
    );
}

#[test]
fn health_checks() {
    let filters = Filters {
        health_checks: true,
        ..off()
    };
    check(
        &filters,
        "health-checks",
        &[
            r#"{"request":{"headers":{"User-Agent":"kube-probe/1.27"}}}"#,
            r#"{"transaction":"GET /healthz"}"#,
            r#"{"request":{"url":"https://shop.example.com/api/health/?full=1"}}"#,
            r#"{"request":{"url":"https://shop.example.com/ping"}}"#,
        ],
        &[
            r#"{"transaction":"/orders/7/status"}"#,
            r#"{"transaction":"/healthz/details","request":{"url":"https://shop.example.com/"}}"#,
            r#"{"message":"/healthz"}"#,
        ],
    );
}

#[test]
fn releases() {
    let filters = Filters {
        releases: list(&["shop@1.*", "  *-BETA{,.*} ", ""]),
        ..off()
    };
    check(
        &filters,
        "release-version",
        &[
            r#"{"release":"shop@1.2.3"}"#,
            r#"{"release":"other@2.0.0-beta"}"#,
            r#"{"release":"other@2.0.0-beta.7"}"#,
        ],
        &[
            r#"{"release":"shop@10.2"}"#,
            r#"{"release":"shop@2.0-betas"}"#,
            r#"{"message":"shop@1.2"}"#,
        ],
    );
}

#[test]
fn error_messages() {
    let filters = Filters {
        error_messages: list(&[
            "*resizeobserver loop*",
            "TypeError: {a,b} failed",
            "exactly this",
            "KeyError",
        ]),
        ..off()
    };
    check(
        &filters,
        "error-message",
        &[
            r#"{"message":"ResizeObserver loop limit\nexceeded"}"#,
            r#"{"exception":[{"type":"Error","value":"ResizeObserver loop completed"}]}"#,
            r#"{"exception":[{"type":"TypeError","value":"B failed"}]}"#,
            r#"{"exception":[{"type":"TypeError","value":"a failed"},{"type":"Error","value":"caused"}]}"#,
            r#"{"logentry":{"message":"exactly %s","params":["this"]}}"#,
            r#"{"exception":[{"type":"KeyError"}]}"#,
        ],
        &[
            r#"{"message":"not exactly this"}"#,
            r#"{"exception":[{"type":"Error","value":"a failed"}]}"#,
            r#"{"exception":[{"type":"TypeError","value":"c failed"}]}"#,
            r#"{"exception":[{"type":"KeyError","value":"x"}]}"#,
            r#"{"transaction":"exactly this"}"#,
            "{}",
        ],
    );
}

#[test]
fn addresses() {
    let filters = Filters {
        ip_addresses: list(&["198.51.100.0/24", "2001:db8::/32", "no address"]),
        ..off()
    };
    check(
        &filters,
        "ip-address",
        &[
            r#"{"user":{"ip_address":"198.51.100.200"}}"#,
            r#"{"user":{"ip_address":"2001:db8::5"}}"#,
        ],
        &[
            r#"{"user":{"ip_address":"198.51.101.1"}}"#,
            r#"{"user":{"id":"198.51.100.1"}}"#,
        ],
    );
    assert_eq!(reason(&filters, "{}", "198.51.100.1"), Some("ip-address"));
    assert_eq!(
        reason(&filters, "{}", "::ffff:198.51.100.1"),
        Some("ip-address")
    );
}

#[test]
fn reports_of_policies() {
    let filters = Filters {
        invalid_csp: true,
        csp_disallowed_sources: list(&["*.ads.example", "https://cdn.example/bad/*", "data"]),
        ..off()
    };
    check(
        &filters,
        "invalid-csp",
        &[
            r#"{"csp":{"blocked_uri":"https://a.example/x"}}"#,
            r#"{"csp":{"effective_directive":"img-src","blocked_uri":"about:blank"}}"#,
            r#"{"csp":{"effective_directive":"img-src","blocked_uri":"about"}}"#,
            r#"{"csp":{"effective-directive":"script-src","blocked-uri":"chrome-extension"}}"#,
            r#"{"csp":{"effective_directive":"script-src","blocked_uri":"moz-extension://abc/x.js"}}"#,
            r#"{"csp":{"effective_directive":"script-src","blocked_uri":"inline","source_file":"safari-web-extension://a/x.js"}}"#,
            r#"{"csp":{"effective_directive":"img-src","blocked_uri":"https://X.ads.example:443/p.gif"}}"#,
            r#"{"csp":{"effective_directive":"img-src","blocked_uri":"https://cdn.example/bad/p.gif"}}"#,
            r#"{"csp":{"effective_directive":"img-src","blocked_uri":"data"}}"#,
        ],
        &[
            r#"{"csp":{"effective_directive":"font-src","blocked_uri":"https://type.example.com/a.woff2"}}"#,
            r#"{"csp":{"violated_directive":"img-src 'self'","blocked_uri":"https://ads.example/"}}"#,
            r#"{"csp":{"effective_directive":"img-src","blocked_uri":"https://cdn.example/good/p.gif"}}"#,
            r#"{"csp":{"effective_directive":"script-src","blocked_uri":"inline"}}"#,
            r#"{"csp":{},"message":"about:blank"}"#,
            r#"{"csp":{"blocked_uri":"about"},"exception":[{"type":"Error"}]}"#,
        ],
    );
}

#[test]
fn chunks_and_hydration() {
    let chunk = r#"{"platform":"javascript","exception":[{"type":"ChunkLoadError","value":"Loading chunk 5 failed."}]}"#;
    let hydration = r#"{"platform":"javascript","exception":[{"type":"Error","value":"Minified React error #423; visit"}]}"#;
    let message = r#"{"platform":"javascript","message":"Text content does not match server-rendered HTML."}"#;
    let other = r#"{"platform":"javascript","exception":[{"type":"Error","value":"Minified React error #185"}]}"#;
    let filters = Filters {
        chunk_load: true,
        ..off()
    };
    check(&filters, "chunk-load", &[chunk], &[hydration, other]);
    let filters = Filters {
        hydration: true,
        ..off()
    };
    check(
        &filters,
        "hydration",
        &[hydration, message],
        &[chunk, other],
    );
}

#[test]
fn without_settings_nothing_is_left_out() {
    let filter = Filter::default();
    for payload in [
        r#"{"message":"hello"}"#,
        r#"{"user":{"ip_address":"127.0.0.1"}}"#,
        r#"{"request":{"headers":{"User-Agent":"MSIE 6.0"}}}"#,
        r#"{"request":{"headers":{"User-Agent":"bingbot/2.0"}}}"#,
        r#"{"request":{"headers":{"User-Agent":"UptimeRobot/2.0"}}}"#,
        r#"{"csp":{}}"#,
        r#"{"csp":{"blocked_uri":"x"}}"#,
        r#"{"platform":"javascript","exception":[{"type":"Error","value":"Extension context invalidated."}]}"#,
        r#"{"platform":"javascript","exception":[{"type":"ChunkLoadError","value":"x"}]}"#,
        r#"{"platform":"javascript","exception":[{"type":"Error","value":"Minified React error #418"}]}"#,
    ] {
        assert_eq!(filter.reason(&event(payload), None), None, "{payload}");
    }
}

#[test]
fn settings_are_json_that_may_lack_and_exceed() {
    let default = Filters::default();
    let read = |json: &str| serde_json::from_str::<Filters>(json).expect("settings");
    assert_eq!(read("{}"), default);
    assert_eq!(read(r#"{"unknown":[1],"web_crawlers":false}"#), default);
    let text = serde_json::to_string(&off()).expect("JSON");
    assert_eq!(read(&text), off());
    assert!(default.problems().is_empty());
}

#[test]
fn entries_that_mean_nothing_are_told() {
    let filters = Filters {
        releases: list(&["1.*", &"a".repeat(257)]),
        error_messages: list(&[" ", &"{a,b}".repeat(7)]),
        ip_addresses: list(&["10.0.0.0/8", "10.0.0.*"]),
        legacy_browsers: list(&["ie9", "netscape"]),
        csp_disallowed_sources: vec!["a.example".to_owned(); 201],
        ..Filters::default()
    };
    let problems = filters.problems();
    for (problem, expected) in problems.iter().zip([
        "aaaa",
        "` ` is no message pattern",
        "`{a,b}{a,b}",
        "source pattern: 200 entries are the most",
        "`10.0.0.*` is no address or network",
        "`netscape` is no known browser",
    ]) {
        assert!(problem.contains(expected), "{problem}");
    }
    assert_eq!(problems.len(), 6);
    let _ = Filter::new(filters);
}

#[test]
fn any_event_and_any_settings_are_survived() {
    const TEXTS: [&str; 22] = [
        "",
        "a",
        "*",
        "é",
        "127.0.0.1",
        "::1",
        "http://",
        "://",
        "http://[",
        "http://[::1",
        "/healthz",
        "GET ",
        "bot",
        "Version/",
        "Opera/",
        "MSIE ",
        "chrome-extension://",
        "{a,b}",
        "[",
        "\\",
        "localhost:",
        "about:",
    ];
    let mut random = Random::new(3);
    let mut filtered = 0;
    for _ in 0..5000 {
        let text = |random: &mut Random| match random.below(3) {
            0 => random.any_text(12),
            _ => random.text(&TEXTS, 3),
        };
        let entries = |random: &mut Random| -> Vec<String> {
            (0..random.below(3)).map(|_| text(random)).collect()
        };
        let filters = Filters {
            localhost: true,
            legacy_browsers: LEGACY_BROWSERS
                .map(|choice| choice.name.to_owned())
                .to_vec(),
            releases: entries(&mut random),
            error_messages: entries(&mut random),
            ip_addresses: entries(&mut random),
            csp_disallowed_sources: entries(&mut random),
            browser_extensions: true,
            web_crawlers: true,
            health_checks: true,
            invalid_csp: true,
            chunk_load: true,
            hydration: true,
        };
        let _ = filters.problems();
        let mut any = || text(&mut random);
        let payload = serde_json::json!({
            "platform": "javascript", "message": any(), "release": any(), "transaction": any(),
            "user": {"ip_address": any()}, "csp": {"effective_directive": any(), "blocked_uri": any(), "source_file": any()},
            "request": {"url": any(), "headers": {"User-Agent": any(), "Host": any(), "X-Forwarded-For": any()}},
            "exception": [{"type": any(), "value": any(), "stacktrace": {"frames": [{"abs_path": any()}]}}],
        });
        let found = Filter::new(filters).reason(&event(&payload.to_string()), None);
        assert!(found.is_none_or(|reason| REASONS.contains(&reason)));
        filtered += usize::from(found.is_some());
    }
    assert!((500..4900).contains(&filtered), "{filtered}");
}
