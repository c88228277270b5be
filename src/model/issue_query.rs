//! The search language of issues. In: typed text such as `is:unresolved level:error price`. Out: what to filter by,
//! and the same query with one term changed, for links.

use super::issue::{Status, Substatus};
use super::issue_condition::{Condition, Text, Values};

/// How serious an issue must be. The numbers are those of storage.
pub const LEVELS: [(&str, i32); 5] = [
    ("debug", 10),
    ("info", 20),
    ("warning", 30),
    ("error", 40),
    ("fatal", 50),
];

/// One `key:value` of a query, or a free word when the key is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub key: String,
    pub value: String,
    /// `!key:value`
    pub negated: bool,
}

impl Term {
    fn is_free(&self) -> bool {
        self.key.is_empty()
    }

    /// Whether this is one of the states of which an issue has exactly one.
    fn is_state(&self) -> bool {
        self.key == "is"
            && (Status::parse(&self.value).is_some()
                || matches!(self.value.as_str(), "for_review" | "all")
                || Substatus::parse(&self.value).is_some())
    }

    fn replaces(&self, earlier: &Self) -> bool {
        (self.is_state() && earlier.is_state())
            || (matches!(self.key.as_str(), "level" | "platform") && self.key == earlier.key)
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let not = if self.negated { "!" } else { "" };
        let colon = if self.is_free() { "" } else { ":" };
        let quote = if self.value.is_empty()
            || self.value.contains(char::is_whitespace)
            || (self.is_free() && self.value.contains(':'))
        {
            "\""
        } else {
            ""
        };
        write!(f, "{not}{}{colon}{quote}{}{quote}", self.key, self.value)
    }
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueQuery {
    terms: Vec<Term>,
}

/// What the list is asked for, term by term, ready for the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IssueFilter {
    pub status: Option<Status>,
    pub not_status: Vec<Status>,
    /// Only issues that are new or only those that came back.
    pub fresh: Option<Fresh>,
    pub unhandled: Option<bool>,
    pub min_level: Option<i32>,
    pub level: Option<i32>,
    pub projects: Vec<String>,
    pub platform: Option<String>,
    /// (key, value, wanted): issues with, or without, an event that has the tag.
    pub tags: Vec<(String, String, bool)>,
    /// All of them occur in title or culprit.
    pub words: Vec<String>,
    /// None of them does.
    pub missing_words: Vec<String>,
    /// What else an issue has to meet.
    pub conditions: Vec<Condition>,
    /// A term that can match nothing, such as an unknown state.
    pub impossible: bool,
}

/// Unresolved for a reason that wears off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fresh {
    New,
    Regressed,
}

/// Longer queries are cut: nobody types them, and each term costs.
const MAX_TERMS: usize = 20;

impl IssueQuery {
    /// Reads a query. Never fails: what is no term is a word to look for.
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        for (token, quoted) in tokens(text).into_iter().take(MAX_TERMS) {
            let (negated, body) = match token.strip_prefix('!') {
                Some(rest) if !rest.is_empty() && !quoted => (true, rest.to_owned()),
                _ => (false, token),
            };
            let pair = (!quoted).then(|| body.split_once(':')).flatten();
            let term = match pair {
                Some((key, value)) if is_key(key) && !value.is_empty() => Term {
                    key: key.to_owned(),
                    value: value.trim_matches('"').to_owned(),
                    negated,
                },
                _ => Term {
                    key: String::new(),
                    value: body,
                    negated,
                },
            };
            if term.is_free() && term.value.is_empty() {
                continue;
            }
            // Typing a state, level or platform after a chosen one means the new one.
            terms.retain(|earlier: &Term| *earlier != term && !term.replaces(earlier));
            terms.push(term);
        }
        Self { terms }
    }

    /// The `key:value` terms, in the order typed.
    pub fn pairs(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|term| !term.is_free())
    }

    /// The free words, as typed.
    pub fn text(&self) -> String {
        join(self.terms.iter().filter(|term| term.is_free()))
    }

    /// The value of a key, the last one where there are several.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.terms
            .iter()
            .rev()
            .find(|term| term.key == key && !term.negated)
            .map(|term| term.value.as_str())
    }

    /// The state that the query asks for, if it does.
    pub fn state(&self) -> Option<&str> {
        self.terms
            .iter()
            .find(|term| term.is_state() && !term.negated)
            .map(|term| term.value.as_str())
    }

    /// The same query for another state; the state stands first.
    #[must_use]
    pub fn with_state(&self, value: &str) -> Self {
        let state = Term {
            key: "is".to_owned(),
            value: value.to_owned(),
            negated: false,
        };
        let rest = self.terms.iter().filter(|term| !term.is_state()).cloned();
        Self {
            terms: std::iter::once(state).chain(rest).collect(),
        }
    }

    /// The same query with another value for `key`, or without it.
    #[must_use]
    pub fn with(&self, key: &str, value: Option<&str>) -> Self {
        let mut terms: Vec<Term> = self
            .terms
            .iter()
            .filter(|term| term.key != key)
            .cloned()
            .collect();
        terms.extend(value.map(|value| Term {
            key: key.to_owned(),
            value: value.to_owned(),
            negated: false,
        }));
        Self { terms }
    }

    /// The same query without one term.
    #[must_use]
    pub fn without(&self, term: &Term) -> Self {
        Self {
            terms: self
                .terms
                .iter()
                .filter(|other| *other != term)
                .cloned()
                .collect(),
        }
    }

    /// What to ask the database.
    pub fn filter(&self) -> IssueFilter {
        let mut filter = IssueFilter::default();
        for term in &self.terms {
            apply(&mut filter, term);
        }
        filter
    }
}

impl std::fmt::Display for IssueQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&join(self.terms.iter()))
    }
}

fn join<'a>(terms: impl Iterator<Item = &'a Term>) -> String {
    terms.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn apply(filter: &mut IssueFilter, term: &Term) {
    match (term.key.as_str(), term.negated) {
        ("", false) => filter.words.push(term.value.clone()),
        ("", true) => filter.missing_words.push(term.value.clone()),
        ("is", negated) => apply_state(filter, &term.value, negated),
        ("level", false) => apply_level(filter, &term.value),
        ("project", false) => filter.projects.push(term.value.clone()),
        ("platform", false) => filter.platform = Some(term.value.clone()),
        ("error.unhandled", negated) => filter.unhandled = Some((term.value == "true") != negated),
        ("error.handled", negated) => filter.unhandled = Some((term.value == "true") == negated),
        ("firstRelease", negated) => apply_text(filter, Text::FirstRelease, &term.value, negated),
        ("regressedRelease", negated) => {
            apply_text(filter, Text::RegressedRelease, &term.value, negated);
        }
        (key, negated) => filter
            .tags
            .push((key.to_owned(), term.value.clone(), !negated)),
    }
}

fn apply_text(filter: &mut IssueFilter, text: Text, value: &str, negated: bool) {
    filter.conditions.push(Condition::Text {
        text,
        value: Values::AnyOf(vec![value.to_owned()]),
        wanted: !negated,
    });
}

fn apply_state(filter: &mut IssueFilter, word: &str, negated: bool) {
    if let Some(status) = Status::parse(word) {
        if negated {
            filter.not_status.push(status);
        } else {
            (filter.status, filter.fresh) = (Some(status), None);
        }
        return;
    }
    match (word, negated) {
        ("new" | "for_review", false) => {
            (filter.status, filter.fresh) = (Some(Status::Unresolved), Some(Fresh::New));
        }
        ("regressed", false) => {
            (filter.status, filter.fresh) = (Some(Status::Unresolved), Some(Fresh::Regressed));
        }
        ("unhandled", negated) => filter.unhandled = Some(!negated),
        ("handled", negated) => filter.unhandled = Some(negated),
        ("all", false) => filter.status = None,
        (word, negated) => match Substatus::parse(word) {
            Some(substatus) => filter.conditions.push(Condition::Substatus {
                substatus,
                wanted: !negated,
            }),
            None => filter.impossible = true,
        },
    }
}

fn apply_level(filter: &mut IssueFilter, word: &str) {
    let (at_least, name) = match word.strip_prefix(">=").or_else(|| word.strip_prefix('≥')) {
        Some(name) => (true, name),
        None => (false, word),
    };
    match LEVELS.iter().find(|(known, _)| *known == name) {
        Some((_, code)) if at_least => filter.min_level = Some(*code),
        Some((_, code)) => filter.level = Some(*code),
        None => filter.impossible = true,
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Words and quoted phrases; a quote after a colon belongs to the term. The flag says that the whole token was quoted.
fn tokens(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut token = String::new();
    let (mut inside, mut quoted) = (false, false);
    for letter in text
        .chars()
        .take(1000)
        .filter(|letter| !letter.is_control() || letter.is_whitespace())
    {
        match letter {
            '"' if token.is_empty() && !inside => (inside, quoted) = (true, true),
            '"' if inside => inside = false,
            '"' if token.ends_with(':') => inside = true,
            space if space.is_whitespace() && !inside => {
                if !token.is_empty() {
                    found.push((std::mem::take(&mut token), quoted));
                }
                quoted = false;
            }
            other => token.push(other),
        }
    }
    if !token.is_empty() {
        found.push((token, quoted));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_terms_and_words() {
        let query = IssueQuery::parse(
            r#"is:unresolved level:>=error "no such file" price url:"a b" http://x"#,
        );
        let filter = query.filter();
        assert_eq!(filter.status, Some(Status::Unresolved));
        assert_eq!(filter.min_level, Some(40));
        assert_eq!(filter.words, ["no such file", "price"]);
        assert_eq!(
            filter.tags,
            [
                ("url".to_owned(), "a b".to_owned(), true),
                ("http".to_owned(), "//x".to_owned(), true)
            ]
        );
        assert_eq!(query.text(), r#""no such file" price"#);
        assert_eq!(IssueQuery::parse(&query.to_string()), query);
    }

    #[test]
    fn links_change_one_term() {
        let query = IssueQuery::parse("is:unresolved project:shop price");
        assert_eq!(
            query.with_state("resolved").to_string(),
            "is:resolved project:shop price"
        );
        assert_eq!(
            query.with("project", None).to_string(),
            "is:unresolved price"
        );
        let term = query.pairs().next().cloned().expect("there are pairs");
        assert_eq!(query.without(&term).to_string(), "project:shop price");
        assert_eq!(query.value("project"), Some("shop"));
        assert_eq!(query.state(), Some("unresolved"));
    }

    #[test]
    fn the_last_state_counts() {
        let query = IssueQuery::parse("is:new level:error is:unhandled is:resolved level:>=info");
        assert_eq!(query.to_string(), "is:unhandled is:resolved level:>=info");
        assert_eq!(
            (query.filter().status, query.filter().fresh),
            (Some(Status::Resolved), None)
        );
    }

    #[test]
    fn states_and_negation() {
        assert_eq!(IssueQuery::parse("is:new").filter().fresh, Some(Fresh::New));
        assert_eq!(
            IssueQuery::parse("!is:unhandled").filter().unhandled,
            Some(false)
        );
        assert_eq!(
            IssueQuery::parse("!release:1").filter().tags,
            [("release".to_owned(), "1".to_owned(), false)]
        );
        assert_eq!(
            IssueQuery::parse("!price").filter().missing_words,
            ["price"]
        );
        assert_eq!(
            IssueQuery::parse("!is:resolved").filter().not_status,
            [Status::Resolved]
        );
        assert!(IssueQuery::parse("is:odd").filter().impossible);
        assert_eq!(IssueQuery::parse("").filter(), IssueFilter::default());
        assert_eq!(
            IssueQuery::parse("  \"\"  ! a: ").filter().words,
            ["!", "a:"]
        );
    }
}
