//! Whatever comes in: no panic, bounded time, and what is printed reads as what it was.

use std::time::Instant;

use crate::process::rules::sample::{Random, event};
use crate::process::rules::{FingerprintRules, StackRules, fingerprint};

const PARTS: [&str; 56] = [
    "error.type:",
    "type:",
    "value:",
    "message:",
    "tags.a:",
    "\"tags.b c\":",
    "level:",
    "family:",
    "app:",
    "sdk:",
    "path:",
    "function:",
    "module:",
    "package:",
    "category:",
    "thread.name:",
    "!",
    "[",
    "]",
    "|",
    "->",
    " -> ",
    " ",
    "  ",
    "\t",
    ",",
    "\"",
    "\\",
    "#",
    "{{",
    "}}",
    "{{ default }}",
    "{{ level }}",
    "title=",
    "title=\"x\"",
    "yes",
    "no",
    "native",
    "other",
    "*",
    "**",
    "?",
    "{a,b}",
    "[a-z]",
    "a",
    "é",
    "/",
    "^",
    "v",
    "-app",
    "+group",
    "^-group",
    "max-frames=2",
    "category=ui",
    "\n",
    "\r\n",
];

fn print<R: ToString>(rules: &[R]) -> String {
    rules.iter().map(|rule| rule.to_string() + "\n").collect()
}

/// Reads the text as both kinds of rules, prints them and reads that again; says how many rules there were.
fn survives(text: &str) -> usize {
    let (fingerprints, _) = FingerprintRules::parse(text);
    let rules: Vec<_> = fingerprints
        .rules()
        .iter()
        .map(|it| it.rule.clone())
        .collect();
    let (again, problems) = FingerprintRules::parse(&print(&rules));
    assert_eq!(problems, [], "{text:?}");
    assert!(
        again.rules().iter().map(|it| &it.rule).eq(&rules),
        "{text:?}"
    );

    let (stacks, _) = StackRules::parse(text);
    let stack_rules: Vec<_> = stacks.rules().iter().map(|it| it.rule.clone()).collect();
    let (again, problems) = StackRules::parse(&print(&stack_rules));
    assert_eq!(problems, [], "{text:?}");
    assert!(
        again.rules().iter().map(|it| &it.rule).eq(&stack_rules),
        "{text:?}"
    );
    rules.len() + stack_rules.len()
}

#[test]
fn any_text_is_survived_and_what_is_printed_reads_the_same() {
    let mut random = Random::new(1);
    for _ in 0..10_000 {
        survives(&random.text(&PARTS, 16));
        survives(&random.any_text(30));
        let bytes: Vec<u8> = (0..random.below(40))
            .map(|_| random.below(256) as u8)
            .collect();
        survives(&String::from_utf8_lossy(&bytes));
    }
}

/// A line that is a rule more often than not.
fn line(random: &mut Random) -> String {
    const PATTERNS: [&str; 18] = [
        "*",
        "a",
        "f*",
        "*x*",
        "\"a b\"",
        "\"\\\"\\\\\"",
        "**/x/**",
        "[a-f]*",
        "{a,b}",
        "yes",
        "no",
        "native",
        "other",
        "?",
        "\"\"",
        "a\\*b",
        "error",
        "<unknown>",
    ];
    let condition = |random: &mut Random| {
        let negated = if random.below(4) == 0 { "!" } else { "" };
        let key = *random.pick(&PARTS[..16]);
        format!("{negated}{key}{} ", random.pick(&PATTERNS))
    };
    let caller = match random.below(6) {
        0 => format!("[ function:{} ] | ", random.pick(&PATTERNS)),
        _ => String::new(),
    };
    let own: String = (0..=random.below(3)).map(|_| condition(random)).collect();
    let below = *random.pick(&["", "", "", "", "| [ app:yes ] ", "| [ app:no ] "]);
    let effect = *random.pick(&[
        "-> a, {{ default }}",
        "-> \"a b\" title=\"{{ type }} x\"",
        "-app",
        "^-group -group",
        "v+app max-frames=2 category=a",
    ]);
    format!("{caller}{own}{below}{effect}")
}

fn any_event(random: &mut Random) -> String {
    const NAMES: [&str; 12] = [
        "a",
        "f",
        "fx",
        "",
        "x/y",
        "/x/x/a.js",
        "C:\\x\\a",
        "é",
        "a b",
        "<unknown>",
        "[native code]",
        "A",
    ];
    let name = |random: &mut Random| *random.pick(&NAMES);
    let frame = |random: &mut Random| {
        serde_json::json!({
            "function": name(random), "module": name(random), "filename": name(random), "abs_path": name(random),
            "package": name(random), "platform": *random.pick(&["native", "javascript", "java"]),
            "in_app": random.below(2) == 0,
        })
    };
    let stack = |random: &mut Random| {
        let frames: Vec<_> = (0..random.below(6)).map(|_| frame(random)).collect();
        serde_json::json!({"frames": frames})
    };
    let exceptions: Vec<_> = (0..random.below(4))
        .map(|_| serde_json::json!({"type": name(random), "value": name(random), "stacktrace": stack(random)}))
        .collect();
    let threads: Vec<_> = (0..random.below(3))
        .map(|at| serde_json::json!({"id": at, "name": name(random), "crashed": at == 0, "stacktrace": stack(random)}))
        .collect();
    serde_json::json!({
        "platform": *random.pick(&["native", "javascript", "python"]), "message": name(random), "logger": name(random),
        "tags": {"a": name(random), "b c": name(random)}, "exception": exceptions, "threads": threads,
        "stacktrace": stack(random),
    })
    .to_string()
}

#[test]
fn any_rules_on_any_event_are_survived() {
    let mut random = Random::new(2);
    let (mut rules, mut applied, mut judged) = (0, 0, 0);
    for _ in 0..3000 {
        let text: Vec<_> = (0..random.below(8)).map(|_| line(&mut random)).collect();
        let text = text.join("\n");
        rules += survives(&text);
        let (fingerprints, _) = FingerprintRules::parse(&text);
        let (stacks, _) = StackRules::parse(&text);
        let payload = any_event(&mut random);
        let mut event = event(&payload);
        let judgements = stacks.judge(&event);
        assert_eq!(judgements, stacks.judge(&event), "the same again");
        judgements.set_in_app(&mut event);
        judged += usize::from(judgements.exceptions.iter().any(|it| !it.frames.is_empty()));
        if let Some(found) = fingerprint(&fingerprints, &event) {
            applied += 1;
            assert!(!found.rule.values().is_empty());
            found.rule.title(&event);
        }
    }
    assert!(
        rules > 3000 && applied > 300 && judged > 300,
        "{rules} {applied} {judged}"
    );
}

#[test]
fn the_worst_rules_on_the_worst_event_end_in_time() {
    let line = |of: &str| {
        format!(
            "{} {of}\n",
            "function:*a?*a?*[a-z]* !module:*b*b*b path:**/x*/**x".repeat(2)
        )
    };
    let stacks = StackRules::parse(&line("-group").repeat(500)).0;
    let fingerprints = FingerprintRules::parse(&line("-> x").repeat(500)).0;
    assert!(stacks.rules().len() > 300);
    let frame = r#"{"function":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","abs_path":"/x/x/x/x/x/x/x/x/a","in_app":true}"#;
    let stack = format!(
        r#"{{"stacktrace":{{"frames":[{}]}},"type":"A"}}"#,
        vec![frame; 250].join(",")
    );
    let payload = format!(r#"{{"exception":[{}]}}"#, vec![&*stack; 50].join(","));
    let event = event(&payload);
    let start = Instant::now();
    let judgements = stacks.judge(&event);
    assert!(judgements.is_partial);
    let _ = fingerprint(&fingerprints, &event);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
