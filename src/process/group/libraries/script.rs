//! Scripts of others: npm packages, what bundlers and Node add, and scripts of public hosts.
//! In: one frame. Out: whether it is not the application's.

use crate::process::event::Frame;

use super::super::path::{full_path, host, npm_package_of};
use super::super::sdk::is_script;
use super::super::table::Table;

/// Hosts that serve libraries, or scripts that pages embed for others: payment, maps, consent, statistics.
static HOSTS: Table = Table::new(&[
    "accounts.google.com",
    "ajax.aspnetcdn.com",
    "ajax.cloudflare.com",
    "ajax.googleapis.com",
    "apis.google.com",
    "assets.adobedtm.com",
    "bat.bing.com",
    "browser.sentry-cdn.com",
    "bundle.run",
    "cdn.amplitude.com",
    "cdn.bootcdn.net",
    "cdn.bootcss.com",
    "cdn.cookielaw.org",
    "cdn.jsdelivr.net",
    "cdn.logr-in.com",
    "cdn.logrocket.com",
    "cdn.logrocket.io",
    "cdn.lr-in-prod.com",
    "cdn.lr-in.com",
    "cdn.lr-ingest.com",
    "cdn.lr-ingest.io",
    "cdn.lrkt-in.com",
    "cdn.mxpnl.com",
    "cdn.optimizely.com",
    "cdn.plyr.io",
    "cdn.polyfill.io",
    "cdn.segment.com",
    "cdn.skypack.dev",
    "cdn.staticfile.org",
    "cdn.userway.org",
    "cdnjs.cloudflare.com",
    "challenges.cloudflare.com",
    "code.angularjs.org",
    "code.jquery.com",
    "connect.facebook.net",
    "consent.cookiebot.com",
    "d3js.org",
    "deno.land",
    "edge.fullstory.com",
    "esm.run",
    "esm.sh",
    "esm.unpkg.com",
    "fast.wistia.com",
    "ga.jspm.io",
    "googleads.g.doubleclick.net",
    "js-agent.newrelic.com",
    "js-cdn.dynatrace.com",
    "js.hs-scripts.com",
    "js.hsforms.net",
    "js.intercomcdn.com",
    "js.sentry-cdn.com",
    "js.stripe.com",
    "jspm.dev",
    "jsr.io",
    "maps.google.com",
    "maps.googleapis.com",
    "maxcdn.bootstrapcdn.com",
    "mc.yandex.ru",
    "netdna.bootstrapcdn.com",
    "pagead2.googlesyndication.com",
    "platform.twitter.com",
    "player.vimeo.com",
    "polyfill-fastly.io",
    "polyfill.io",
    "script.hotjar.com",
    "securepubads.g.doubleclick.net",
    "snap.licdn.com",
    "ssl.google-analytics.com",
    "stackpath.bootstrapcdn.com",
    "static.cloudflareinsights.com",
    "static.hotjar.com",
    "static.zdassets.com",
    "unpkg.com",
    "widget.intercom.io",
    "www.clarity.ms",
    "www.google-analytics.com",
    "www.google.com",
    "www.googletagmanager.com",
    "www.gstatic.com",
    "www.paypal.com",
    "www.recaptcha.net",
    "www.youtube.com",
    "yastatic.net",
]);

pub(super) fn is_library(frame: &Frame<'_>) -> bool {
    npm_package_of(frame).is_some()
        || full_path(frame).is_some_and(|path| is_runtime(path) || is_of_public_host(path))
        || frame
            .module
            .as_deref()
            .is_some_and(|module| module.starts_with("webpack/"))
        || is_script(frame, None)
}

fn is_of_public_host(path: &str) -> bool {
    host(path).is_some_and(|host| HOSTS.holds(host))
}

/// Before version 16 Node named its own files without `node:`.
fn is_runtime(path: &str) -> bool {
    [
        "node:",
        "internal/",
        "webpack/",
        "webpack:///webpack/",
        "(webpack)/",
        "ext:",
        "bun:",
    ]
    .iter()
    .any(|front| path.starts_with(front))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_libraries, module, path};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        HOSTS.assert_sorted();
    }

    #[test]
    fn paths() {
        assert_libraries(
            "javascript",
            path,
            &[
                "https://unpkg.com/react.js",
                "https://cdn.jsdelivr.net/npm/vue",
                "https://esm.sh/preact",
                "webpack:///./node_modules/a.js",
                "webpack:///./~/lodash/lodash.js",
                "webpack:///webpack/bootstrap",
                "/srv/app/node_modules/express/lib/router.js",
                "node:internal/timers",
                "internal/process/task_queues.js",
                "https://shop.example.com/node_modules/vue/vue.js",
            ],
            &[
                "https://shop.example.com/app.js",
                "http://shop.example.com/js/vendor.js",
                // A page for vendors of a market place, not a folder of libraries.
                "https://shop.example.com/vendor/orders",
                "https://unpkg.com.example.com/a.js",
                "webpack:///./src/webpack/config.js",
                "app:///index.android.bundle",
                "/srv/app/server.js",
            ],
        );
        assert_libraries(
            "javascript",
            module,
            &["webpack/runtime/jsonp"],
            &["src/webpack"],
        );
    }

    #[test]
    fn the_file_name_tells_where_the_address_does_not() {
        let frame = Frame {
            abs_path: Some("app:///index.android.bundle".into()),
            filename: Some("node_modules/promise/core.js".into()),
            ..Frame::default()
        };
        assert!(is_library(&frame));
    }
}
