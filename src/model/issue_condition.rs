//! What can be asked of an issue beyond its words. In: the parts of a condition, as `parse` reads them from a term.
//! Out: a condition that the store can turn into SQL.

mod parse;

use super::event::Level;
use super::issue::{Status, Substatus};
use super::names;
use super::search_value::{Comparison, Pattern};

/// One condition; an issue has to meet all that are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// No issue meets it, such as what nobody can have been given yet.
    Never,
    /// Every issue does.
    Always,
    Status {
        status: Status,
        wanted: bool,
    },
    Substatus {
        substatus: Substatus,
        wanted: bool,
    },
    Levels {
        levels: Vec<i32>,
        wanted: bool,
    },
    /// By slug.
    Projects {
        slugs: Vec<String>,
        wanted: bool,
    },
    Issues {
        names: Vec<IssueName>,
        wanted: bool,
    },
    Count {
        count: Count,
        comparison: Comparison,
        number: i64,
    },
    Time {
        time: Time,
        comparison: Comparison,
        millis: i64,
    },
    Text {
        text: Text,
        value: Values,
        wanted: bool,
    },
    /// An event of it has the tag with one of the values.
    Tag {
        key: String,
        value: Values,
        wanted: bool,
    },
    /// An event of it has the tag, with whatever value.
    HasTag {
        key: String,
        wanted: bool,
    },
}

/// How an issue is called: by number, or by its project's prefix and its number there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueName {
    Number(i64),
    Short(String, i64),
}

impl IssueName {
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(number) => Some(Self::Number(number)),
            Err(_) => {
                names::parse_short_id(text).map(|(prefix, number)| Self::Short(prefix, number))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Events,
    Users,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    FirstSeen,
    LastSeen,
}

/// The texts of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    Title,
    Type,
    Value,
    Culprit,
    Platform,
    Kind,
    FirstRelease,
    RegressedRelease,
}

/// What a text has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    AnyOf(Vec<String>),
    Like(Pattern),
}

/// How urgent an issue is, judged by its level.
pub const fn priority_of(level: Level) -> &'static str {
    match level {
        Level::Fatal | Level::Error => "high",
        Level::Warning => "medium",
        Level::Info | Level::Debug => "low",
    }
}
