//! Names of functions and modules without what compilers and frameworks generate into them.
//! In: a name as the SDK sent it. Out: the name that stays the same, or nothing if it says nothing.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Numbers and hashes in the names of classes made at run time: reflection, CGLIB, Guice, Javassist, Hibernate, Clojure.
static GENERATED_CLASS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?P<keep>\$\$|Accessor|\$Proxy|_javassist_|_jvst|HibernateProxy\$|ByteBuddy\$|__)[0-9a-fA-F_]*[0-9][0-9a-fA-F_]*(?P<end>\b|\$)",
    )
    .expect("the pattern is a constant and tested")
});

pub(super) fn normalize_module<'e>(module: &'e str, platform: &str) -> Option<Cow<'e, str>> {
    match platform {
        "java" | "kotlin" | "scala" | "clojure" | "groovy" => {
            if module.contains("$$Lambda") {
                None
            } else if module.contains(['$', '_']) || module.contains("Accessor") {
                Some(GENERATED_CLASS.replace_all(module, "${keep}${end}"))
            } else {
                Some(Cow::Borrowed(module))
            }
        }
        "php" if module.contains("@anonymous") => None,
        _ => Some(Cow::Borrowed(module)),
    }
}

pub(super) fn normalize_function<'e>(name: &'e str, platform: &str) -> Option<Cow<'e, str>> {
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    match platform {
        "javascript" | "node" => script(name).map(Cow::Borrowed),
        "java" | "kotlin" | "scala" | "clojure" | "groovy" => {
            (!name.starts_with("lambda$")).then_some(Cow::Borrowed(name))
        }
        "php" => php(name).map(Cow::Borrowed),
        "ruby" => Some(ruby(name)),
        "native" | "c" | "rust" | "swift" | "cocoa" | "objc" => native(name),
        _ => Some(Cow::Borrowed(name)),
    }
}

/// Without the namespace, which minifiers and bundlers change; names that engines make up are none.
fn script(name: &str) -> Option<&str> {
    let name = name.split(" [as ").next().unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    let is_made_up = matches!(
        last,
        "" | "?" | "<anonymous>" | "Anonymous function" | "anonymous"
    ) || last.starts_with("?anon")
        || last.ends_with("/<");
    (!is_made_up).then_some(last)
}

fn php(name: &str) -> Option<&str> {
    let method = if name.contains("@anonymous") {
        name.rsplit("::").next().unwrap_or(name)
    } else {
        name
    };
    let is_closure = method.contains("{closure") || method.starts_with("[Anonymous");
    (!is_closure).then_some(method)
}

fn ruby(name: &str) -> Cow<'_, str> {
    if name.starts_with("block ") {
        return Cow::Borrowed("block");
    }
    // Methods of compiled templates: `_app_views_x_html_erb__1234567_890`.
    match name.find("_erb__") {
        Some(at) => Cow::Borrowed(&name[..at + "_erb".len()]),
        None => Cow::Borrowed(name),
    }
}

/// The bare name of a compiled function: no argument list, template arguments, hashes, clone suffixes or numbers of closures.
fn native(name: &str) -> Option<Cow<'_, str>> {
    if matches!(name, "<unknown>" | "<redacted>" | "??" | "?" | "unknown") {
        return None;
    }
    let mut bare = name.split(" [clone").next().unwrap_or(name);
    bare = bare.split("@@GLIBC").next().unwrap_or(bare);
    bare = bare.split("@GLIBC").next().unwrap_or(bare);
    for suffix in [".isra.", ".constprop.", ".part.", ".cold", ".llvm."] {
        if let Some((front, _)) = bare.split_once(suffix) {
            bare = front;
        }
    }
    bare = without_rust_hash(bare);
    // Objective-C methods, `-[Class method:]`, and mangled names have none of what follows.
    if bare.starts_with(['-', '+']) || !bare.contains(['<', '(', '{', '$', ' ', '#']) {
        return Some(Cow::Borrowed(bare));
    }
    let bare = unify_closures(bare);
    let bare = without_brackets(&bare);
    let bare = match bare.rsplit_once(' ') {
        // What stands before the last blank is a return type, unless the words belong together.
        Some((front, last))
            if !front.ends_with("operator")
                && !front.ends_with(" in")
                && !last.is_empty()
                && !front.starts_with("closure") =>
        {
            last.to_owned()
        }
        _ => bare,
    };
    (!bare.is_empty()).then_some(Cow::Owned(bare))
}

/// Without `::h` and sixteen hexadecimal digits.
fn without_rust_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((front, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            front
        }
        _ => name,
    }
}

/// `{closure#0}`, `{{closure}}`, `{lambda(int)#1}`, `$_0` and `closure #1 in` are numbered in order of appearance.
fn unify_closures(name: &str) -> String {
    static CLOSURES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\{\{?closure(?:#[0-9]+)?\}\}?|\{closure_env#[0-9]+\}|\{lambda\([^)]*\)#[0-9]+\}|'lambda[0-9]*'(?:\([^)]*\))?|\$_[0-9]+|closure #[0-9]+")
            .expect("the pattern is a constant and tested")
    });
    CLOSURES
        .replace_all(name, |found: &regex::Captures<'_>| {
            match found[0].as_bytes() {
                [b'{', b'{' | b'c', ..] => "{closure}",
                [b'c', ..] => "closure",
                _ => "{lambda}",
            }
        })
        .into_owned()
}

/// Drops `<…>` and `(…)` with all they hold; a name that begins with `<` (`<Type as Trait>::method`) keeps its type.
fn without_brackets(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    if let Some(inner) = name.strip_prefix('<')
        && let Some(end) = closing(inner)
    {
        let own_type = inner[..end].split(" as ").next().unwrap_or_default();
        out.push_str(own_type.split('<').next().unwrap_or_default());
        rest = &inner[end + 1..];
    }
    let mut depth = 0_usize;
    let mut previous = ' ';
    let after_operator = |out: &str| out.ends_with("operator");
    for c in rest.chars() {
        match c {
            '<' | '(' if !after_operator(&out) => depth += 1,
            // The arrow of a function type closes nothing.
            '>' if previous == '-' => out.extend((depth == 0).then_some(c)),
            '>' | ')' if depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    // What turbofish and argument lists leave behind.
    let mut out = out.replace("::::", "::");
    for end in [" const", " volatile", "::"] {
        if let Some(front) = out.trim_end().strip_suffix(end) {
            out = front.to_owned();
        }
    }
    out.trim().to_owned()
}

/// Where the bracket that is open at the start of `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        previous = c;
    }
    None
}
