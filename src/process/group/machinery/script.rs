//! Machinery around scripts: built-in functions, evaluated code, task queues, polyfills, and helpers of compilers.
//! In: one frame. Out: its part in that, if it has one.

use crate::process::event::Frame;

use super::super::path::{full_path, npm_package_of};
use super::super::place::is_builtin;
use super::super::sdk::is_script;
use super::super::table::Table;
use super::Machinery;

static QUEUES: Table = Table::new(&[
    "_tickCallback",
    "_tickDomainCallback",
    "drainMicroTaskQueue",
    "nextTick",
    "processTicksAndRejections",
    "queueMicrotask",
    "runMicrotasks",
    "runNextTicks",
]);

/// What compilers and bundlers call into, and wrappers of tools that watch an application.
static HELPERS: Table = Table::new(&[
    "__awaiter",
    "__generator",
    "__webpack_require__",
    "_asyncToGenerator",
    "_callSuper",
    "_classCallCheck",
    "_createSuper",
    "_defineProperty",
    "_inheritsLoose",
    "_objectSpread",
    "_regeneratorRuntime",
    "_slicedToArray",
    "_toConsumableArray",
    "_wrapNativeSuper",
    "asyncGeneratorStep",
    "nrWrapper",
    "webpackJsonpCallback",
]);

/// Polyfills, helpers of compilers, and tools that wrap functions to watch them.
static PACKAGES: Table = Table::new(&[
    "@babel/polyfill",
    "@babel/runtime",
    "@babel/runtime-corejs2",
    "@babel/runtime-corejs3",
    "@bugsnag/js",
    "@datadog/browser-rum",
    "@logrocket/react",
    "@newrelic/browser-agent",
    "@opentelemetry/api",
    "@opentelemetry/context-async-hooks",
    "@opentelemetry/instrumentation",
    "@swc/helpers",
    "babel-polyfill",
    "babel-runtime",
    "core-js",
    "core-js-pure",
    "dd-trace",
    "es6-promise",
    "import-in-the-middle",
    "logrocket",
    "newrelic",
    "promise-polyfill",
    "regenerator-runtime",
    "require-in-the-middle",
    "shimmer",
    "tslib",
    "whatwg-fetch",
    "zone.js",
]);

static MODULES: Table = Table::new(&["@babel/runtime", "core-js/", "regenerator-runtime", "tslib"]);

pub(super) fn role(frame: &Frame<'_>) -> Option<Machinery> {
    let function = frame.function.as_deref().unwrap_or_default();
    let path = full_path(frame).unwrap_or_default();
    if function == "eval" || is_builtin(path) || frame.filename.as_deref().is_some_and(is_builtin) {
        return Some(Machinery::NoCode);
    }
    let name = last_name(function);
    if path.starts_with("node:internal") || QUEUES.holds(name) {
        return Some(Machinery::Queue);
    }
    let package = npm_package_of(frame);
    if is_script(frame, package) {
        return Some(Machinery::Sdk);
    }
    let is_helper = HELPERS.holds(name)
        || package.is_some_and(|package| PACKAGES.holds(package))
        || frame
            .module
            .as_deref()
            .is_some_and(|module| MODULES.holds_beginning_of(module));
    is_helper.then_some(Machinery::Helper)
}

/// `process.processTicksAndRejections [as x]` is `processTicksAndRejections`.
fn last_name(function: &str) -> &str {
    let name = match function.bytes().position(|byte| byte == b'[') {
        Some(end) => function[..end].trim_end(),
        None => function,
    };
    let start = name.bytes().rposition(|byte| matches!(byte, b'.' | b' '));
    start.map_or(name, |at| &name[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn tables_are_sorted() {
        QUEUES.assert_sorted();
        HELPERS.assert_sorted();
        PACKAGES.assert_sorted();
        MODULES.assert_beginnings();
    }

    #[test]
    fn frames() {
        use Machinery::{Helper, NoCode, Queue};
        for (path, function, module, expected) in [
            ("<anonymous>", "Array.reduce", "", Some(NoCode)),
            ("[native code]", "forEach", "", Some(NoCode)),
            ("native code", "forEach", "", Some(NoCode)),
            ("eval code", "run", "", Some(NoCode)),
            ("index 1", "Promise.any", "", Some(NoCode)),
            ("https://a.example/a.js", "eval", "", Some(NoCode)),
            ("https://a.example/a.js", "evaluate", "", None),
            ("https://a.example/a.js", "<anonymous>", "", None),
            ("node:internal/timers", "listOnTimeout", "", Some(Queue)),
            ("node:events", "emit", "", None),
            (
                "internal/process/task_queues.js",
                "process.processTicksAndRejections",
                "",
                Some(Queue),
            ),
            ("/srv/a.js", "runNextTick", "", None),
            (
                "webpack:///./node_modules/core-js/internals/x.js",
                "f",
                "",
                Some(Helper),
            ),
            (
                "webpack:///./node_modules/@babel/runtime/helpers/x.js",
                "f",
                "",
                Some(Helper),
            ),
            ("/srv/node_modules/tslib/tslib.js", "step", "", Some(Helper)),
            (
                "/srv/node_modules/newrelic/lib/shim.js",
                "f",
                "",
                Some(Helper),
            ),
            ("/srv/node_modules/express/lib/router.js", "next", "", None),
            ("https://a.example/a.js", "_callSuper", "", Some(Helper)),
            ("https://a.example/a.js", "callSuper", "", None),
            (
                "https://a.example/a.js",
                "pay",
                "core-js/modules/x",
                Some(Helper),
            ),
            ("https://a.example/a.js", "pay", "core/js", None),
            ("/srv/tslib.js", "pay", "shop", None),
        ] {
            let frame = Frame {
                abs_path: Some(Cow::Borrowed(path)),
                function: Some(Cow::Borrowed(function)),
                module: (!module.is_empty()).then_some(Cow::Borrowed(module)),
                ..Frame::default()
            };
            assert_eq!(role(&frame), expected, "{path} {function}");
        }
    }
}
