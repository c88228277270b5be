//! What a stack trace rule does: `+app`, `^-group`, `max-frames=3`, `category=telemetry`.
//! In: the word. Out: the action, and the word again.

use std::fmt;

use super::scan::{Problem, Scanner};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Set { flag: Flag, on: bool, reach: Reach },
    MaxFrames(usize),
    MinFrames(usize),
    Category(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    App,
    Group,
}

/// Which frames are meant, seen from the one that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Itself,
    /// `^`: all that it called.
    TowardsCrash,
    /// `v`: all that led to it.
    AwayFromCrash,
}

const LONGEST_CATEGORY: usize = 64;

/// Whether an action begins here and no condition, whose name is followed by a colon.
pub(super) fn is_next(rest: &str) -> bool {
    let word = rest.split_whitespace().next().unwrap_or_default();
    let bare = word.strip_prefix(['^', 'v']).unwrap_or(word);
    bare.starts_with(['+', '-'])
        || ["max-frames=", "min-frames=", "category="]
            .iter()
            .any(|name| word.starts_with(name))
}

pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Action, Problem> {
    let start = scanner.at();
    let word = scanner.take_while(|c| !c.is_whitespace());
    let (expected, action) = match word.split_once('=') {
        Some(("max-frames", number)) => (NUMBER, frames(number).map(Action::MaxFrames)),
        Some(("min-frames", number)) => (NUMBER, frames(number).map(Action::MinFrames)),
        Some(("category", name)) => (CATEGORY, category(name).map(Action::Category)),
        _ => (ACTION, flag(word)),
    };
    action.ok_or_else(|| scanner.problem_at(start, expected))
}

const ACTION: &str = "an action: `+app`, `-app`, `+group`, `-group`, with `^` or `v` in front, `max-frames=3`, `min-frames=2` or \
     `category=name`";
const NUMBER: &str = "a number from 0 to 1,000";
const CATEGORY: &str = "a category of letters, digits, `_`, `-` and `.`";

fn flag(word: &str) -> Option<Action> {
    let (reach, rest) = if let Some(rest) = word.strip_prefix('^') {
        (Reach::TowardsCrash, rest)
    } else if let Some(rest) = word.strip_prefix('v') {
        (Reach::AwayFromCrash, rest)
    } else {
        (Reach::Itself, word)
    };
    let (on, flag) = match rest {
        "+app" => (true, Flag::App),
        "-app" => (false, Flag::App),
        "+group" => (true, Flag::Group),
        "-group" => (false, Flag::Group),
        _ => return None,
    };
    Some(Action::Set { flag, on, reach })
}

fn frames(number: &str) -> Option<usize> {
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|_| is_number);
    number.filter(|number| *number <= 1000)
}

fn category(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = (1..=LONGEST_CATEGORY).contains(&name.len()) && name.chars().all(fits);
    is_name.then(|| name.to_owned())
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { flag, on, reach } => {
                let reach = match reach {
                    Reach::Itself => "",
                    Reach::TowardsCrash => "^",
                    Reach::AwayFromCrash => "v",
                };
                let sign = if *on { '+' } else { '-' };
                let flag = match flag {
                    Flag::App => "app",
                    Flag::Group => "group",
                };
                write!(out, "{reach}{sign}{flag}")
            }
            Self::MaxFrames(number) => write!(out, "max-frames={number}"),
            Self::MinFrames(number) => write!(out, "min-frames={number}"),
            Self::Category(name) => write!(out, "category={name}"),
        }
    }
}
