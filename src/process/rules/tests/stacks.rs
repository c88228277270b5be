//! What stack trace rules do to the frames of an event.

use crate::process::rules::sample::event;
use crate::process::rules::{FrameJudgement, Judgement, Limits, StackRules};

/// Frames `a` to `e`, oldest first; `b` and `d` are the application's.
fn five(more: &str) -> String {
    let frame = |(name, in_app): (&str, bool)| {
        format!(
            r#"{{"function":"{name}","module":"m.{name}","filename":"{name}.c","in_app":{in_app}}}"#
        )
    };
    let frames = [
        ("a", false),
        ("b", true),
        ("c", false),
        ("d", true),
        ("e", false),
    ]
    .map(frame);
    format!(
        r#"{{"platform":"java","level":"error"{more},"exception":[
            {{"type":"Cause","value":"first","stacktrace":{{"frames":[{{"function":"x","in_app":true}}]}}}},
            {{"type":"Main","value":"second","mechanism":{{"type":"native"}},"stacktrace":{{"frames":[{}]}}}}]}}"#,
        frames.join(",")
    )
}

/// One letter for each frame: in-app or not after the rules, in capitals if it may count for grouping where a rule says
/// so, and struck if it may not.
fn picture(judgement: &Judgement, flags: &[bool]) -> String {
    let silent = vec![FrameJudgement::default(); flags.len()];
    let frames = if judgement.frames.is_empty() {
        &silent
    } else {
        &judgement.frames
    };
    assert_eq!(frames.len(), flags.len());
    let letters = frames.iter().zip(flags).map(|(frame, flag)| {
        let in_app = frame.in_app.map_or(*flag, |decided| decided.on);
        match (in_app, frame.group.map(|decided| decided.on)) {
            (_, Some(false)) => '-',
            (true, None) => 'y',
            (false, None) => 'n',
            (true, Some(true)) => 'Y',
            (false, Some(true)) => 'N',
        }
    });
    letters.collect()
}

fn judged(rules: &str, payload: &str) -> (String, Limits) {
    let (rules, problems) = StackRules::parse(rules);
    assert_eq!(problems, [], "{rules:?}");
    let event = event(payload);
    let judgements = rules.judge(&event);
    assert!(!judgements.is_partial);
    let Some(judgement) = judgements.exceptions.get(1) else {
        return ("nynyn".to_owned(), Limits::default());
    };
    (
        picture(judgement, &[false, true, false, true, false]),
        judgement.limits,
    )
}

#[test]
fn flags_reach_as_far_as_they_say() {
    for (rules, expected) in [
        ("", "nynyn"),
        ("function:z -app", "nynyn"),
        ("function:b -app", "nnnyn"),
        ("function:c +app", "nyyyn"),
        ("function:c -group", "ny-yn"),
        ("function:c +group", "nyNyn"),
        ("function:c ^-group", "nyn--"),
        ("function:c v-group", "--nyn"),
        ("function:c ^+app", "nynyy"),
        ("function:c v+app", "yynyn"),
        ("function:e ^-group", "nynyn"),
        ("function:a v-group", "nynyn"),
        ("function:c ^-group -group", "ny---"),
        ("function:c v-group -group", "---yn"),
        ("function:c ^-app -app ^-group -group", "ny---"),
        ("function:b v+app +app ^-app", "yynnn"),
        // Several frames match: what is above the lowest, below the highest.
        ("app:yes ^-group", "ny---"),
        ("app:yes v-group", "---yn"),
        ("app:yes -group", "n-n-n"),
        ("app:no -group", "-y-y-"),
    ] {
        assert_eq!(judged(rules, &five("")).0, expected, "{rules}");
    }
}

#[test]
fn later_rules_see_what_earlier_ones_did() {
    for (rules, expected, reason) in [
        (
            "app:no +app\nfunction:a -app",
            "nyyyy",
            "as Sentry's manual has it",
        ),
        ("function:a -app\napp:no +app", "yyyyy", "the last one wins"),
        (
            "function:c -group\nfunction:c +group",
            "nyNyn",
            "the last one wins",
        ),
        (
            "function:c +app\n[ app:yes ] | function:d -group",
            "nyy-n",
            "the caller became the application's",
        ),
        (
            "[ app:yes ] | function:c +app\n[ app:yes ] | function:c -group",
            "ny-yn",
            "each sees the one before",
        ),
        // One rule does not see its own work: only frames that were called by the application before.
        (
            "[ app:yes ] | app:no +app",
            "nyyyy",
            "c and e, not what they call",
        ),
        (
            "[ app:no ] | app:yes -app",
            "nnnnn",
            "both are looked at before either is changed",
        ),
        (
            "function:b category=ui\ncategory:ui -group",
            "n-nyn",
            "a category of its own",
        ),
        (
            "category:ui -group\nfunction:b category=ui",
            "nynyn",
            "too late",
        ),
        (
            "function:b category=ui\nfunction:b category=std\ncategory:ui -group",
            "nynyn",
            "the last one counts",
        ),
        (
            "function:b category=ui\n[ category:ui ] | function:* -group",
            "ny-yn",
            "called by it",
        ),
        (
            "function:b category=ui\nfunction:* | [ category:ui ] -group",
            "-ynyn",
            "calls it",
        ),
        ("!category:ui function:a -group", "-ynyn", "has none"),
    ] {
        assert_eq!(judged(rules, &five("")).0, expected, "{rules}: {reason}");
    }
}

#[test]
fn conditions_look_at_frame_exception_and_event() {
    for (rules, expected) in [
        ("path:**/c.c -group", "ny-yn"),
        ("path:C.C -group", "ny-yn"),
        ("module:m.{a,b} -group", "--nyn"),
        ("package:* -group", "nynyn"),
        ("!package:* function:a -group", "-ynyn"),
        ("family:other function:a -group", "-ynyn"),
        ("family:native function:a -group", "nynyn"),
        ("error.type:Main function:a -group", "-ynyn"),
        ("error.type:Cause function:a -group", "nynyn"),
        ("!type:Cause function:a -group", "-ynyn"),
        ("value:SECOND function:a -group", "-ynyn"),
        ("mechanism:native function:a -group", "-ynyn"),
        ("message:first function:a -group", "-ynyn"),
        ("level:error function:a -group", "-ynyn"),
        ("level:info function:a -group", "nynyn"),
        ("release:1.* function:a -group", "-ynyn"),
        ("tags.k:v logger:l function:a -group", "-ynyn"),
        ("type:Main -group", "-----"),
        (
            "[ function:a ] | function:b | [ function:c ] -group",
            "n-nyn",
        ),
        ("[ function:b ] | function:b -group", "nynyn"),
        ("[ function:* ] | function:a -group", "nynyn"),
        ("function:e | [ function:* ] -group", "nynyn"),
    ] {
        let payload = five(r#","release":"1.0","logger":"l","tags":{"k":"v"}"#);
        assert_eq!(judged(rules, &payload).0, expected, "{rules}");
    }
}

#[test]
fn limits_are_those_of_the_last_rule_that_applies() {
    for (rules, max_frames, min_frames) in [
        ("function:a -app", 0, 0),
        ("function:a max-frames=1", 1, 0),
        ("family:other max-frames=1\nfunction:b max-frames=2", 2, 0),
        ("family:other max-frames=1\nfunction:z max-frames=2", 1, 0),
        (
            "family:other max-frames=1 min-frames=3\nfunction:b max-frames=0",
            0,
            3,
        ),
        ("error.type:Main max-frames=4", 4, 0),
    ] {
        let expected = Limits {
            max_frames,
            min_frames,
        };
        assert_eq!(judged(rules, &five("")).1, expected, "{rules}");
    }
    for (max_frames, min_frames, contributing, expected) in [
        (0, 0, 5, 5),
        (3, 0, 5, 3),
        (3, 0, 2, 2),
        (0, 3, 2, 0),
        (0, 3, 3, 3),
        (1, 3, 5, 1),
    ] {
        let limits = Limits {
            max_frames,
            min_frames,
        };
        assert_eq!(limits.newest(contributing), expected, "{limits:?}");
    }
}

#[test]
fn a_judgement_names_the_rule_and_can_be_carried_out() {
    let text = "# first\nfunction:b -app\n\nfunction:[bx] -group";
    let (rules, _) = StackRules::parse(text);
    let payload = five("");
    let mut event = event(&payload);
    let judgements = rules.judge(&event);
    let frame = judgements.exceptions[1].frames[1];
    let lines = (
        frame.in_app.map(|it| it.line),
        frame.group.map(|it| it.line),
    );
    assert_eq!(lines, (Some(2), Some(4)));
    assert_eq!(judgements.exceptions[0].frames.len(), 1);
    judgements.set_in_app(&mut event);
    let flags: Vec<_> = event.exceptions[1]
        .frames()
        .iter()
        .map(|frame| frame.in_app)
        .collect();
    assert_eq!(flags, [false, false, false, true, false].map(Some));
    assert_eq!(event.exceptions[0].frames()[0].in_app, Some(true));
}

#[test]
fn threads_and_bare_stacks_are_judged_too() {
    let stack = r#""stacktrace":{"frames":[{"function":"f","in_app":true,"platform":"native"}]}"#;
    let payload = format!(
        r#"{{"platform":"cocoa","message":"x","threads":[{{"id":1}},{{"id":2,{stack}}}],{stack}}}"#
    );
    let mut event = event(&payload);
    for (rules, expected) in [
        ("function:f -app", false),
        ("!type:x family:native -app", false),
        ("type:x -app", true),
    ] {
        let (rules, _) = StackRules::parse(rules);
        let judgements = rules.judge(&event);
        let bare = judgements
            .stacktrace
            .frames
            .first()
            .and_then(|frame| frame.in_app);
        assert_eq!(bare.is_none(), expected);
        if !event.threads.is_empty() {
            let thread = &judgements.threads[1];
            assert_eq!(thread.frames.is_empty(), expected);
            assert_eq!(judgements.threads[0], Judgement::default());
        }
        judgements.set_in_app(&mut event);
    }
}
