//! What a project and its organization want scrubbed. In: their settings. Out: the rules, ready to use.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::keys;

/// Entries of one list.
const MOST_ENTRIES: usize = 100;
const LONGEST_ENTRY: usize = 200;

/// Each text is read once for each expression. That takes time in proportion to the text, whatever the expression.
const MOST_EXPRESSIONS: usize = 20;

/// Memory of one compiled expression.
const EXPRESSION_BYTES: usize = 64 * 1024;

/// Whether the built-in rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuiltIn {
    #[default]
    On,
    /// Only a project may say so.
    Off,
    /// Only an organization: whatever its projects say.
    Always,
}

/// The settings of a project or an organization, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scrubbing {
    pub built_in: BuiltIn,
    pub remove_ips: bool,
    /// Parts of names whose values are secret.
    pub fields: Vec<String>,
    /// Names whose values are never touched.
    pub safe_fields: Vec<String>,
    /// Regular expressions; what they match in any text goes. `name -> expression` is only for values of that name.
    pub expressions: Vec<String>,
}

impl Scrubbing {
    /// What is wrong with the entries, for the person who wrote them. They are ignored otherwise.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let lists = [
            ("Sensitive fields", &self.fields, MOST_ENTRIES),
            ("Safe fields", &self.safe_fields, MOST_ENTRIES),
            ("Expressions", &self.expressions, MOST_EXPRESSIONS),
        ];
        for (name, entries, most) in lists {
            if entries.len() > most {
                problems.push(format!("{name}: {most} entries are the most"));
            }
            let long = entries.iter().filter(|entry| entry.len() > LONGEST_ENTRY);
            problems.extend(long.map(|entry| {
                let shown: String = entry.chars().take(40).collect();
                format!("{name}: `{shown}…` is longer than {LONGEST_ENTRY} characters")
            }));
        }
        let expressions = self.expressions.iter().zip(1..);
        problems.extend(expressions.filter_map(|(entry, line)| {
            let problem = Expression::read(entry).err()?;
            Some(format!("Expressions, line {line}: {problem}"))
        }));
        problems
    }
}

fn names(entries: &[String]) -> impl Iterator<Item = String> {
    entries
        .iter()
        .take(MOST_ENTRIES)
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
}

/// An expression, and the name of the fields that it is for.
#[derive(Debug, Clone)]
struct Expression {
    field: Option<String>,
    regex: Regex,
}

impl Expression {
    fn read(entry: &str) -> Result<Self, String> {
        if entry.len() > LONGEST_ENTRY {
            return Err(format!("longer than {LONGEST_ENTRY} characters"));
        }
        let (field, expression) = match entry.split_once("->") {
            Some((field, expression)) => {
                (Some(field.trim().to_ascii_lowercase()), expression.trim())
            }
            None => (None, entry.trim()),
        };
        if field.as_deref() == Some("") {
            return Err("there is no field's name before the arrow".to_owned());
        }
        let regex = RegexBuilder::new(expression)
            .size_limit(EXPRESSION_BYTES)
            .dfa_size_limit(EXPRESSION_BYTES)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => "it stands for too much".to_owned(),
                other => last_line(&other.to_string()),
            })?;
        if regex.is_match("") {
            return Err("it matches nothing at all, and so everywhere".to_owned());
        }
        Ok(Self { field, regex })
    }
}

/// The crate draws the expression before it says what is wrong.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// The rules for the events of a project.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) built_in: bool,
    pub(super) remove_ips: bool,
    is_always: bool,
    fields: Vec<String>,
    safe_fields: Vec<String>,
    expressions: Vec<Expression>,
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(&Scrubbing::default())
    }
}

impl Rules {
    /// What an organization wants for all of its projects.
    pub fn of(organization: &Scrubbing) -> Self {
        let none = Self {
            built_in: true,
            remove_ips: false,
            is_always: organization.built_in == BuiltIn::Always,
            fields: Vec::new(),
            safe_fields: Vec::new(),
            expressions: Vec::new(),
        };
        Self {
            built_in: true,
            ..none.and(organization)
        }
    }

    /// With what a project of the organization wants: lists are put together. Expressions that are there already are shared,
    /// so that those of an organization take memory once.
    #[must_use]
    pub fn and(&self, project: &Scrubbing) -> Self {
        let mut rules = self.clone();
        rules.built_in = self.is_always || project.built_in != BuiltIn::Off;
        rules.remove_ips |= project.remove_ips;
        rules.fields.extend(names(&project.fields));
        rules.safe_fields.extend(names(&project.safe_fields));
        let expressions = project.expressions.iter().take(MOST_EXPRESSIONS);
        rules
            .expressions
            .extend(expressions.filter_map(|entry| Expression::read(entry).ok()));
        rules
    }

    pub(super) fn is_safe(&self, name: &str) -> bool {
        self.safe_fields
            .iter()
            .any(|safe| safe.eq_ignore_ascii_case(name))
    }

    /// Whether all that a name holds is secret.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        (self.built_in && keys::is_secret(name) || self.is_extra(name)) && !self.is_safe(name)
    }

    pub(super) fn is_secret_cookie(&self, name: &str) -> bool {
        (self.built_in && keys::is_secret_cookie(name) || self.is_extra(name))
            && !self.is_safe(name)
    }

    fn is_extra(&self, name: &str) -> bool {
        if self.fields.is_empty() {
            return false;
        }
        let name = name.to_ascii_lowercase();
        self.fields
            .iter()
            .any(|field| name.contains(field.as_str()))
    }

    /// Expressions for a text that stands under a name.
    pub(super) fn expressions(&self, name: &str) -> impl Iterator<Item = &Regex> {
        self.expressions
            .iter()
            .filter(move |expression| match &expression.field {
                None => true,
                Some(field) => field.eq_ignore_ascii_case(name),
            })
            .map(|expression| &expression.regex)
    }

    pub(super) const fn has_names(&self) -> bool {
        self.built_in || !self.fields.is_empty()
    }

    pub(super) const fn has_expressions(&self) -> bool {
        !self.expressions.is_empty()
    }

    /// Whether there is anything to do at all.
    pub(super) const fn is_empty(&self) -> bool {
        !self.has_names() && !self.has_expressions() && !self.remove_ips
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|&entry| entry.to_owned()).collect()
    }

    #[test]
    fn an_organization_adds_to_what_a_project_says() {
        let organization = Scrubbing {
            built_in: BuiltIn::Always,
            fields: list(&["tax_no"]),
            ..Scrubbing::default()
        };
        let project = Scrubbing {
            built_in: BuiltIn::Off,
            safe_fields: list(&["csrf_mode"]),
            ..Scrubbing::default()
        };
        let rules = Rules::of(&organization).and(&project);
        assert!(rules.is_secret("Customer_Tax_No"));
        assert!(rules.is_secret("password"));
        assert!(!rules.is_secret("csrf_mode"));
        let rules = Rules::default().and(&project);
        assert!(!rules.is_secret("password"));
    }

    #[test]
    fn mistakes_are_told() {
        let settings = Scrubbing {
            expressions: list(&["(", "a*", " -> x", r"\d{6}", "(a{999}){999}"]),
            ..Scrubbing::default()
        };
        let problems = settings.problems();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems[0].contains("unclosed group"), "{problems:?}");
    }
}
