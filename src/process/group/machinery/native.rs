//! Machinery of compiled programs: how a thread begins, waits for work and ends in a signal or a panic.
//! In: one frame. Out: its part in that, if it has one.

use crate::process::event::Frame;

use super::super::table::Table;
use super::Machinery;

/// What calls the first function of a program or thread, or hands all to the loop of a user interface.
static STARTS: Table = Table::new(&[
    "BaseThreadInitThunk",
    "NSApplicationMain",
    "RtlUserThreadStart",
    "UIApplicationMain",
    "WinMainCRTStartup",
    "__bionic_clone",
    "__clone",
    "__clone3",
    "__libc_init",
    "__libc_start_call_main",
    "__libc_start_main",
    "__libc_start_main_impl",
    "__pthread_start",
    "__scrt_common_main",
    "__scrt_common_main_seh",
    "__start_thread",
    "_beginthreadex",
    "_callthreadstartex",
    "_dispatch_worker_thread2",
    "_pthread_start",
    "_pthread_wqthread",
    "_start",
    "_threadstart",
    "_threadstartex",
    "_tmainCRTStartup",
    "clone",
    "clone3",
    "execute_native_thread_routine",
    "generic_start_main",
    "invoke_main",
    "mainCRTStartup",
    "start",
    "start_thread",
    "start_wqthread",
    "thread_start",
    "wmainCRTStartup",
]);

/// Throws, panics, failed assertions, signals and what they end in.
static THROWS: Table = Table::new(&[
    "CrashForException",
    "KiUserExceptionDispatcher",
    "RaiseException",
    "RaiseFailFastException",
    "RtlRaiseException",
    "UnhandledExceptionFilter",
    "_CxxThrowException",
    "_NSRaiseError",
    "_Unwind_RaiseException",
    "_Unwind_Resume",
    "__abort",
    "__abort_with_payload",
    "__android_log_assert",
    "__assert",
    "__assert2",
    "__assert_fail",
    "__assert_fail_base",
    "__assert_rtn",
    "__chk_fail",
    "__cxa_bad_cast",
    "__cxa_pure_virtual",
    "__cxa_rethrow",
    "__cxa_throw",
    "__cxxabiv1::__terminate",
    "__cxxabiv1::failed_throw",
    "__exceptionPreprocess",
    "__fortify_fail",
    "__kernel_rt_sigreturn",
    "__libc_message",
    "__pthread_kill",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__report_gsfailure",
    "__restore_rt",
    "__rust_end_short_backtrace",
    "__rust_start_panic",
    "__stack_chk_fail",
    "__std_terminate",
    "__verbose_terminate_handler",
    "_assert",
    "_assertionFailure",
    "_fatalErrorMessage",
    "_invalid_parameter",
    "_invalid_parameter_noinfo",
    "_invoke_watson",
    "_objc_terminate",
    "_purecall",
    "_sigtramp",
    "_swift_runtime_on_report",
    "_wassert",
    "abort",
    "abort_report_np",
    "abort_with_payload",
    "abort_with_reason",
    "demangling_terminate_handler",
    "g_assertion_message",
    "g_assertion_message_expr",
    "gsignal",
    "kill",
    "malloc_printerr",
    "malloc_report",
    "malloc_vreport",
    "malloc_zone_error",
    "objc_exception_rethrow",
    "objc_exception_throw",
    "pthread_kill",
    "qFatal",
    "raise",
    "rust_begin_unwind",
    "rust_panic",
    "rust_panic_with_hook",
    "std::__terminate",
    "std::abort",
    "std::rethrow_exception",
    "std::terminate",
    "swift_unexpectedError",
    "terminate",
    "tgkill",
]);

static THROW_FRONTS: Table = Table::new(&[
    "$ss17_assertionFailure",
    "$ss18_fatalErrorMessage",
    "+[NSException raise",
    "-[NSAssertionHandler handleFailure",
    "-[NSException raise",
    "-[NSObject(NSObject) doesNotRecognizeSelector:",
    "<signal handler",
    "QMessageLogger::fatal",
    "__gnu_cxx::__verbose_terminate_handler",
    "__rustc::rust_begin_unwind",
    "abort_message",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "art::JavaVMExt::JniAbort",
    "art::Runtime::Abort",
    "core::panicking::",
    "google::LogMessage::Fail",
    "google::LogMessageFatal",
    "logging::LogMessage::~LogMessage",
    "panic_unwind::",
    "std::__1::__throw_",
    "std::__throw_",
    "std::panic::panic_any",
    "std::panic::resume_unwind",
    "std::process::abort",
]);

/// Loops and queues that wait for work and call it.
static LOOPS: Table = Table::new(&[
    "CFRunLoopRun",
    "CFRunLoopRunInMode",
    "CFRunLoopRunSpecific",
    "DispatchMessageA",
    "DispatchMessageW",
    "DispatchMessageWorker",
    "GSEventRunModal",
    "GetMessageW",
    "RunCurrentEventLoopInMode",
    "UserCallWinProcCheckWow",
    "_dispatch_call_block_and_release",
    "_dispatch_client_callout",
    "_dispatch_continuation_pop",
    "_dispatch_lane_invoke",
    "_dispatch_lane_serial_drain",
    "_dispatch_main_queue_callback_4CF",
    "_dispatch_main_queue_drain",
    "_dispatch_queue_override_invoke",
    "_dispatch_root_queue_drain",
    "_dispatch_root_queue_drain_deferred_wlh",
    "_dispatch_workloop_worker_thread",
    "g_application_run",
    "g_main_context_dispatch",
    "g_main_context_iteration",
    "g_main_loop_run",
    "gtk_main",
    "uv_run",
]);

/// Words that may as well be the short name of something inlined.
static WORDS: Table = Table::new(&[
    "abort",
    "clone",
    "kill",
    "raise",
    "start",
    "terminate",
    "thread_start",
]);

pub(in super::super) fn native_role(frame: &Frame<'_>) -> Option<Machinery> {
    let function = frame.function.as_deref()?;
    if THROW_FRONTS.holds_beginning_of(function) || is_failed_unwrap(function) {
        return Some(Machinery::Throwing);
    }
    let bare = bare(function);
    if let Some(role) = rust_role(function, bare) {
        return Some(role);
    }
    let role = if STARTS.holds(bare) {
        Machinery::ThreadStart
    } else if THROWS.holds(bare) {
        Machinery::Throwing
    } else if LOOPS.holds(bare) || is_loop(bare) {
        Machinery::Queue
    } else {
        return None;
    };
    (!WORDS.holds(bare) || is_of_c(frame)).then_some(role)
}

/// Without arguments, template arguments and version: `abort()`, `raise@@GLIBC_2.2.5`.
fn bare(function: &str) -> &str {
    let name = function.strip_prefix("specialized ").unwrap_or(function);
    let name = name.strip_prefix("Swift.").unwrap_or(name);
    let end = name
        .bytes()
        .position(|byte| matches!(byte, b'(' | b'<' | b'@' | b' '))
        .unwrap_or(name.len());
    name[..end].trim_end_matches("::")
}

/// Rust's standard library: the marks it sets around what is worth showing, in modules that move from release to
/// release, and what panics. Nearly everything runs inside of `catch_unwind`, which is no panic.
fn rust_role(function: &str, bare: &str) -> Option<Machinery> {
    let is_method = bare.is_empty() && function.starts_with("<std::");
    let path = if is_method { function } else { bare };
    if !(is_method || bare.starts_with("std::") || bare.starts_with("__rust")) {
        return None;
    }
    let name = path.rsplit("::").next().unwrap_or(path);
    match name {
        "__rust_begin_short_backtrace" | "thread_start" => return Some(Machinery::ThreadStart),
        "__rust_end_short_backtrace" => return Some(Machinery::Throwing),
        _ => {}
    }
    if path.starts_with("std::rt::lang_start") {
        return Some(Machinery::ThreadStart);
    }
    let rest = path.strip_prefix("std::panicking::")?;
    let catches = ["try", "r#try", "catch_unwind"]
        .iter()
        .any(|name| rest.starts_with(name));
    (!catches).then_some(Machinery::Throwing)
}

/// `Option::expect` and the like, which call what panics; closures that run inside of other methods are no part of it.
fn is_failed_unwrap(function: &str) -> bool {
    const ENDS: [&str; 4] = ["::unwrap", "::expect", "::unwrap_err", "::expect_err"];
    let Some(path) = function.strip_prefix("core::") else {
        return false;
    };
    let is_of_value = path.starts_with("option::") || path.starts_with("result::");
    path.ends_with("_failed") || (is_of_value && ENDS.iter().any(|end| path.ends_with(end)))
}

fn is_loop(name: &str) -> bool {
    name.starts_with("__CFRunLoop") || name.starts_with("__CFRUNLOOP_IS_")
}

/// Rust and Swift show inlined functions without their type, so that `clone` may be of anything.
fn is_of_c(frame: &Frame<'_>) -> bool {
    let is_other_source = [&frame.filename, &frame.abs_path]
        .into_iter()
        .flatten()
        .any(|path| {
            let extension = path.rsplit('.').next();
            matches!(extension, Some("rs" | "swift"))
        });
    !frame.is_in_app() && !is_other_source
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn tables_are_sorted() {
        THROW_FRONTS.assert_beginnings();
        STARTS.assert_sorted();
        THROWS.assert_sorted();
        LOOPS.assert_sorted();
        WORDS.assert_sorted();
    }

    #[test]
    fn functions() {
        use Machinery::{Queue, ThreadStart, Throwing};
        for (function, expected) in [
            ("start_thread", Some(ThreadStart)),
            ("clone3", Some(ThreadStart)),
            ("__libc_start_main@@GLIBC_2.34", Some(ThreadStart)),
            ("UIApplicationMain", Some(ThreadStart)),
            (
                "std::sys::backtrace::__rust_begin_short_backtrace::<fn(), ()>",
                Some(ThreadStart),
            ),
            (
                "__rust_begin_short_backtrace<shop::main::{closure_env#0}, u32>",
                Some(ThreadStart),
            ),
            ("std::rt::lang_start::{{closure}}", Some(ThreadStart)),
            (
                "<std::sys::thread::unix::Thread>::new::thread_start",
                Some(ThreadStart),
            ),
            ("abort", Some(Throwing)),
            ("abort()", Some(Throwing)),
            ("raise@@GLIBC_2.2.5", Some(Throwing)),
            ("__cxa_throw", Some(Throwing)),
            ("std::terminate()", Some(Throwing)),
            ("std::__throw_out_of_range(char const*)", Some(Throwing)),
            ("core::panicking::panic_fmt", Some(Throwing)),
            ("core::option::expect_failed", Some(Throwing)),
            ("core::option::Option<T>::expect", Some(Throwing)),
            ("std::panicking::begin_panic_handler", Some(Throwing)),
            (
                "std::sys::backtrace::__rust_end_short_backtrace::<X, !>",
                Some(Throwing),
            ),
            ("-[NSException raise]", Some(Throwing)),
            ("objc_exception_throw", Some(Throwing)),
            (
                "specialized _assertionFailure(_:_:file:line:flags:)",
                Some(Throwing),
            ),
            (
                "Swift._assertionFailure(_: Swift.StaticString)",
                Some(Throwing),
            ),
            ("<signal handler called>", Some(Throwing)),
            ("CFRunLoopRunSpecific", Some(Queue)),
            ("__CFRUNLOOP_IS_CALLING_OUT_TO_A_BLOCK__", Some(Queue)),
            ("_dispatch_client_callout", Some(Queue)),
            // What only sounds like it.
            ("std::panicking::catch_unwind::<isize, F>", None),
            ("std::panicking::try::do_call", None),
            ("core::option::Option<T>::map", None),
            ("core::panic::unwind_safe::AssertUnwindSafe<F>", None),
            ("shop::Basket::abort", None),
            ("shop::core::panicking::run", None),
            ("raise_price", None),
            ("main", None),
            ("shop::Worker::thread_start", None),
            ("_ZN4shop6Basket5totalEv", None),
            ("<", None),
            ("", None),
        ] {
            let frame = Frame {
                function: Some(Cow::Borrowed(function)),
                ..Frame::default()
            };
            assert_eq!(native_role(&frame), expected, "{function}");
        }
    }

    #[test]
    fn words_are_machinery_only_where_they_can_be_of_c() {
        for (file, in_app, expected) in [
            ("abort.c", None, true),
            ("basket.rs", None, false),
            ("Basket.swift", None, false),
            ("basket.cc", Some(true), false),
        ] {
            let frame = Frame {
                function: Some(Cow::Borrowed("clone")),
                filename: Some(Cow::Borrowed(file)),
                in_app,
                ..Frame::default()
            };
            assert_eq!(native_role(&frame).is_some(), expected, "{file}");
        }
    }
}
