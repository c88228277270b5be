//! The month so far. In: what was taken since it began, and the limits. Out: a row for the organization, each project, and
//! each key that has a limit of its own.

use super::Facts;
use crate::store::project_keys::Limits;
use crate::store::usage::{EVENT_CATEGORIES, TAKEN, Total};
use crate::web::chart::Shares;
use crate::web::format::{Count, strftime, thousands};

const HOUR_MS: i64 = 3_600_000;

pub struct QuotaRow {
    pub name: String,
    /// `organization`, `project` or `key`.
    pub kind: &'static str,
    pub taken: Count,
    pub month: String,
    pub minute: String,
    pub share: Option<Shares>,
    pub is_full: bool,
}

/// The hour in which the month of a moment began, UTC.
pub fn month_start_hour(now: i64) -> i64 {
    let days = strftime(now, "%d").parse::<i64>().unwrap_or(1) - 1;
    (now.div_euclid(24 * HOUR_MS) - days) * 24
}

pub fn month_name(now: i64) -> String {
    strftime(now, "%B %Y")
}

pub(super) fn rows(facts: &Facts) -> Vec<QuotaRow> {
    let organization = facts.context.scope.organization();
    let all = sum(&facts.month, |_| true);
    let mut rows = vec![row(
        organization.name.clone(),
        "organization",
        all,
        facts.limits,
    )];
    for project in &facts.context.projects {
        let limits = facts.project_limits.get(&project.id);
        let taken = sum(&facts.month, |total| total.project_id == project.id);
        let limits = limits.copied().unwrap_or_default();
        rows.push(row(project.slug.clone(), "project", taken, limits));
        let mut keys: Vec<_> = facts
            .keys
            .values()
            .filter(|key| key.project_id == project.id)
            .filter(|key| key.minute_limit.is_some() || key.month_limit.is_some())
            .collect();
        keys.sort_by_key(|key| key.id);
        for key in keys {
            let limits = Limits {
                minute: key.minute_limit,
                month: key.month_limit,
            };
            let taken = sum(&facts.month, |total| total.key_id == key.id);
            let name = format!("{} · {}", project.slug, key.label);
            rows.push(row(name, "key", taken, limits));
        }
    }
    rows
}

fn sum(totals: &[Total], wanted: impl Fn(&Total) -> bool) -> i64 {
    totals
        .iter()
        .filter(|total| {
            EVENT_CATEGORIES.contains(&total.category.as_str())
                && TAKEN.contains(&total.outcome.as_str())
        })
        .filter(|total| wanted(total))
        .map(|total| total.quantity)
        .sum()
}

fn row(name: String, kind: &'static str, taken: i64, limits: Limits) -> QuotaRow {
    let month = limits.month.filter(|limit| *limit > 0);
    let text = |limit: Option<i64>| limit.map_or_else(|| "no limit".to_owned(), thousands);
    QuotaRow {
        name,
        kind,
        taken: Count::new(taken),
        share: month.map(|limit| Shares::new(&[taken.min(limit)], limit)),
        is_full: month.is_some_and(|limit| taken >= limit),
        month: text(month),
        minute: text(limits.minute.filter(|limit| *limit > 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_on_its_first_day() {
        let at = |text: &str| {
            text.parse::<jiff::Timestamp>()
                .expect("a time")
                .as_millisecond()
        };
        let now = at("2026-03-31T23:59:59Z");
        assert_eq!(month_start_hour(now) * HOUR_MS, at("2026-03-01T00:00:00Z"));
        assert_eq!(
            month_start_hour(now + 2000) * HOUR_MS,
            at("2026-04-01T00:00:00Z")
        );
        assert_eq!(month_name(now), "March 2026");
    }

    #[test]
    fn a_full_month_says_so() {
        let limits = |month| Limits {
            minute: Some(0),
            month,
        };
        let full = row("shop".to_owned(), "project", 1000, limits(Some(1000)));
        assert!(full.is_full && full.share.is_some());
        assert_eq!(
            (full.month.as_str(), full.minute.as_str()),
            ("1,000", "no limit")
        );
        assert!(!row("shop".to_owned(), "project", 999, limits(Some(1000))).is_full);
        assert!(
            row("shop".to_owned(), "project", 5, limits(None))
                .share
                .is_none()
        );
    }
}
