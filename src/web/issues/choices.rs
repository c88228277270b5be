//! Ways to narrow the issue list. In: its address and what there is. Out: tabs and menus, each entry a link.

use super::links::ListAddress;
use crate::store::issue_counts::Counts;
use crate::web::format::{hue, short};
use crate::web::page::OrgContext;

/// A state to choose.
pub struct Tab {
    pub name: &'static str,
    pub href: String,
    pub count: Option<String>,
    pub active: bool,
}

/// An entry of a menu that narrows the list.
pub struct Choice {
    pub name: String,
    pub href: String,
    pub hue: Option<i64>,
    pub active: bool,
}

/// The states with how many issues have them.
pub fn tabs(address: &ListAddress, org: &str, total: &Counts) -> Vec<Tab> {
    let state = address.query.state();
    [
        ("Unresolved", "unresolved", total.unresolved),
        ("New", "new", total.new),
        ("Regressed", "regressed", total.regressed),
        ("Ignored", "ignored", total.ignored),
        ("Resolved", "resolved", total.resolved),
    ]
    .into_iter()
    .map(|(name, word, count)| Tab {
        name,
        href: address.with_query(org, address.query.with_state(word)),
        count: (count > 0).then(|| short(count)),
        active: state == Some(word),
    })
    .collect()
}

/// The projects to narrow the list to.
pub fn project_choices(context: &OrgContext, address: &ListAddress, org: &str) -> Vec<Choice> {
    let chosen = address.query.value("project");
    let all = Choice {
        name: "All projects".to_owned(),
        href: address.with_query(org, address.query.with("project", None)),
        hue: None,
        active: chosen.is_none(),
    };
    let each = context.projects.iter().map(|project| Choice {
        name: project.slug.clone(),
        href: address.with_query(org, address.query.with("project", Some(&project.slug))),
        hue: Some(hue(project.id)),
        active: chosen == Some(&project.slug),
    });
    std::iter::once(all).chain(each).collect()
}

/// The environments to narrow the list to; none where events name none.
pub fn environment_choices(names: &[String], address: &ListAddress, org: &str) -> Vec<Choice> {
    if names.is_empty() {
        return Vec::new();
    }
    let chosen = address.query.value("environment");
    let choice = |name: &str, value: Option<&str>| Choice {
        name: name.to_owned(),
        href: address.with_query(org, address.query.with("environment", value)),
        hue: None,
        active: chosen == value,
    };
    std::iter::once(choice("All environments", None))
        .chain(names.iter().map(|name| choice(name, Some(name))))
        .collect()
}
