//! The grammar that both kinds of rules share: lines, comments and conditions.
//! In: the text of a project's rules. Out: the rules that can be read, and for each other line why it cannot.

use super::conditions::Conditions;
use super::matcher::{Key, Language, Matcher, Scope};
use super::scan::{Problem, Scanner};

const LONGEST_TEXT: usize = 64 * 1024;
const MOST_RULES: usize = 500;
const MOST_MATCHERS: usize = 32;
const MOST_PROBLEMS: usize = 20;

/// A rule of one of the two languages.
pub(super) trait Rule: Sized {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, Problem>;
}

/// A rule and the line it stands in, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered<R> {
    pub line: u32,
    pub rule: R,
}

/// Reads all lines. One that is no rule costs only itself, so that a text that was fine once keeps working.
pub(super) fn rules<R: Rule>(text: &str) -> (Vec<Numbered<R>>, Vec<Problem>) {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    let mut length = 0;
    for (line, text) in (1..).zip(text.split('\n')) {
        length += text.len() + 1;
        let mut scanner = Scanner::new(text.trim_end_matches('\r'), line);
        if length > LONGEST_TEXT + 1 {
            problems.push(scanner.problem("at most 64 KiB of rules"));
            break;
        }
        match rule(&mut scanner) {
            Ok(Some(_)) if rules.len() == MOST_RULES => {
                problems.push(Scanner::new(text, line).problem("at most 500 rules"));
                break;
            }
            Ok(Some(rule)) => rules.push(Numbered { line, rule }),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
        if problems.len() == MOST_PROBLEMS {
            break;
        }
    }
    (rules, problems)
}

/// Nothing for a line without a rule.
fn rule<R: Rule>(scanner: &mut Scanner<'_>) -> Result<Option<R>, Problem> {
    let is_text = |c: char| c == '\t' || !c.is_control();
    if !scanner.rest().chars().all(is_text) {
        scanner.take_while(is_text);
        return Err(scanner.problem("no control characters"));
    }
    if scanner.is_done() {
        return Ok(None);
    }
    R::read(scanner).map(Some)
}

/// Reads conditions up to what makes the rule do something.
pub(super) fn conditions(
    scanner: &mut Scanner<'_>,
    language: Language,
    is_next: fn(&str) -> bool,
) -> Result<Conditions, Problem> {
    let mut conditions = Conditions {
        caller: Vec::new(),
        own: Vec::new(),
        callee: Vec::new(),
    };
    if scanner.eat("[") {
        conditions.caller = neighbour(scanner, language)?;
        scanner.skip_blanks();
        if !scanner.eat("|") {
            return Err(scanner.problem("`|` after the conditions on the caller"));
        }
    }
    loop {
        scanner.skip_blanks();
        let rest = scanner.rest();
        if !conditions.own.is_empty() && (rest.starts_with('|') || is_next(rest)) {
            break;
        }
        if conditions.own.len() == MOST_MATCHERS {
            return Err(scanner.problem("at most 32 conditions"));
        }
        let may_end = !conditions.own.is_empty();
        conditions
            .own
            .push(matcher(scanner, language, may_end, false)?);
    }
    if scanner.eat("|") {
        scanner.skip_blanks();
        if !scanner.eat("[") {
            return Err(scanner.problem("`[` before the conditions on the callee"));
        }
        conditions.callee = neighbour(scanner, language)?;
        scanner.skip_blanks();
    }
    Ok(conditions)
}

/// Reads conditions on the frame before or after, up to and with the closing bracket.
fn neighbour(scanner: &mut Scanner<'_>, language: Language) -> Result<Vec<Matcher>, Problem> {
    let mut matchers = Vec::new();
    loop {
        scanner.skip_blanks();
        if !matchers.is_empty() && scanner.eat("]") {
            return Ok(matchers);
        }
        if matchers.len() == MOST_MATCHERS {
            return Err(scanner.problem("at most 32 conditions"));
        }
        matchers.push(matcher(scanner, language, false, true)?);
    }
}

/// `may_end` tells that the rule has conditions already, and `in_brackets` that they are about a neighbour.
fn matcher(
    scanner: &mut Scanner<'_>,
    language: Language,
    may_end: bool,
    in_brackets: bool,
) -> Result<Matcher, Problem> {
    let negated = scanner.eat("!");
    let start = scanner.at();
    let name = match scanner.peek() {
        Some('"') => scanner.quoted()?,
        _ => scanner
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
            .to_owned(),
    };
    if !scanner.eat(":") {
        return Err(scanner.problem_at(start, what_may_follow(language, may_end, in_brackets)));
    }
    let key = Key::of(&name).filter(|key| language == Language::Stack || *key != Key::Category);
    let key = key.ok_or_else(|| scanner.problem_at(start, keys(language)))?;
    let language = if in_brackets {
        Language::Stack
    } else {
        language
    };
    let scope = key.scope(language);
    if in_brackets && scope != Scope::Frame {
        return Err(scanner.problem_at(start, "a condition on a frame, such as `function:main`"));
    }
    let start = scanner.at();
    let argument = argument(scanner, in_brackets)?;
    Matcher::new(negated, key, argument, scope)
        .map_err(|expected| scanner.problem_at(start, expected))
}

fn argument(scanner: &mut Scanner<'_>, in_brackets: bool) -> Result<String, Problem> {
    if scanner.peek() == Some('"') {
        let text = scanner.quoted()?;
        let ends = scanner.is_at_blank() || (in_brackets && scanner.peek() == Some(']'));
        return ends
            .then_some(text)
            .ok_or_else(|| scanner.problem("a blank after the closing quote"));
    }
    // A bracket closes the one around the conditions if it is none of the pattern's own.
    let mut open = 0;
    let text = scanner.take_while(|c| {
        match c {
            '[' => open += 1,
            ']' if open == 0 && in_brackets => return false,
            ']' => open -= i32::from(open > 0),
            _ => {}
        }
        !c.is_whitespace()
    });
    if text.is_empty() {
        return Err(scanner.problem("a pattern, in quotes if there are blanks in it"));
    }
    Ok(text.to_owned())
}

fn what_may_follow(language: Language, may_end: bool, in_brackets: bool) -> &'static str {
    match language {
        _ if in_brackets => "a condition such as `function:main`, then `]`",
        _ if !may_end => "a condition such as `error.type:ValueError`",
        Language::Fingerprint => "another condition, or `->`",
        Language::Stack => "another condition, or an action such as `-app` or `^-group`",
    }
}

fn keys(language: Language) -> &'static str {
    match language {
        Language::Fingerprint => {
            "one of error.type, error.value, error.mechanism, message, logger, level, release, sdk, family, app, \
             tags.NAME, stack.abs_path, stack.module, stack.function, stack.package, thread.name"
        }
        Language::Stack => {
            "one of stack.abs_path, stack.module, stack.function, stack.package, app, family, category, error.type, \
             error.value, error.mechanism, message, logger, level, release, sdk, tags.NAME, thread.name"
        }
    }
}
