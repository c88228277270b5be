//! Names of PHP.
//! In: a function or class of a stack trace. Out: the name without lines of closures, paths of anonymous classes and the
//! hashes of compiled templates and containers. Nothing for a closure outside of everything.

use std::borrow::Cow;

use super::{changed, is_digits, is_hash};

const CLOSURE: &str = "{closure}";

/// What template engines name with a hash and numbers behind.
const TEMPLATES: [(&str, &str); 5] = [
    ("__TwigTemplate_", "__TwigTemplate"),
    ("content_", "content"),
    ("Block_", "Block"),
    ("smarty_template_function_", "smarty_template_function"),
    ("Mock_", "Mock"),
];

pub(super) fn function(name: &str) -> Option<Cow<'_, str>> {
    let is_special = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'{' | b'@' | b'[');
    if !name.bytes().any(is_special) {
        return Some(without_hashes(name));
    }
    if name.starts_with("[Anonymous") {
        return None;
    }
    if let Some(at) = name.find("{closure") {
        return closure(name, at);
    }
    if name.contains("@anonymous") {
        let method = name.rsplit("::").next().unwrap_or(name);
        return (!method.contains("@anonymous")).then_some(Cow::Borrowed(method));
    }
    Some(without_hashes(name))
}

pub(super) fn class(name: &str) -> Option<Cow<'_, str>> {
    (!name.contains("@anonymous")).then(|| without_hashes(name))
}

/// `Shop\Basket::{closure}`, since PHP 8.4 `{closure:Shop\Basket::pay():12}`, which also nests.
fn closure(name: &str, at: usize) -> Option<Cow<'_, str>> {
    let mut inside = &name[at + "{closure".len()..];
    let mut is_named = false;
    while let Some(of) = inside.strip_prefix(':') {
        is_named = true;
        let Some(inner) = of.strip_prefix("{closure") else {
            inside = of;
            break;
        };
        inside = inner;
    }
    // What holds the closure stands before it or, where that is a function, in it.
    let function = inside.split("()").next().unwrap_or_default();
    let is_function = is_named && inside.contains("()") && !function.contains(['/', '@', '{']);
    let front = name[..at].trim_end_matches("::").trim_end_matches('\\');
    if is_function && !function.is_empty() {
        return Some(Cow::Owned(format!("{function}{CLOSURE}")));
    }
    if front.is_empty() || front.contains("@anonymous") {
        return None;
    }
    Some(changed(name, format!("{front}::{CLOSURE}")))
}

fn without_hashes(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte.is_ascii_digit()) && !name.contains("Container") {
        return Cow::Borrowed(name);
    }
    let mut stable = String::with_capacity(name.len());
    let mut rest = name;
    loop {
        let end = rest.find(['\\', ':']).unwrap_or(rest.len());
        stable.push_str(segment(&rest[..end]));
        let Some(mark) = rest[end..].chars().next() else {
            return changed(name, stable);
        };
        stable.push(mark);
        rest = &rest[end + 1..];
    }
}

fn segment(name: &str) -> &str {
    const CONTAINER: &str = "Container";
    const HASH: usize = 7;
    const LATTE: usize = 10;
    for (prefix, stable) in TEMPLATES {
        if let Some(hash) = name.strip_prefix(prefix) {
            let mut parts = hash.split('_').filter(|part| !part.is_empty());
            let is_made = prefix != "Mock_"
                && hash.len() >= 8
                && parts.all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
            if is_made {
                return stable;
            }
        }
    }
    // Templates of Latte: `Template1a2b3c4d5e`.
    let latte = name.strip_prefix("Template");
    if latte.is_some_and(|hash| hash.len() == LATTE && is_hash(hash)) {
        return "Template";
    }
    // Mocks of PHPUnit: `Mock_Basket_1a2b3c4d`.
    let mut bare = name;
    while let Some((front, last)) = bare.rsplit_once('_') {
        let is_number_behind_hash = is_digits(last)
            && front
                .rsplit('_')
                .next()
                .is_some_and(|part| part.len() >= 8 && is_hash(part));
        if !is_hash(last) && !is_number_behind_hash {
            break;
        }
        bare = front;
    }
    // Classes of Symfony: `ContainerQx7f3Ab`, `EntityManagerGhostE5af2b0`.
    let Some(at) = bare
        .len()
        .checked_sub(HASH)
        .filter(|at| bare.is_char_boundary(*at))
    else {
        return bare;
    };
    let (front, hash) = bare.split_at(at);
    let is_word = hash.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    let is_container =
        front == CONTAINER && !is_word && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_lazy = (front.ends_with("Ghost") || front.ends_with("Proxy"))
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && hash.bytes().any(|byte| byte.is_ascii_digit());
    if is_container || is_lazy { front } else { bare }
}

#[cfg(test)]
mod tests {
    use super::super::{function, module};

    #[test]
    fn functions_lose_what_is_generated() {
        for (name, expected) in [
            ("pay", Some("pay")),
            ("pay2", Some("pay2")),
            (
                "App\\Http\\OrderController::pay",
                Some("App\\Http\\OrderController::pay"),
            ),
            ("App\\Order::{closure}", Some("App\\Order::{closure}")),
            ("App\\Basket::{closure}", Some("App\\Basket::{closure}")),
            ("App\\Http\\{closure}", Some("App\\Http::{closure}")),
            (
                "{closure:App\\Order::pay():12}",
                Some("App\\Order::pay{closure}"),
            ),
            (
                "{closure:App\\Order::pay():99}",
                Some("App\\Order::pay{closure}"),
            ),
            (
                "{closure:App\\Order::ship():12}",
                Some("App\\Order::ship{closure}"),
            ),
            (
                "App\\Order::{closure:App\\Order::pay():12}",
                Some("App\\Order::pay{closure}"),
            ),
            (
                "{closure:{closure:App\\Order::pay():12}:14}",
                Some("App\\Order::pay{closure}"),
            ),
            (
                "App\\{closure:/srv/app/routes.php:12}",
                Some("App::{closure}"),
            ),
            ("{closure:/srv/app/routes.php:12}", None),
            ("{closure}", None),
            ("[Anonymous function]", None),
            ("class@anonymous/x.php:3$0::run", Some("run")),
            ("class@anonymous\u{0}/x.php:3$0::run", Some("run")),
            ("App\\Job@anonymous::run", Some("run")),
            (
                "__TwigTemplate_5f4dcc3b5aa765d61d8327deb882cf99::doDisplay",
                Some("__TwigTemplate::doDisplay"),
            ),
            (
                "__TwigTemplate_0cc175b9c0f1b6a831c399e269772661___12::doDisplay",
                Some("__TwigTemplate::doDisplay"),
            ),
            ("content_60a1b2c3d4e5f6_12345678", Some("content")),
            ("content_60d5ec49d3a5b3_87654321", Some("content")),
            ("content_page", Some("content_page")),
            ("Mock_Basket_1a2b3c4d::pay", Some("Mock_Basket::pay")),
            ("Template1a2b3c4d5e::main", Some("Template::main")),
            ("TemplateList2::main", Some("TemplateList2::main")),
            ("migrate_20240101", Some("migrate_20240101")),
        ] {
            assert_eq!(function(name, "php").as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn classes_lose_what_is_generated() {
        for (name, expected) in [
            ("App\\Order", Some("App\\Order")),
            ("class@anonymous", None),
            (
                "ContainerQx7f3Ab\\getPayService",
                Some("Container\\getPayService"),
            ),
            (
                "ContainerHk3f9Mz\\getPayService",
                Some("Container\\getPayService"),
            ),
            (
                "Symfony\\ContainerBuilder",
                Some("Symfony\\ContainerBuilder"),
            ),
            (
                "ContainerQx7f3Ab\\EntityManagerGhostE5af2b0",
                Some("Container\\EntityManagerGhost"),
            ),
            ("Version20240101120000", Some("Version20240101120000")),
            (
                "__TwigTemplate_5f4dcc3b5aa765d61d8327deb882cf99",
                Some("__TwigTemplate"),
            ),
            ("Block_5f4dcc3b5aa765d6_0", Some("Block")),
        ] {
            assert_eq!(module(name, "php").as_deref(), expected, "{name}");
        }
    }
}
