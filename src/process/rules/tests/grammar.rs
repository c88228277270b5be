//! What is a rule, how it is printed, and what is said about what is none.

use crate::process::rules::{FingerprintRules, StackRules};

fn fingerprints(text: &str) -> Vec<String> {
    let (rules, problems) = FingerprintRules::parse(text);
    assert_eq!(problems, [], "{text}");
    rules
        .rules()
        .iter()
        .map(|numbered| numbered.rule.to_string())
        .collect()
}

fn stacks(text: &str) -> Vec<String> {
    let (rules, problems) = StackRules::parse(text);
    assert_eq!(problems, [], "{text}");
    rules
        .rules()
        .iter()
        .map(|numbered| numbered.rule.to_string())
        .collect()
}

#[test]
fn fingerprint_rules_are_printed_in_one_way() {
    for (text, printed) in [
        ("error.type:A -> b", "error.type:A -> b"),
        ("type:A->b -> c", "error.type:A->b -> c"),
        ("type:A ->b", "error.type:A -> b"),
        ("  type:A\t->  b ,c   d\r", "error.type:A -> b, c, d"),
        ("type:A -> b, c,", "error.type:A -> b, c"),
        (r#"value:"a b" -> "c d""#, r#"error.value:"a b" -> "c d""#),
        (
            r#"value:"say \"no\" \\ \*" -> x"#,
            r#"error.value:"say \"no\" \\ \\*" -> x"#,
        ),
        (r"path:C:\a\* -> x", r"stack.abs_path:C:\a\* -> x"),
        (r#"value:"" -> x"#, r#"error.value:"" -> x"#),
        ("!logger:a !level:info -> x", "!logger:a !level:info -> x"),
        ("message:#7 -> x", r##"message:"#7" -> x"##),
        (
            "type:A -> {{ default }}, {{transaction}}",
            "error.type:A -> {{ default }}, {{transaction}}",
        ),
        (
            r#"type:A -> "{{ tags.a }}""#,
            "error.type:A -> {{ tags.a }}",
        ),
        (
            "type:A -> db-{{ level }}-x",
            r#"error.type:A -> "db-{{ level }}-x""#,
        ),
        (
            "type:A -> {{ error.type",
            r#"error.type:A -> "{{", error.type"#,
        ),
        (
            r#"type:A -> b title="C {{ level }}""#,
            r#"error.type:A -> b title="C {{ level }}""#,
        ),
        (
            "type:A -> b title=\"C\" # why",
            r#"error.type:A -> b title="C""#,
        ),
        ("type:A -> b # why", "error.type:A -> b"),
        (r##"type:A -> "#b""##, r##"error.type:A -> "#b""##),
        (
            r#"tags.server_name:"canary-*" -> x"#,
            "tags.server_name:canary-* -> x",
        ),
        (
            r#""tags.my:tag with blanks":x -> y"#,
            r#""tags.my:tag with blanks":x -> y"#,
        ),
        (r#""error.type":x -> y"#, "error.type:x -> y"),
        (
            "family:native,other sdk:a,b* app:yes -> x",
            "family:native,other sdk:a,b* app:yes -> x",
        ),
        (
            "[ function:a ] | function:b | [ function:c ] -> x",
            "[ stack.function:a ] | stack.function:b | [ stack.function:c ] -> x",
        ),
        (
            "[function:a[bc]]|function:b |[path:c] -> x",
            r#"[ stack.function:"a[bc]" ] | stack.function:b | [ stack.abs_path:c ] -> x"#,
        ),
        (
            "thread.name:main thread.id:1 thread.state:x -> y",
            "thread.id:1",
        ),
        (
            "mechanism:onerror release:a@1 package:x module:y -> z",
            "error.mechanism:onerror",
        ),
    ] {
        let found = fingerprints(text);
        assert_eq!(found.len(), 1, "{text}");
        let [found] = &found[..] else { continue };
        let as_told = if printed.contains("->") {
            found == printed
        } else {
            found.contains(printed)
        };
        assert!(as_told, "{text}\n  {found}\n  {printed}");
        assert_eq!(fingerprints(found), std::slice::from_ref(found));
    }
}

#[test]
fn stack_rules_are_printed_in_one_way() {
    for (text, printed) in [
        (
            "family:native function:std::* -app",
            "family:native stack.function:std::* -app",
        ),
        (
            "path:**/node_modules/** -group",
            "stack.abs_path:**/node_modules/** -group",
        ),
        (
            "function:a ^-app -app v+group +group",
            "stack.function:a ^-app -app v+group +group",
        ),
        ("value:v v-group", "error.value:v v-group"),
        (
            "function:a max-frames=3 min-frames=0",
            "stack.function:a max-frames=3 min-frames=0",
        ),
        (
            "function:a category=ui_2.x # comment",
            "stack.function:a category=ui_2.x",
        ),
        (
            "[ category:telemetry ] | app:yes -group",
            "[ category:telemetry ] | app:yes -group",
        ),
        (
            "category:system | [ app:no ] -group",
            "category:system | [ app:no ] -group",
        ),
        (
            "[function:a] | function:b -app",
            "[ stack.function:a ] | stack.function:b -app",
        ),
        (
            r#"[ function:"a b"] | function:b -app"#,
            r#"[ stack.function:"a b" ] | stack.function:b -app"#,
        ),
        (
            "!app:no type:A message:x level:error -app",
            "!app:no error.type:A message:x level:error -app",
        ),
    ] {
        assert_eq!(stacks(text), [printed], "{text}");
        assert_eq!(stacks(printed), [printed], "{text}");
    }
}

#[test]
fn usual_rules_of_other_projects_are_read() {
    let text = r"
# machinery of panics
stack.function:std::panicking::begin_panic ^-app -app ^-group -group
stack.function:shop::MainLoop              v-group -group
family:native stack.package:**/libcurl.so  max-frames=2
family:javascript,native stack.abs_path:**/generated/**.js -group
app:no                                     +app
[ category:telemetry ] | app:yes           -group
";
    assert_eq!(stacks(text).len(), 6);
    let text = r#"
error.type:DatabaseUnavailable -> system-down
error.value:"connection error: *" -> connection-error, {{ transaction }}
stack.function:"query_database" -> {{ default }}, {{ transaction }}
family:native !stack.module:"shop::*" -> not-mine
logger:shop.* level:error -> error-logger, {{ logger }} title="Error from {{ logger }}"
tags.server_name:"canary-*.internal" message:"*\[7\]*" -> canary-events
"#;
    assert_eq!(fingerprints(text).len(), 6);
}

#[test]
fn lines_without_rules_are_passed_over() {
    let text = "# comment\n\n   \t\r\n  # another\ntype:A -> b\n";
    let (rules, problems) = FingerprintRules::parse(text);
    assert_eq!(problems, []);
    assert_eq!(rules.rules().len(), 1);
    assert_eq!(rules.rules()[0].line, 5);
    assert_eq!(FingerprintRules::parse("").0, FingerprintRules::default());
}

#[test]
fn problems_of_fingerprint_rules_have_a_place_and_a_hint() {
    for (text, column, expected, found) in [
        ("type:A", 7, "another condition, or `->`", ""),
        ("type:A ->", 10, "a value such as", ""),
        ("type:A -> # b", 11, "a value such as", "#"),
        ("-> b", 1, "a condition such as", "->"),
        ("foo", 1, "a condition such as", "foo"),
        ("foo:bar -> b", 1, "one of error.type", "foo:bar"),
        ("tags.:bar -> b", 1, "one of error.type", "tags.:bar"),
        ("category:ui -> b", 1, "one of error.type", "category:ui"),
        (
            "type:A value -> b",
            8,
            "another condition, or `->`",
            "value",
        ),
        ("type: A -> b", 6, "a pattern, in quotes", "A"),
        ("type:\"A -> b", 6, "a closing quote", "\"A"),
        ("type:\"A\"B -> b", 9, "a blank after", "B"),
        ("äö:A -> b", 1, "one of error.type", "äö:A"),
        ("value:ä app:maybe -> b", 13, "`yes` or `no`", "maybe"),
        ("family:web -> b", 8, "`javascript`, `native`", "web"),
        ("type:A -> \"b", 11, "a closing quote", "\"b"),
        ("type:A -> \"b\"c", 14, "a comma or a blank", "c"),
        ("type:A -> , b", 11, "a value", ","),
        ("type:A -> \"\"", 11, "a value", "\"\""),
        ("type:A -> {{ foo }}", 11, "variables such as", "{{"),
        ("type:A -> b title=C", 19, "a title in quotes", "C"),
        (
            "type:A -> b title=\"{{ default }}\"",
            19,
            "variables such as",
            "\"{{",
        ),
        (
            "type:A -> b title=\"C\" d",
            23,
            "nothing after the title",
            "d",
        ),
        (
            "[ function:a ] function:b -> c",
            16,
            "`|` after",
            "function:b",
        ),
        (
            "[ function:a",
            13,
            "a condition such as `function:main`, then `]`",
            "",
        ),
        (
            "[ ] | function:b -> c",
            3,
            "a condition such as `function:main`",
            "]",
        ),
        (
            "[ type:a ] | function:b -> c",
            3,
            "a condition on a frame",
            "type:a",
        ),
        ("[ function:a ] | -> c", 18, "a condition such as", "->"),
        (
            "function:b | function:c -> c",
            14,
            "`[` before",
            "function:c",
        ),
        ("type:A -> b\u{7}", 12, "no control characters", ""),
    ] {
        let (rules, problems) = FingerprintRules::parse(&format!("\n{text}\ntype:X -> y"));
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let problem = &problems[0];
        assert!(problem.expected.starts_with(expected), "{text}: {problem}");
        assert_eq!(
            (problem.line, problem.column),
            (2, column),
            "{text}: {problem}"
        );
        assert_eq!(problem.found, found, "{text}: {problem}");
        // The lines around it still count.
        assert_eq!(rules.rules().len(), 1, "{text}");
    }
}

#[test]
fn problems_of_stack_rules_have_a_place_and_a_hint() {
    for (text, column, expected, found) in [
        ("function:a", 11, "another condition, or an action", ""),
        ("function:a -> b", 12, "an action", "->"),
        (
            "function:a app",
            12,
            "another condition, or an action",
            "app",
        ),
        ("function:a -apps", 12, "an action", "-apps"),
        (
            "function:a ^^-app",
            12,
            "another condition, or an action",
            "^^-app",
        ),
        ("function:a -app function:b", 17, "an action", "function:b"),
        ("function:a max-frames=", 12, "a number", "max-frames="),
        ("function:a max-frames=-1", 12, "a number", "max-frames=-1"),
        ("function:a max-frames=+1", 12, "a number", "max-frames=+1"),
        (
            "function:a min-frames=1001",
            12,
            "a number",
            "min-frames=1001",
        ),
        ("function:a category=a/b", 12, "a category", "category=a/b"),
        (
            "function:a invert-stacktrace=1",
            12,
            "another condition, or an action",
            "invert-stacktrace=1",
        ),
        ("foo:bar -app", 1, "one of stack.abs_path", "foo:bar"),
        ("-app", 1, "a condition such as", "-app"),
    ] {
        let (_, problems) = StackRules::parse(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let problem = &problems[0];
        assert!(problem.expected.starts_with(expected), "{text}: {problem}");
        assert_eq!(problem.column, column, "{text}: {problem}");
        assert_eq!(problem.found, found, "{text}: {problem}");
    }
}

#[test]
fn a_problem_is_told_in_a_sentence() {
    let (_, problems) =
        StackRules::parse("\nfunction:a max-frames=x\nfunction:a max-frames=1 nothing:b\napp:no");
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told[0],
        "line 2, column 12: expected a number from 0 to 1,000, found `max-frames=x`"
    );
    assert!(told[1].starts_with("line 3, column 25: expected an action: "));
    assert!(
        told[2].ends_with("or `^-group`, found the end of the line"),
        "{}",
        told[2]
    );
}

#[test]
fn everything_is_bounded() {
    let many = "type:A -> b\n".repeat(501);
    let (rules, problems) = FingerprintRules::parse(&many);
    assert_eq!((rules.rules().len(), problems.len()), (500, 1));
    assert_eq!(
        (problems[0].line, problems[0].expected),
        (501, "at most 500 rules")
    );

    let long = format!("{}\ntype:A -> b", "#".repeat(64 * 1024));
    let (rules, problems) = FingerprintRules::parse(&long);
    assert_eq!((rules.rules().len(), problems.len()), (0, 1));
    assert_eq!(problems[0].expected, "at most 64 KiB of rules");
    assert_eq!(FingerprintRules::parse(&"#".repeat(64 * 1024)).1, []);

    assert_eq!(StackRules::parse(&"nonsense\n".repeat(100)).1.len(), 20);

    let a = "a".repeat(1025);
    for (text, expected) in [
        (
            format!("{}-> b", "type:A ".repeat(33)),
            "at most 32 conditions",
        ),
        (format!("type:{a} -> b"), "a pattern of at most 1,024 bytes"),
        (
            format!("type:{} -> b", "{a,b}".repeat(7)),
            "a pattern of at most 1,024 bytes",
        ),
        (format!("sdk:{a} -> b"), "a pattern of at most 1,024 bytes"),
        (format!("type:A -> {a}"), "a value of at most"),
        (format!("type:A -> \"{a}\""), "a value of at most"),
        (
            format!("type:A -> {}", "{{".repeat(30_000)),
            "a value of at most",
        ),
        (format!("type:A -> b title=\"{a}\""), "a title of at most"),
        (
            format!("type:A -> {}", "b ".repeat(33)),
            "at most 32 values",
        ),
    ] {
        let (_, problems) = FingerprintRules::parse(&text);
        assert!(
            problems[0].expected.starts_with(expected),
            "{} {text:.60}",
            problems[0]
        );
    }
    for (text, expected) in [
        (
            format!("app:no {}", "-app ".repeat(17)),
            "at most 16 actions",
        ),
        (
            format!("[ {} ] | app:no -app", "app:no ".repeat(33)),
            "at most 32 conditions",
        ),
        (format!("app:no category={}", "a".repeat(65)), "a category"),
    ] {
        let (_, problems) = StackRules::parse(&text);
        assert!(
            problems[0].expected.starts_with(expected),
            "{} {text:.60}",
            problems[0]
        );
    }
}
