//! An issue as clients read it. In: its row, its project and counts. Out: JSON.

use serde_json::{Map, Value, json};

use super::wanted;
use crate::api::{format, projects};
use crate::model::event::Level;
use crate::model::issue::State;
use crate::model::issue_condition::priority_of;
use crate::model::names;
use crate::store::accounts::Project;
use crate::store::issue_details::Details;
use crate::store::issue_records::{Happening, IssueRecord};

/// What an issue's JSON needs beside its row.
pub struct Surroundings<'a> {
    pub organization: &'a str,
    pub project: &'a Project,
    pub base_url: &'a str,
    /// What goes with its status.
    pub details: Option<&'a Details>,
    pub now: i64,
}

/// Counts over time: the name of the period, when it begins, the width of a step, and the counts; none for issues
/// without events in it.
pub struct Stats<'a> {
    pub period: &'a str,
    pub start: i64,
    pub step: i64,
    pub length: usize,
    pub counts: Option<&'a [i64]>,
}

impl Stats<'_> {
    fn points(&self) -> Value {
        let count = |at: usize| self.counts.and_then(|counts| counts.get(at)).unwrap_or(&0);
        (0..self.length)
            .map(|at| json!([(self.start + self.step * at as i64) / 1000, count(at)]))
            .collect()
    }
}

/// The issue.
pub fn issue(issue: &IssueRecord, around: &Surroundings<'_>, stats: &[Stats<'_>]) -> Value {
    let now_in = State::from_codes(issue.status, issue.substatus).seen_at(
        issue.first_seen,
        issue.status_changed_at,
        around.now,
    );
    let level = Level::from_i32(issue.level).unwrap_or(Level::Error);
    let mut answer = json!({
        "id": issue.id.to_string(),
        "shortId": names::short_id(&around.project.short_prefix, issue.short_number),
        "shareId": null,
        "title": issue.title,
        "culprit": issue.culprit,
        "permalink": format::issue_url(around.base_url, around.organization, issue.id),
        "logger": issue.logger,
        "level": level.as_str(),
        "status": now_in.status.as_str(),
        "statusDetails": wanted::status_details(around.details),
        "substatus": now_in.substatus.as_str(),
        "type": issue.kind,
        "platform": issue.platform,
        "project": projects::reference(around.project),
        "metadata": metadata(issue),
        "count": issue.times_seen.to_string(),
        "userCount": issue.users_seen,
        "firstSeen": format::time(issue.first_seen),
        "lastSeen": format::time(issue.last_seen),
        "issueType": "error",
        "issueCategory": "error",
        "priority": priority_of(level),
        "isUnhandled": issue.is_unhandled,
        "assignedTo": null,
        "isBookmarked": false,
        "isSubscribed": false,
        "isPublic": false,
        "hasSeen": false,
        "numComments": 0,
        "annotations": [],
    });
    if !stats.is_empty() {
        answer["stats"] = stats
            .iter()
            .map(|stats| (stats.period.to_owned(), stats.points()))
            .collect::<Map<_, _>>()
            .into();
    }
    answer
}

fn metadata(issue: &IssueRecord) -> Value {
    let mut metadata = Map::new();
    if issue.kind == "error" {
        metadata.insert("type".to_owned(), json!(issue.title_type));
        metadata.insert("value".to_owned(), json!(issue.title_value));
        if !issue.location.is_empty() {
            metadata.insert("filename".to_owned(), json!(issue.location));
        }
    } else {
        metadata.insert("title".to_owned(), json!(issue.title));
    }
    metadata.into()
}

/// Something that happened to an issue.
pub fn happening(happening: &Happening) -> Value {
    let Happening {
        id,
        kind,
        data,
        created_at,
        user_id,
        user_name,
        user_email,
    } = happening;
    let user = user_id.map_or(Value::Null, |id| {
        json!({"id": id.to_string(), "name": user_name, "email": user_email, "username": user_email})
    });
    // What an undo needs stays inside.
    let mut data: Value = serde_json::from_str(data).unwrap_or_else(|_| json!({}));
    if let Some(data) = data.as_object_mut() {
        data.remove("from");
    }
    json!({
        "id": id.to_string(),
        "type": kind,
        "user": user,
        "data": data,
        "dateCreated": format::time(*created_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        Project {
            id: 3,
            organization_id: 1,
            slug: "shop".to_owned(),
            name: "Shop".to_owned(),
            platform: "python".to_owned(),
            short_prefix: "SHOP".to_owned(),
            next_short_number: 9,
            first_event_at: None,
            created_at: 0,
        }
    }

    fn record() -> IssueRecord {
        IssueRecord {
            id: 7,
            project_id: 3,
            short_number: 143,
            kind: "error".to_owned(),
            level: 40,
            platform: "python".to_owned(),
            title: "KeyError: 'price'".to_owned(),
            title_type: "KeyError".to_owned(),
            title_value: "'price'".to_owned(),
            culprit: "shop in total".to_owned(),
            location: "shop.py".to_owned(),
            logger: None,
            status: 0,
            substatus: 7,
            status_changed_at: 0,
            first_seen: 0,
            last_seen: 1_767_225_600_123,
            times_seen: 12,
            users_seen: 2,
            first_release: None,
            last_release: None,
            is_unhandled: true,
        }
    }

    #[test]
    fn mandatory_fields_have_the_types_that_clients_parse() {
        let project = project();
        let around = Surroundings {
            organization: "acme",
            project: &project,
            base_url: "http://localhost:8000",
            details: None,
            now: 1_767_225_600_123,
        };
        let stats = Stats {
            period: "24h",
            start: 3_600_000,
            step: 3_600_000,
            length: 2,
            counts: Some(&[0, 4]),
        };
        let shown = issue(&record(), &around, &[stats]);
        for (key, value) in [
            ("id", json!("7")),
            ("shortId", json!("SHOP-4F")),
            ("count", json!("12")),
            ("userCount", json!(2)),
            ("level", json!("error")),
            ("status", json!("unresolved")),
            ("substatus", json!("ongoing")),
            ("lastSeen", json!("2026-01-01T00:00:00.123000Z")),
            ("permalink", json!("http://localhost:8000/acme/issues/7/")),
            ("stats", json!({"24h": [[3600, 0], [7200, 4]]})),
            (
                "metadata",
                json!({"type": "KeyError", "value": "'price'", "filename": "shop.py"}),
            ),
            (
                "project",
                json!({"id": "3", "slug": "shop", "name": "Shop", "platform": "python"}),
            ),
        ] {
            assert_eq!(shown[key], value, "{key}");
        }
    }
}
