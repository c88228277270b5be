//! Fingerprint rules: `conditions -> value, {{ variable }} title="…"`.
//! In: the text of a project, then events. Out: the first rule that applies, with the fingerprint it gives.

use std::fmt;

use crate::process::event::Event;

use super::conditions::Conditions;
use super::effort::Effort;
use super::facts::Facts;
use super::matcher::Language;
use super::parse::{self, Numbered, Rule};
use super::scan::{Problem, Quoted, Scanner};
use super::variable;

const MOST_VALUES: usize = 32;
const LONGEST_VALUE: usize = 1024;

/// The fingerprint rules of a project, ready to use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FingerprintRules(Vec<Numbered<FingerprintRule>>);

#[derive(Debug, Clone, PartialEq)]
pub struct FingerprintRule {
    conditions: Conditions,
    values: Vec<String>,
    title: Option<String>,
}

impl FingerprintRules {
    /// The rules that can be read, and what is wrong with the others.
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let (rules, problems) = parse::rules(text);
        (Self(rules), problems)
    }

    pub fn rules(&self) -> &[Numbered<FingerprintRule>] {
        &self.0
    }

    /// The first rule whose conditions hold.
    pub(in crate::process) fn first(
        &self,
        facts: &Facts<'_>,
    ) -> Option<&Numbered<FingerprintRule>> {
        let effort = &Effort::new();
        let mut rules = self.0.iter().take_while(|_| !effort.is_spent());
        rules.find(|numbered| numbered.rule.conditions.hold(facts, effort))
    }
}

impl FingerprintRule {
    /// The entries of the fingerprint as an SDK would have sent them: variables stand for themselves.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The title that the rule gives to an event, if it gives one.
    pub(in crate::process) fn title(&self, event: &Event<'_>) -> Option<String> {
        let template = self.title.as_deref()?;
        Some(variable::expand(template, event))
    }
}

impl Rule for FingerprintRule {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, Problem> {
        let is_next = |rest: &str| rest.starts_with("->");
        let conditions = parse::conditions(scanner, Language::Fingerprint, is_next)?;
        if !scanner.eat("->") {
            return Err(scanner.problem("`->` and the fingerprint"));
        }
        let mut values = Vec::new();
        let mut title = None;
        while !scanner.is_done() && title.is_none() {
            if !values.is_empty() && scanner.eat("title=") {
                title = Some(read_title(scanner)?);
                continue;
            }
            if values.len() == MOST_VALUES {
                return Err(scanner.problem("at most 32 values"));
            }
            values.push(read_value(scanner)?);
            scanner.skip_blanks();
            scanner.eat(",");
        }
        if values.is_empty() {
            return Err(scanner.problem("a value such as `database-down` or `{{ default }}`"));
        }
        if !scanner.is_done() {
            return Err(scanner.problem("nothing after the title"));
        }
        Ok(Self {
            conditions,
            values,
            title,
        })
    }
}

fn read_value(scanner: &mut Scanner<'_>) -> Result<String, Problem> {
    let start = scanner.at();
    let value = if scanner.peek() == Some('"') {
        let value = scanner.quoted()?;
        if !scanner.is_at_blank() && scanner.peek() != Some(',') {
            return Err(scanner.problem("a comma or a blank after the closing quote"));
        }
        value
    } else {
        bare_value(scanner)
    };
    if value.is_empty() {
        return Err(scanner.problem_at(start, "a value"));
    }
    if value.len() > LONGEST_VALUE {
        return Err(scanner.problem_at(start, "a value of at most 1,024 bytes"));
    }
    let unknown = variable::name_of(&value)
        .is_some_and(|name| name != "default" && !variable::is_known(name));
    if unknown {
        return Err(scanner.problem_at(start, VARIABLES));
    }
    Ok(value)
}

/// All up to a blank or a comma; a variable may have blanks in its braces.
fn bare_value(scanner: &mut Scanner<'_>) -> String {
    let mut value = String::new();
    while value.len() <= LONGEST_VALUE {
        if scanner.rest().starts_with("{{")
            && let Some(variable) = scanner.take_through("}}")
        {
            value.push_str(variable);
            continue;
        }
        let mut taken = false;
        let part = scanner.take_while(|c| {
            let belongs = !c.is_whitespace() && c != ',' && !(taken && c == '{');
            taken = true;
            belongs
        });
        if part.is_empty() {
            break;
        }
        value.push_str(part);
    }
    value
}

fn read_title(scanner: &mut Scanner<'_>) -> Result<String, Problem> {
    let start = scanner.at();
    if scanner.peek() != Some('"') {
        return Err(scanner.problem("a title in quotes"));
    }
    let title = scanner.quoted()?;
    if title.len() > LONGEST_VALUE {
        return Err(scanner.problem_at(start, "a title of at most 1,024 bytes"));
    }
    if variable::unknown_in(&title).is_some() {
        return Err(scanner.problem_at(start, VARIABLES));
    }
    Ok(title)
}

const VARIABLES: &str = "variables such as `{{ transaction }}`, `{{ message }}`, `{{ logger }}`, `{{ level }}`, \
    `{{ error.type }}`, `{{ error.value }}`, `{{ stack.function }}`, `{{ stack.module }}`, `{{ stack.package }}`, \
    `{{ stack.abs_path }}`, `{{ stack.filename }}` or `{{ tags.NAME }}`";

impl fmt::Display for FingerprintRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ->", self.conditions)?;
        for (at, text) in self.values.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let is_variable = variable::name_of(text)
                .is_some_and(|name| name == "default" || variable::is_known(name))
                && !text.contains('"');
            if is_variable {
                write!(out, "{comma} {text}")?;
            } else {
                let bare = Some("._-*/:@$+<>~");
                write!(out, "{comma} {}", Quoted { text, bare })?;
            }
        }
        if let Some(text) = &self.title {
            let bare = None;
            write!(out, " title={}", Quoted { text, bare })?;
        }
        Ok(())
    }
}
