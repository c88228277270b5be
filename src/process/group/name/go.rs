//! Names of functions in Go.
//! In: a name of Go's runtime, with or without its package. Out: the name without numbers of closures and wrappers and
//! without the shapes of type parameters.

use std::borrow::Cow;

use super::brackets::group_end;
use super::{changed, is_digits, without_end_digits};

/// How the compiler names a function without a name, with a number behind.
const CLOSURE: &str = "func";

pub(super) fn function(name: &str) -> Cow<'_, str> {
    let bare = name.strip_suffix("-fm").unwrap_or(name);
    if !bare.contains(['[', '.', '-']) {
        return Cow::Borrowed(bare);
    }
    // The path of the package may hold dots and numbers: `gopkg.in/yaml.v3.Unmarshal`.
    let start = bare.rfind('/').map_or(0, |at| at + 1);
    let mut stable = bare[..start].to_owned();
    let named = without_type_arguments(&bare[start..]);
    for (at, segment) in named.split('.').enumerate() {
        if at == 0 {
            stable.push_str(&without_range(segment));
            continue;
        }
        // Closures inside of closures, and the second of several `init`.
        if is_digits(segment) {
            continue;
        }
        let segment = without_range(segment);
        let word = without_end_digits(&segment);
        let word = match word {
            CLOSURE | "gowrap" | "deferwrap" if word.len() < segment.len() => word,
            _ => &segment,
        };
        if word == CLOSURE && stable.rsplit('.').next() == Some(CLOSURE) {
            continue;
        }
        stable.push('.');
        stable.push_str(word);
    }
    changed(name, stable)
}

pub(super) fn is_closure(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.len() < name.len() && matches!(last, CLOSURE | "gowrap" | "deferwrap")
        || last.ends_with("-range")
}

fn without_type_arguments(name: &str) -> Cow<'_, str> {
    if !name.contains('[') {
        return Cow::Borrowed(name);
    }
    let mut stable = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('[') {
        stable.push_str(&rest[..at]);
        let Some(end) = group_end(rest, at) else {
            return Cow::Owned(stable);
        };
        rest = &rest[end..];
    }
    stable.push_str(rest);
    Cow::Owned(stable)
}

/// The body of a loop over a function is a function of its own: `pay-range1`.
fn without_range(segment: &str) -> Cow<'_, str> {
    match segment.split_once("-range") {
        Some((front, number)) if is_digits(number) => Cow::Owned(format!(
            "{}-range",
            match without_end_digits(front) {
                CLOSURE => CLOSURE,
                _ => front,
            }
        )),
        _ => Cow::Borrowed(segment),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{function, is_numbered_closure, module};

    #[test]
    fn functions_lose_numbers() {
        for (name, expected) in [
            ("Pay", "Pay"),
            ("Pay2", "Pay2"),
            ("(*Parser).ReadLine", "(*Parser).ReadLine"),
            ("run.func1", "run.func"),
            ("run.func2", "run.func"),
            ("run.func1.2", "run.func"),
            ("run.func1.2.3", "run.func"),
            ("run.func1.func2", "run.func"),
            ("stop.func1", "stop.func"),
            ("(*Server).Serve.func3", "(*Server).Serve.func"),
            ("(*Server).Close.func3", "(*Server).Close.func"),
            ("run.gowrap1", "run.gowrap"),
            ("run.func1.deferwrap2", "run.func.deferwrap"),
            ("run-range1", "run-range"),
            ("run.func1-range2", "run.func-range"),
            ("(*Basket).Pay-fm", "(*Basket).Pay"),
            ("Map[...]", "Map"),
            ("Map[go.shape.int,go.shape.[]string]", "Map"),
            ("(*List[...]).Push", "(*List).Push"),
            ("(*List[go.shape.struct { A int }]).Push", "(*List).Push"),
            ("Map[...].func1", "Map.func"),
            ("init", "init"),
            ("init.0", "init"),
            ("init.1.func1", "init.func"),
            ("glob..func1", "glob..func"),
            ("func1", "func1"),
            ("gopkg.in/yaml.v3.Unmarshal", "gopkg.in/yaml.v3.Unmarshal"),
            (
                "github.com/acme/shop/v2.Run.func1",
                "github.com/acme/shop/v2.Run.func",
            ),
            ("Map[", "Map"),
        ] {
            assert_eq!(function(name, "go").as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn modules_keep_their_major_version() {
        for name in ["github.com/acme/shop/v2", "github.com/acme/shop", "main"] {
            assert_eq!(module(name, "go").as_deref(), Some(name));
        }
    }

    #[test]
    fn closures_are_known() {
        for (name, expected) in [
            ("run.func1", true),
            ("run.func1.2", true),
            ("run-range1", true),
            ("run", false),
            ("(*Basket).Pay-fm", false),
        ] {
            let normalized = function(name, "go").expect("a name");
            assert_eq!(is_numbered_closure(&normalized, "go"), expected, "{name}");
        }
    }
}
