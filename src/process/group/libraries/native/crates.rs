//! Functions of Rust's and C++'s standard libraries and of common crates, by what stands before the first `::`.
//! In: the name of a function. Out: whether it is not the application's.

use super::super::super::table::Table;

/// Crates and namespaces whose names nobody else would choose.
static ROOTS: Table = Table::new(&[
    "__cxxabiv1",
    "__gnu_cxx",
    "__rustc",
    "absl",
    "actix_codec",
    "actix_http",
    "actix_rt",
    "actix_server",
    "actix_service",
    "actix_web",
    "addr2line",
    "aho_corasick",
    "anyhow",
    "arc_swap",
    "async_channel",
    "async_executor",
    "async_global_executor",
    "async_graphql",
    "async_io",
    "async_std",
    "async_task",
    "aws_config",
    "aws_sdk_s3",
    "aws_smithy_runtime",
    "axum",
    "axum_core",
    "backtrace",
    "backtrace_rs",
    "bb8",
    "bincode",
    "boost",
    "chrono",
    "clap",
    "clap_builder",
    "color_eyre",
    "cranelift_codegen",
    "crossbeam_channel",
    "crossbeam_deque",
    "crossbeam_epoch",
    "crossbeam_utils",
    "ctrlc",
    "dashmap",
    "deadpool",
    "deadpool_postgres",
    "diesel",
    "eframe",
    "egui",
    "env_logger",
    "eyre",
    "folly",
    "futures_channel",
    "futures_core",
    "futures_executor",
    "futures_util",
    "gimli",
    "h2",
    "hashbrown",
    "http_body",
    "http_body_util",
    "hyper",
    "hyper_rustls",
    "hyper_tls",
    "hyper_util",
    "indexmap",
    "isahc",
    "itertools",
    "jsonwebtoken",
    "lazy_static",
    "libloading",
    "mio",
    "native_tls",
    "num_cpus",
    "once_cell",
    "opentelemetry",
    "parking_lot",
    "parking_lot_core",
    "pin_project",
    "pin_project_lite",
    "prost",
    "quinn",
    "quinn_proto",
    "r2d2",
    "rayon",
    "rayon_core",
    "rdkafka",
    "regex",
    "regex_automata",
    "regex_syntax",
    "reqwest",
    "rocket",
    "rusqlite",
    "rust_decimal",
    "rustc_demangle",
    "rustix",
    "rustls",
    "salvo",
    "scoped_tls",
    "sea_orm",
    "serde",
    "serde_core",
    "serde_json",
    "serde_path_to_error",
    "serde_urlencoded",
    "serde_yaml",
    "signal_hook",
    "smallvec",
    "smol",
    "socket2",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "std",
    "tauri",
    "tauri_runtime_wry",
    "thiserror",
    "thread_local",
    "threadpool",
    "tokio",
    "tokio_native_tls",
    "tokio_postgres",
    "tokio_rustls",
    "tokio_stream",
    "tokio_tungstenite",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
    "tower_layer",
    "tower_service",
    "tracing",
    "tracing_actix_web",
    "tracing_core",
    "tracing_log",
    "tracing_subscriber",
    "tungstenite",
    "ureq",
    "utoipa",
    "wasmtime",
    "wgpu",
    "winit",
    "zbus",
]);

/// Modules of `core` and `alloc`, since C++ projects have namespaces of these names.
static CORE_MODULES: Table = Table::new(&[
    "alloc",
    "any",
    "arch",
    "array",
    "ascii",
    "async_iter",
    "borrow",
    "boxed",
    "cell",
    "char",
    "clone",
    "cmp",
    "collections",
    "convert",
    "core_arch",
    "default",
    "error",
    "escape",
    "ffi",
    "fmt",
    "future",
    "hash",
    "hint",
    "index",
    "internal_macros",
    "intrinsics",
    "iter",
    "marker",
    "mem",
    "net",
    "num",
    "ops",
    "option",
    "panic",
    "panicking",
    "pin",
    "primitive",
    "ptr",
    "range",
    "raw_vec",
    "rc",
    "result",
    "slice",
    "str",
    "string",
    "sync",
    "task",
    "time",
    "tuple",
    "unicode",
    "unit",
    "vec",
]);

static MANGLED: Table = Table::new(&[
    "_ZN3std",
    "_ZN4core3ops",
    "_ZN4core9panicking",
    "_ZNKSt",
    "_ZNSt",
    "_ZSt",
    "__rust",
    "rust_begin_unwind",
]);

pub(super) fn is_library_function(function: &str) -> bool {
    if MANGLED.holds_beginning_of(function) {
        return true;
    }
    let path = without_sigils(function);
    let root = front_word(path);
    let Some(rest) = path[root.len()..].strip_prefix("::") else {
        return false;
    };
    match root {
        "core" | "alloc" => CORE_MODULES.holds(front_word(rest)),
        _ => ROOTS.holds(root),
    }
}

fn front_word(path: &str) -> &str {
    let end = path
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'));
    &path[..end.unwrap_or(path.len())]
}

/// `<&mut alloc::vec::Vec<T> as …>` is of `alloc`.
fn without_sigils(function: &str) -> &str {
    const WORDS: [&str; 4] = ["mut ", "const ", "dyn ", "impl "];
    let mut rest = function;
    while rest.starts_with(['<', '&', '*', '(', '[']) {
        rest = &rest[1..];
        if let Some(path) = WORDS.iter().find_map(|word| rest.strip_prefix(word)) {
            rest = path;
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{assert_libraries, function};
    use super::*;

    #[test]
    fn tables_are_sorted() {
        MANGLED.assert_beginnings();
        ROOTS.assert_sorted();
        CORE_MODULES.assert_sorted();
    }

    #[test]
    fn functions() {
        assert_libraries(
            "native",
            function,
            &[
                "std::panicking::begin_panic",
                "std::function<void ()>::operator()",
                "core::ops::function::FnOnce::call_once",
                "<alloc::boxed::Box<dyn core::ops::FnOnce<()>> as core::ops::FnOnce<()>>::call_once",
                "<&dyn core::ops::function::Fn<()> as core::ops::function::FnOnce<()>>::call_once",
                "<&mut core::iter::Map<I, F> as Iterator>::next",
                "__rust_begin_short_backtrace<fn(), ()>",
                "__rustc::rust_begin_unwind",
                "tokio::runtime::task::core::Core<T, S>::poll",
                "sentry_panic::PanicIntegration::event_from_panic_info",
                "<sentry_panic::PanicIntegration as sentry_core::Integration>::setup",
                "_ZNSt6vectorIiE9push_backEi",
                "start_thread",
            ],
            &[
                "shop::stock::reserve",
                "<shop::Basket<T> as core::fmt::Display>::fmt",
                "core::Engine::tick",
                "alloc::Pool::grow",
                "core::engine::tick",
                "standard::run",
                "main",
                "_ZN4shop6Basket5totalEv",
                "$s4Shop14BasketViewCtrlC3payyyF",
                "<<<",
                "::x",
                "",
            ],
        );
    }
}
