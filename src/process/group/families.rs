//! Families of whole events: what is one problem whatever the deploy, the compiler or the user, and what is not.

use serde_json::{Value, json};

use super::tests::issues;

fn frame(more: &Value) -> Value {
    let mut frame = json!({"in_app": true});
    let fields = frame.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    frame
}

fn event(platform: &str, kind: &str, value: &str, frames: &[Value]) -> Value {
    let frames: Vec<Value> = frames.iter().map(frame).collect();
    json!({"platform": platform, "exception": {"values": [
        {"type": kind, "value": value, "stacktrace": {"frames": frames}}]}})
}

/// Each inner list is one problem, the lists are different ones.
fn check(what: &str, problems: &[Vec<Value>]) {
    let events: Vec<Value> = problems.iter().flatten().cloned().collect();
    let found = issues(&events);
    let mut expected = Vec::new();
    for (number, problem) in problems.iter().enumerate() {
        expected.extend(vec![number + 1; problem.len()]);
    }
    assert_eq!(found, expected, "{what}");
}

#[test]
fn bundles_of_every_deploy_are_one() {
    let at = |file: &str, function: &str| {
        let frames = [
            json!({"abs_path": format!("app:///dist/{file}"), "function": function, "lineno": 1, "colno": 9}),
        ];
        event("javascript", "TypeError", "x is undefined", &frames)
    };
    check(
        "hashes in the names of files",
        &[
            vec![
                at("main.1a2b3c4d.js", "renderCart"),
                at("main.9f8e7d6c.js", "renderCart"),
            ],
            vec![at("main.1a2b3c4d.js", "renderOrder")],
            vec![at("admin.1a2b3c4d.js", "renderCart")],
        ],
    );
}

#[test]
fn what_is_generated_into_names_does_not_count() {
    let java = |module: &str, function: &str| {
        let frames = [json!({"module": module, "function": function})];
        event("java", "IllegalStateException", "closed", &frames)
    };
    check(
        "classes and lambdas made at run time",
        &[
            vec![
                java("shop.Cart$$EnhancerBySpringCGLIB$$1a2b3c4d", "total"),
                java("shop.Cart$$EnhancerBySpringCGLIB$$99887766", "total"),
            ],
            vec![
                java("shop.Cart", "lambda$pay$0"),
                java("shop.Cart", "lambda$pay$3"),
            ],
            vec![java("shop.Cart", "lambda$refund$0")],
        ],
    );
    let native = |function: &str| {
        let frames = [json!({"function": "main"}), json!({"function": function})];
        event("native", "SIGSEGV", "Segfault", &frames)
    };
    check(
        "symbols of every build",
        &[
            vec![
                native("shop::cart::total::h0123456789abcdef"),
                native("shop::cart::total::hfedcba9876543210"),
                native("shop::cart::total"),
            ],
            vec![native("shop::cart::add")],
        ],
    );
}

#[test]
fn libraries_do_not_count_even_where_the_sdk_says_so() {
    let python = |library: &str| {
        let frames = [
            json!({"abs_path": "/srv/shop/app.py", "module": "shop.app", "function": "pay"}),
            json!({"abs_path": format!("/usr/lib/python3/site-packages/{library}.py"), "module": library, "function": "call"}),
        ];
        event("python", "Timeout", "slow", &frames)
    };
    check(
        "frames in site-packages",
        &[vec![python("requests.api"), python("httpx.client")]],
    );
}

#[test]
fn the_message_tells_apart_what_the_stack_does_not() {
    let helper = |value: &str| {
        let frames = [
            json!({"module": "shop", "function": "load"}),
            json!({"module": "shop.errors", "function": "throwApiError"}),
        ];
        event("node", "ApiError", value, &frames)
    };
    check(
        "one place that makes all errors",
        &[
            vec![helper("Basket 17 is gone"), helper("Basket 4711 is gone")],
            vec![helper("The card was refused")],
        ],
    );
    let go = |value: &str| {
        let frames = [json!({"module": "shop", "function": "Pay"})];
        event("go", "*errors.errorString", value, &frames)
    };
    check(
        "types that any error has",
        &[
            vec![go("order 17: not found"), go("order 18: not found")],
            vec![go("no connection")],
        ],
    );
    let plain = |value: &str| {
        let frames = [json!({"module": "shop", "function": "pay"})];
        event("python", "ValueError", value, &frames)
    };
    check(
        "elsewhere the message does not count",
        &[vec![plain("too low"), plain("too high")]],
    );
}

#[test]
fn messages_differ_by_what_they_say() {
    let message = |text: &str| json!({"platform": "python", "message": text});
    check(
        "messages",
        &[
            vec![
                message("Took 3 s for user 42"),
                message("Took 17.5 minutes for user 8a7b6c5d4e3f2a1b"),
            ],
            vec![message("Upstream answered with status 404")],
            vec![message("Upstream answered with status 500")],
            vec![
                message("Cannot reach 10.0.0.7:5432"),
                message("Cannot reach db-1.example.com:80"),
            ],
        ],
    );
}
