//! What became of everything that was sent. In: a scope, a period and perhaps a project. Out: a chart, sums by outcome and
//! reason, by project and key, and the month so far beside the limits.

pub mod doctor;
mod quotas;
mod reasons;
mod tables;
pub mod test;

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::chart::Chart;
use super::error::PageError;
use super::format::Count;
use super::page::{OrgContext, Page};
use super::projects::limits::LimitFields;
use super::session::Viewer;
use super::site::Site;
use crate::store::accounts::{Project, ProjectKey};
use crate::store::limits;
use crate::store::project_keys::{self, Limits};
use crate::store::scope::Role;
use crate::store::usage::{self, Total};
use crate::store::{now_ms, usage::Only};
use quotas::QuotaRow;
use tables::{KeyRow, ReasonRow};

const HOUR_MS: i64 = 3_600_000;
/// Outcomes of events that count in their issue, or did so before.
const TAKEN: &[&str] = &["accepted", "duplicate", "sampled"];

/// How far back to look, and how wide a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    name: &'static str,
    title: &'static str,
    hours: i64,
    step: i64,
}

const PERIODS: [Period; 3] = [
    Period {
        name: "24h",
        title: "24 hours",
        hours: 24,
        step: 1,
    },
    Period {
        name: "7d",
        title: "7 days",
        hours: 7 * 24,
        step: 6,
    },
    Period {
        name: "30d",
        title: "30 days",
        hours: 30 * 24,
        step: 24,
    },
];

impl Period {
    fn named(name: &str) -> Self {
        let mut all = PERIODS.into_iter();
        all.find(|period| period.name == name).unwrap_or(PERIODS[0])
    }

    /// The first hour and the one after the last; the present hour is in it.
    fn range(self, now: i64) -> (i64, i64) {
        let end = (now / HOUR_MS + self.step) / self.step * self.step;
        (end - self.hours, end)
    }
}

#[derive(Template)]
#[template(path = "usage/usage.html")]
struct UsagePage {
    page: Page,
    org: String,
    projects: Vec<Project>,
    /// The project looked at; empty for all.
    project: String,
    periods: [Period; 3],
    period: Period,
    chart: Chart,
    taken: Count,
    lost: Count,
    reasons: Vec<ReasonRow>,
    keys: Vec<KeyRow>,
    quotas: Vec<QuotaRow>,
    month: String,
    limits: LimitFields,
    can_change: bool,
}

#[derive(serde::Deserialize)]
pub struct Asked {
    #[serde(default)]
    period: String,
    #[serde(default)]
    project: String,
}

/// What the store knows.
struct Facts {
    context: OrgContext,
    only: Option<Project>,
    totals: Vec<Total>,
    series: Vec<(i64, String, i64)>,
    month: Vec<Total>,
    keys: HashMap<i64, ProjectKey>,
    limits: Limits,
    project_limits: HashMap<i64, Limits>,
}

/// `GET /{org}/usage/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let (organization, user_id, now) = (path.into_inner(), viewer.user().id, now_ms());
    let period = Period::named(&asked.period);
    let (start, end) = period.range(now);
    let project = asked.into_inner().project;
    let facts = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let only = match project.as_str() {
                "" => None,
                name => Some(context.scope.project(conn, name)?),
            };
            let of = only.as_ref().map_or(Only::All, |one| Only::Project(one.id));
            let mut keys = HashMap::new();
            for project in &context.projects {
                for key in project_keys::list(conn, project.id)? {
                    keys.insert(key.id, key);
                }
            }
            Ok(Facts {
                totals: usage::totals(conn, &context.scope, of, start)?,
                series: usage::series(conn, &context.scope, of, start)?,
                month: usage::totals(
                    conn,
                    &context.scope,
                    Only::All,
                    quotas::month_start_hour(now),
                )?,
                limits: limits::of_organization(conn, &context.scope)?,
                project_limits: limits::of_projects(conn, &context.scope)?,
                keys,
                only,
                context,
            })
        })
        .await?;
    let context = &facts.context;
    let slug = facts.only.as_ref().map(|project| project.slug.as_str());
    let page = Page::new("Usage", &viewer, &request).within(context, "usage", None);
    let (taken, lost) = bars(&facts.series, start, period);
    let template = UsagePage {
        page: page.clone(),
        org: context.slug().to_owned(),
        projects: context.projects.clone(),
        project: slug.unwrap_or_default().to_owned(),
        periods: PERIODS,
        period,
        taken: Count::new(taken.iter().sum()),
        lost: Count::new(lost.iter().sum()),
        chart: Chart::stacked(start * HOUR_MS, period.step * HOUR_MS, &taken, &lost),
        reasons: tables::by_reason(&facts.totals),
        keys: tables::by_key(&facts.totals, &context.projects, &facts.keys),
        quotas: quotas::rows(&facts),
        month: quotas::month_name(now),
        limits: LimitFields::of(facts.limits),
        can_change: context.scope.role() >= Role::Admin,
    };
    debug_assert_eq!((end - start) / period.step, taken.len() as i64);
    page.answer(&template)
}

/// What was taken and what was not, by bar.
fn bars(series: &[(i64, String, i64)], start: i64, period: Period) -> (Vec<i64>, Vec<i64>) {
    let length = usize::try_from(period.hours / period.step).unwrap_or(0);
    let (mut taken, mut lost) = (vec![0; length], vec![0; length]);
    for (hour, outcome, quantity) in series {
        let bars = if TAKEN.contains(&outcome.as_str()) {
            &mut taken
        } else {
            &mut lost
        };
        let at = usize::try_from((hour - start).div_euclid(period.step)).ok();
        if let Some(bar) = at.and_then(|at| bars.get_mut(at)) {
            *bar += quantity;
        }
    }
    (taken, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_present_hour_is_in_the_last_bar() {
        for period in PERIODS {
            let now = 1_795_000_030_000;
            let (start, end) = period.range(now);
            let hour = now / HOUR_MS;
            assert!(
                start <= hour && hour < end && end - hour <= period.step,
                "{period:?}"
            );
            assert_eq!(end - start, period.hours);
            let series = [
                (hour, "accepted".to_owned(), 3),
                (hour, "duplicate".to_owned(), 1),
                (hour, "rate_limited".to_owned(), 2),
                (start - 1, "accepted".to_owned(), 99),
            ];
            let (taken, lost) = bars(&series, start, period);
            assert_eq!((taken.last(), lost.last()), (Some(&4), Some(&2)));
            assert_eq!(taken.iter().sum::<i64>(), 4);
        }
        assert_eq!(Period::named("nonsense").name, "24h");
    }
}
