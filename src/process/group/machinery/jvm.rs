//! Machinery of the JVM and of Android: how threads begin and wait for work, reflection, and how throwables are made.
//! In: one frame. Out: its part in that, if it has one.

use crate::process::event::Frame;

use super::super::table::Table;
use super::Machinery;

/// Calls that are made for others; their classes are numbered in the order they were generated.
static REFLECTION: Table = Table::new(&[
    "$Proxy",
    "com.sun.proxy.",
    "java.lang.invoke.",
    "java.lang.reflect.",
    "jdk.internal.reflect.",
    "jdk.proxy",
    "org.codehaus.groovy.reflection.",
    "sun.reflect.",
]);

static QUEUES: Table = Table::new(&[
    "android.os.Handler",
    "java.util.concurrent.CompletableFuture",
    "java.util.concurrent.Executors$",
    "java.util.concurrent.FutureTask",
    "kotlin.coroutines.",
    "kotlinx.coroutines.",
]);

pub(super) fn role(frame: &Frame<'_>) -> Option<Machinery> {
    let module = frame.module.as_deref()?;
    let function = frame.function.as_deref().unwrap_or_default();
    if starts_thread(module, function) {
        Some(Machinery::ThreadStart)
    } else if module == "java.lang.Throwable" {
        Some(Machinery::Throwing)
    } else if REFLECTION.holds_beginning_of(module) {
        Some(Machinery::Reflection)
    } else if QUEUES.holds_beginning_of(module) {
        Some(Machinery::Queue)
    } else {
        None
    }
}

fn starts_thread(module: &str, function: &str) -> bool {
    match function {
        "run" => matches!(
            module,
            "java.lang.Thread"
                | "java.lang.VirtualThread"
                | "java.util.TimerThread"
                | "java.util.concurrent.ThreadPoolExecutor$Worker"
                | "java.util.concurrent.ForkJoinWorkerThread"
                | "scala.concurrent.forkjoin.ForkJoinWorkerThread"
                | "java.awt.EventDispatchThread"
                | "android.os.HandlerThread"
                | "com.android.internal.os.RuntimeInit$MethodAndArgsCaller"
                | "dalvik.system.NativeStart"
                | "io.netty.util.concurrent.FastThreadLocalRunnable"
                | "kotlinx.coroutines.scheduling.CoroutineScheduler$Worker"
                | "org.apache.tomcat.util.threads.TaskThread$WrappingRunnable"
        ),
        "runWith" => matches!(module, "java.lang.Thread" | "java.lang.VirtualThread"),
        "runWorker" => matches!(
            module,
            "java.util.concurrent.ThreadPoolExecutor"
                | "java.util.concurrent.ForkJoinPool"
                | "org.apache.tomcat.util.threads.ThreadPoolExecutor"
                | "kotlinx.coroutines.scheduling.CoroutineScheduler$Worker"
        ),
        "scan" => module == "java.util.concurrent.ForkJoinPool",
        "mainLoop" => module == "java.util.TimerThread",
        "loop" | "loopOnce" => module == "android.os.Looper",
        "main" => matches!(
            module,
            "android.app.ActivityThread"
                | "com.android.internal.os.ZygoteInit"
                | "dalvik.system.NativeStart"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn tables_are_sorted() {
        REFLECTION.assert_beginnings();
        QUEUES.assert_beginnings();
    }

    #[test]
    fn calls() {
        use Machinery::{Queue, Reflection, ThreadStart, Throwing};
        for (module, function, expected) in [
            ("java.lang.Thread", "run", Some(ThreadStart)),
            ("java.lang.Thread", "sleep", None),
            (
                "java.util.concurrent.ThreadPoolExecutor",
                "runWorker",
                Some(ThreadStart),
            ),
            ("android.os.Looper", "loop", Some(ThreadStart)),
            ("android.app.ActivityThread", "main", Some(ThreadStart)),
            ("android.app.ActivityThread", "performLaunchActivity", None),
            ("com.example.shop.Main", "main", None),
            ("com.example.shop.Job", "run", None),
            ("java.lang.Throwable", "fillInStackTrace", Some(Throwing)),
            (
                "jdk.internal.reflect.GeneratedMethodAccessor12",
                "invoke",
                Some(Reflection),
            ),
            ("java.lang.reflect.Method", "invoke", Some(Reflection)),
            (
                "java.lang.invoke.LambdaForm$DMH.123",
                "invokeVirtual",
                Some(Reflection),
            ),
            ("com.sun.proxy.$Proxy12", "pay", Some(Reflection)),
            ("java.util.concurrent.FutureTask", "run", Some(Queue)),
            ("java.util.concurrent.ConcurrentHashMap", "get", None),
            ("android.os.Handler", "dispatchMessage", Some(Queue)),
            ("com.example.shop.$Proxy", "pay", None),
            ("", "run", None),
        ] {
            let frame = Frame {
                module: Some(Cow::Borrowed(module)),
                function: Some(Cow::Borrowed(function)),
                ..Frame::default()
            };
            assert_eq!(role(&frame), expected, "{module}.{function}");
        }
    }
}
