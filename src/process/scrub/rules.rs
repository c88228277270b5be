//! What a project and its organization want scrubbed. In: their settings. Out: the rules, ready to use.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::keys;

/// Entries of one list.
pub const MOST_ENTRIES: usize = 100;
pub const LONGEST_ENTRY: usize = 200;

/// Memory of one compiled expression. Matching takes time in proportion to the text, whatever the expression.
const EXPRESSION_BYTES: usize = 256 * 1024;

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
            ("sensitive fields", &self.fields),
            ("safe fields", &self.safe_fields),
            ("expressions", &self.expressions),
        ];
        for (name, entries) in lists {
            if entries.len() > MOST_ENTRIES {
                problems.push(format!("{name}: {MOST_ENTRIES} entries are the most"));
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
            Some(format!("expressions, line {line}: {problem}"))
        }));
        problems
    }
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
    fields: Vec<String>,
    safe_fields: Vec<String>,
    expressions: Vec<Expression>,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(&Scrubbing::default(), &Scrubbing::default())
    }
}

impl Rules {
    /// What both want: lists are put together, and an organization can insist on the built-in rules.
    pub fn new(organization: &Scrubbing, project: &Scrubbing) -> Self {
        let both = [organization, project];
        let names = |list: fn(&Scrubbing) -> &Vec<String>| {
            both.into_iter()
                .flat_map(list)
                .filter(|name| !name.trim().is_empty())
                .take(2 * MOST_ENTRIES)
                .map(|name| name.trim().to_ascii_lowercase())
                .collect()
        };
        Self {
            built_in: organization.built_in == BuiltIn::Always || project.built_in != BuiltIn::Off,
            remove_ips: organization.remove_ips || project.remove_ips,
            fields: names(|settings| &settings.fields),
            safe_fields: names(|settings| &settings.safe_fields),
            expressions: both
                .into_iter()
                .flat_map(|settings| &settings.expressions)
                .take(2 * MOST_ENTRIES)
                .filter_map(|entry| Expression::read(entry).ok())
                .collect(),
        }
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
        let rules = Rules::new(&organization, &project);
        assert!(rules.is_secret("Customer_Tax_No"));
        assert!(rules.is_secret("password"));
        assert!(!rules.is_secret("csrf_mode"));
        let rules = Rules::new(&Scrubbing::default(), &project);
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
