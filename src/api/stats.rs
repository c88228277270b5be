//! What became of everything that was sent. In: a period, a step and what to group by. Out: sums and series.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::access::{Caller, READ_ORGANIZATION, app};
use super::error::ApiError;
use super::format;
use super::params::Params;
use crate::model::search_value::span;
use crate::store::now_ms;
use crate::store::usage::{self, UsageRow};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const MOST_HOURS: i64 = 90 * 24;
const FIELDS: [&str; 2] = ["sum(quantity)", "sum(times_seen)"];

/// `GET /organizations/{org}/stats_v2/`
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_ORGANIZATION)?;
    let params = Params::read(request.query_string());
    let asked = Asked::read(&params, now_ms())?;
    let projects: Vec<String> = params
        .all("project")
        .into_iter()
        .filter(|project| *project != "-1")
        .map(str::to_owned)
        .collect();
    let (name, since) = (path.into_inner(), asked.start);
    let (rows, projects, only) = app(&request)
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &name)?;
            let mut only = Vec::new();
            for project in &projects {
                only.push(scope.project(conn, project)?.slug);
            }
            let rows = usage::since(conn, &scope, since)?;
            Ok((rows, scope.projects(conn)?, only))
        })
        .await?;
    let numbers: BTreeMap<&str, i64> = projects
        .iter()
        .map(|project| (project.slug.as_str(), project.id))
        .collect();
    let rows = rows
        .iter()
        .filter(|row| only.is_empty() || only.contains(&row.project));
    Ok(HttpResponse::Ok().json(asked.json(rows, &numbers)))
}

/// What is asked, in hours since 1970.
struct Asked {
    start: i64,
    end: i64,
    step: i64,
    fields: Vec<String>,
    group_by: Vec<String>,
    categories: Vec<String>,
    outcomes: Vec<String>,
}

impl Asked {
    fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let invalid = |text: String| Err(ApiError::Invalid(text));
        let owned = |name: &str| {
            params
                .all(name)
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (from, to) = params.period(now)?.unwrap_or((now - DAY_MS, now));
        let step = match params.filled("interval").map(span) {
            None => HOUR_MS,
            Some(Some(step)) if step >= HOUR_MS && step % HOUR_MS == 0 => step,
            Some(_) => return invalid("interval is in whole hours, such as 1h or 1d".to_owned()),
        };
        let step = step / HOUR_MS;
        let end = (to + HOUR_MS - 1) / HOUR_MS;
        let start = from / HOUR_MS / step * step;
        if end <= start || end - start > MOST_HOURS {
            return invalid("the period is empty or longer than 90 days".to_owned());
        }
        let fields = owned("field");
        if fields.is_empty() || fields.iter().any(|field| !FIELDS.contains(&field.as_str())) {
            return invalid(format!("field is one of {}", FIELDS.join(", ")));
        }
        let group_by = owned("groupBy");
        let known = ["outcome", "category", "reason", "project"];
        if let Some(other) = group_by.iter().find(|name| !known.contains(&name.as_str())) {
            return invalid(format!("groupBy cannot be '{other}'"));
        }
        Ok(Self {
            start,
            end,
            step,
            fields,
            group_by,
            categories: owned("category"),
            outcomes: owned("outcome"),
        })
    }

    fn wants(&self, row: &UsageRow) -> bool {
        let among =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
        row.hour < self.end
            && among(&self.categories, &row.category)
            && among(&self.outcomes, &row.outcome)
    }

    fn json<'r>(
        &self,
        rows: impl Iterator<Item = &'r UsageRow>,
        projects: &BTreeMap<&str, i64>,
    ) -> Value {
        let steps = ((self.end - self.start) + self.step - 1) / self.step;
        let mut groups: BTreeMap<Vec<&str>, Vec<i64>> = BTreeMap::new();
        for row in rows.filter(|row| self.wants(row)) {
            let key = self.group_by.iter().map(|name| match name.as_str() {
                "outcome" => row.outcome.as_str(),
                "category" => row.category.as_str(),
                "reason" => row.reason.as_str(),
                _ => row.project.as_str(),
            });
            let series = groups
                .entry(key.collect())
                .or_insert_with(|| vec![0; usize::try_from(steps).unwrap_or(0)]);
            let at = usize::try_from((row.hour - self.start) / self.step).ok();
            if let Some(sum) = at.and_then(|at| series.get_mut(at)) {
                *sum += row.quantity;
            }
        }
        let groups: Vec<Value> = groups
            .iter()
            .map(|(key, series)| {
                let by: Map<String, Value> = self
                    .group_by
                    .iter()
                    .zip(key)
                    .map(|(name, value)| {
                        let value = match name.as_str() {
                            "project" => json!(projects.get(value)),
                            _ => json!(value),
                        };
                        (name.clone(), value)
                    })
                    .collect();
                let of_fields = |value: Value| -> Map<String, Value> {
                    let fields = self.fields.iter();
                    fields.map(|field| (field.clone(), value.clone())).collect()
                };
                json!({
                    "by": by,
                    "totals": of_fields(json!(series.iter().sum::<i64>())),
                    "series": of_fields(json!(series)),
                })
            })
            .collect();
        let intervals: Vec<String> = (0..steps)
            .map(|at| format::time((self.start + at * self.step) * HOUR_MS))
            .collect();
        json!({
            "start": format::time(self.start * HOUR_MS),
            "end": format::time(self.end * HOUR_MS),
            "intervals": intervals,
            "groups": groups,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hour: i64, outcome: &str, quantity: i64) -> UsageRow {
        UsageRow {
            project: "shop".to_owned(),
            category: "error".to_owned(),
            outcome: outcome.to_owned(),
            reason: String::new(),
            hour,
            quantity,
        }
    }

    #[test]
    fn sums_and_series_are_grouped() {
        let now = 100 * DAY_MS;
        let params = Params::read(
            "field=sum(quantity)&groupBy=outcome&groupBy=project&category=error&interval=1d&statsPeriod=2d",
        );
        let asked = Asked::read(&params, now).expect("fine");
        let rows = [
            row(98 * 24, "accepted", 1),
            row(99 * 24 + 5, "accepted", 2),
            row(99 * 24, "filtered", 4),
            row(100 * 24, "accepted", 8),
        ];
        let shown = asked.json(rows.iter(), &BTreeMap::from([("shop", 3)]));
        assert_eq!(
            shown["groups"],
            json!([
                {"by": {"outcome": "accepted", "project": 3}, "totals": {"sum(quantity)": 3}, "series": {"sum(quantity)": [1, 2]}},
                {"by": {"outcome": "filtered", "project": 3}, "totals": {"sum(quantity)": 4}, "series": {"sum(quantity)": [0, 4]}},
            ])
        );
        assert_eq!(shown["intervals"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn questions_without_an_answer_are_refused() {
        for text in [
            "",
            "field=avg(quantity)",
            "field=sum(quantity)&groupBy=colour",
            "field=sum(quantity)&interval=5m",
            "field=sum(quantity)&statsPeriod=1000d",
        ] {
            assert!(
                Asked::read(&Params::read(text), DAY_MS * 1000).is_err(),
                "{text}"
            );
        }
    }
}
