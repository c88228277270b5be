//! Names of methods in Ruby.
//! In: a label of a backtrace. Out: the method, without its class, which newer versions write before it, and without the
//! numbers of compiled templates and callbacks.

use std::borrow::Cow;

use super::{changed, is_digits, run_end};

pub(super) fn function(name: &str) -> Cow<'_, str> {
    if name == "block" || name.starts_with("block ") {
        return Cow::Borrowed("block");
    }
    let mut method = name;
    while let Some((_, inner)) = ["rescue in ", "ensure in "]
        .iter()
        .find_map(|part| method.strip_prefix(part).map(|inner| (part, inner)))
    {
        method = inner;
    }
    if method.starts_with("block ") {
        return Cow::Borrowed("block");
    }
    let method = without_class(method);
    if !method.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(method);
    }
    let is_callback = ["_callback_", "_conditional_callback_", "_run__", "__bind_"]
        .iter()
        .any(|prefix| method.starts_with(prefix));
    if is_callback {
        let kept: Vec<&str> = method.split('_').filter(|part| !is_digits(part)).collect();
        return changed(name, kept.join("_"));
    }
    Cow::Borrowed(without_template_numbers(method))
}

/// An anonymous class is shown with its address: `#<Class:0x00007f1b2c3d4e5f>`.
pub(super) fn module(name: &str) -> Cow<'_, str> {
    if !name.contains(":0x") {
        return Cow::Borrowed(name);
    }
    let mut stable = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(":0x") {
        stable.push_str(&rest[..at]);
        rest = &rest[run_end(rest, at + ":0x".len(), |byte| byte.is_ascii_hexdigit())..];
    }
    stable.push_str(rest);
    Cow::Owned(stable)
}

/// `Basket#pay` and `Basket.pay` are `pay`, as Ruby before 3.4 wrote it.
fn without_class(name: &str) -> &str {
    let is_class = |front: &str| {
        front.starts_with(|c: char| c.is_uppercase()) || front.starts_with("#<") || front.is_empty()
    };
    if let Some((front, method)) = name.rsplit_once('#')
        && is_class(front)
        && !front.is_empty()
        && !method.starts_with('<')
    {
        return method;
    }
    match name.split_once('.') {
        Some((front, method)) if is_class(front) && !method.is_empty() => method,
        _ => name,
    }
}

/// Methods of compiled templates: `_app_views_x_html_erb__1234567_890`.
fn without_template_numbers(name: &str) -> &str {
    let Some((front, last)) = name.rsplit_once('_') else {
        return name;
    };
    let Some((front, first)) = front.rsplit_once('_') else {
        return name;
    };
    let bare = front.trim_end_matches('_');
    let is_template =
        is_digits(last) && is_digits(first) && front.ends_with('_') && !bare.is_empty();
    if is_template { bare } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::{function, module};

    #[test]
    fn methods_lose_classes_and_numbers() {
        for (name, expected) in [
            ("pay", "pay"),
            ("pay2", "pay2"),
            ("test_2024", "test_2024"),
            ("test_2024_12", "test_2024_12"),
            ("block in spawn_thread", "block"),
            ("block (2 levels) in <top (required)>", "block"),
            ("block in Basket#pay", "block"),
            ("rescue in block in pay", "block"),
            ("rescue in pay", "pay"),
            ("ensure in pay", "pay"),
            ("ensure in rescue in pay", "pay"),
            ("rescue in Basket#pay", "pay"),
            ("Basket#pay", "pay"),
            ("Shop::Basket#pay!", "pay!"),
            ("Shop::Basket.load", "load"),
            ("Basket#==", "=="),
            ("Basket#[]", "[]"),
            ("#<Class:0x00007f1b2c3d4e5f>#pay", "pay"),
            ("#<Class:Basket>.load", "load"),
            ("<main>", "<main>"),
            ("<top (required)>", "<top (required)>"),
            ("<class:Basket>", "<class:Basket>"),
            ("_app_views_x_html_erb__123_45", "_app_views_x_html_erb"),
            ("_app_views_x_html_erb___123_45", "_app_views_x_html_erb"),
            (
                "_app_views_x_html_haml__1234567890_67890",
                "_app_views_x_html_haml",
            ),
            (
                "_app_views_y_html_slim__1234567890_67890",
                "_app_views_y_html_slim",
            ),
            (
                "_app_views_x_json_jbuilder__99_1",
                "_app_views_x_json_jbuilder",
            ),
            ("_callback_before_12", "_callback_before"),
            ("_callback_after_12", "_callback_after"),
            (
                "_conditional_callback_around_7",
                "_conditional_callback_around",
            ),
            ("__bind_1234567_pay", "__bind_pay"),
            (
                "_run__123__process_action__callbacks",
                "_run___process_action__callbacks",
            ),
        ] {
            assert_eq!(function(name, "ruby").as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn anonymous_classes_lose_their_address() {
        for (name, expected) in [
            ("#<Class:0x00007f1b2c3d4e5f>", "#<Class>"),
            ("Shop::Basket", "Shop::Basket"),
        ] {
            assert_eq!(module(name, "ruby").as_deref(), Some(expected));
        }
    }
}
