//! The search language of issues as programs write it: every mistake is an error, where a page would look for the words.
//! In: a query such as `is:unresolved timesSeen:>10 browser:"Chrome 1"`. Out: what to ask the database.

use super::issue_condition::Condition;
use super::issue_query::IssueFilter;

/// Each term costs; nobody writes so many by hand.
const MAX_TERMS: usize = 50;
const MAX_LENGTH: usize = 4_096;

/// Reads a query. `now` is what relative times refer to. The error is a sentence for whoever wrote the query.
pub fn parse(text: &str, now: i64) -> Result<IssueFilter, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("a query has at most {MAX_LENGTH} bytes"));
    }
    let terms = Lexer { rest: text }.terms()?;
    if terms.len() > MAX_TERMS {
        return Err(format!("a query has at most {MAX_TERMS} terms"));
    }
    let mut filter = IssueFilter::default();
    let mut words = Vec::new();
    for term in terms {
        match term {
            Term::Pair {
                key,
                value,
                negated,
            } => {
                let condition = Condition::parse(&key, &value, negated, now)?;
                filter.conditions.push(condition);
            }
            Term::Words { text, negated } if negated => filter.missing_words.push(text),
            Term::Words { text, .. } => words.push(text),
        }
    }
    if !words.is_empty() {
        filter.words.push(words.join(" "));
    }
    Ok(filter)
}

#[derive(Debug, PartialEq, Eq)]
enum Term {
    Pair {
        key: String,
        value: String,
        negated: bool,
    },
    Words {
        text: String,
        negated: bool,
    },
}

struct Lexer<'t> {
    rest: &'t str,
}

impl Lexer<'_> {
    fn terms(mut self) -> Result<Vec<Term>, String> {
        let mut terms = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Ok(terms);
            }
            terms.push(self.term()?);
        }
    }

    fn term(&mut self) -> Result<Term, String> {
        let negated = self.rest.len() > 1
            && self.rest.starts_with('!')
            && !self.rest[1..].starts_with(char::is_whitespace);
        if negated {
            self.rest = &self.rest[1..];
        }
        if self.rest.starts_with('(') || self.rest.starts_with(')') {
            return Err("parentheses are not available in a search for issues".to_owned());
        }
        if self.rest.starts_with('"') {
            let text = self.quoted()?;
            return match self.rest.strip_prefix(':') {
                Some(rest) => {
                    self.rest = rest;
                    self.pair(text, negated)
                }
                None => Ok(Term::Words { text, negated }),
            };
        }
        let word_end = self
            .rest
            .find(char::is_whitespace)
            .unwrap_or(self.rest.len());
        let colon = self.rest[..word_end].find(':');
        if let Some(colon) = colon.filter(|at| is_key(&self.rest[..*at])) {
            let key = self.rest[..colon].to_owned();
            self.rest = &self.rest[colon + 1..];
            return self.pair(key, negated);
        }
        let (word, rest) = self.rest.split_at(word_end);
        self.rest = rest;
        if matches!(word, "OR" | "AND") {
            return Err(format!(
                "{word} is not available in a search for issues; all terms have to be met"
            ));
        }
        Ok(Term::Words {
            text: word.to_owned(),
            negated,
        })
    }

    fn pair(&mut self, key: String, negated: bool) -> Result<Term, String> {
        let value = match self.rest.chars().next() {
            Some('"') => self.quoted()?,
            Some('[') => self.list(&key)?,
            Some(first) if !first.is_whitespace() => {
                let end = self
                    .rest
                    .find(char::is_whitespace)
                    .unwrap_or(self.rest.len());
                let (value, rest) = self.rest.split_at(end);
                self.rest = rest;
                value.to_owned()
            }
            _ => return Err(format!("there is no value after '{key}:'")),
        };
        Ok(Term::Pair {
            key,
            value,
            negated,
        })
    }

    /// Takes a text in quotes; `\"` is a quote in it.
    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' if self.rest[at + 1..].starts_with('"') => {
                    letters.next();
                    text.push('"');
                }
                other => text.push(other),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    fn list(&mut self, key: &str) -> Result<String, String> {
        if key == "is" {
            return Err("is: takes one state, not a list".to_owned());
        }
        let end = self
            .rest
            .find(']')
            .ok_or_else(|| format!("the list after '{key}:' is not closed"))?;
        let (list, rest) = self.rest.split_at(end + 1);
        self.rest = rest;
        Ok(list.to_owned())
    }
}

fn is_key(text: &str) -> bool {
    let name = text
        .strip_prefix("tags[")
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    !name.is_empty()
        && name.len() <= 200
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::issue_condition::Values;

    fn terms(text: &str) -> Result<Vec<Term>, String> {
        Lexer { rest: text }.terms()
    }

    fn pair(key: &str, value: &str, negated: bool) -> Term {
        Term::Pair {
            key: key.to_owned(),
            value: value.to_owned(),
            negated,
        }
    }

    fn words(text: &str) -> Term {
        Term::Words {
            text: text.to_owned(),
            negated: false,
        }
    }

    #[test]
    fn a_query_falls_into_terms() {
        assert_eq!(
            terms(
                r#"  is:unresolved !level:info browser:"Chrome \"1\"" tags[a.b]:x dist:[a, "b c"] no such f(x) url:"" "#
            ),
            Ok(vec![
                pair("is", "unresolved", false),
                pair("level", "info", true),
                pair("browser", "Chrome \"1\"", false),
                pair("tags[a.b]", "x", false),
                pair("dist", r#"[a, "b c"]"#, false),
                words("no"),
                words("such"),
                words("f(x)"),
                pair("url", "", false),
            ])
        );
        assert_eq!(terms(""), Ok(Vec::new()));
        assert_eq!(terms("! ä:b"), Ok(vec![words("!"), words("ä:b")]));
    }

    #[test]
    fn mistakes_are_told() {
        for text in [
            "\"open",
            "is:",
            "level: error",
            "(a)",
            "a OR b",
            "is:[resolved, ignored]",
            "dist:[a",
            "is:strange",
            "timesSeen:x",
            &"a ".repeat(60),
            &"a".repeat(5_000),
        ] {
            assert!(parse(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_one_text() {
        let filter = parse(r#"no is:unresolved "such  file" !quiet os:Linux"#, 0).expect("fine");
        assert_eq!(filter.words, ["no such  file"]);
        assert_eq!(filter.missing_words, ["quiet"]);
        assert_eq!(filter.conditions.len(), 2);
        assert_eq!(
            filter.conditions[1],
            Condition::Tag {
                key: "os".to_owned(),
                value: Values::AnyOf(vec!["Linux".to_owned()]),
                wanted: true
            }
        );
    }
}
