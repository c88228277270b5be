//! A project's grouping rules. In: their text. Out: what is wrong with them, what they would do, and the rules in force.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::dry_run::{self, DryRun};
use super::place::Place;
use super::sample;
use crate::process::compare::again;
use crate::process::rules::{FingerprintRules, StackRules, builtin};
use crate::store::accounts::Project;
use crate::store::now_ms;
use crate::store::project_settings::ProjectSettings;
use crate::store::rehearsal::{self, IssueName};
use crate::web::error::PageError;
use crate::web::form::{Fields, SessionForm};
use crate::web::format::When;
use crate::web::page::Page;
use crate::web::session::Viewer;
use crate::web::site::Site;

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot change how events are grouped. Ask an admin, manager or owner of the organization.",
);
const LONGEST: usize = 64 * 1024;

/// What the typed rules make of one event.
struct Tried {
    event_id: String,
    title: String,
    /// The rule that decided, with its line; without one what Bugle does by itself.
    rule: Option<String>,
    /// Where the event would go: an issue that is there, or a new one.
    issue: Option<IssueName>,
    filtered: Option<&'static str>,
}

#[derive(Default)]
struct Said {
    problems: Vec<String>,
    mistake: Option<String>,
    tried: Option<Tried>,
    dry_run: Option<DryRun>,
}

#[derive(Template)]
#[template(path = "projects/rules.html")]
struct RulesPage {
    page: Page,
    org: String,
    project: Project,
    fingerprint_rules: String,
    stack_rules: String,
    event: String,
    built_in: String,
    changed: Option<When>,
    can_change: bool,
    problems: Vec<String>,
    mistake: Option<String>,
    tried: Option<Tried>,
    dry_run: Option<DryRun>,
}

/// `GET /{org}/projects/{project}/grouping`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let place = Place::find(&site, &viewer, path.into_inner()).await?;
    let settings = place.settings.clone();
    let event = query.into_inner().event;
    draw(&request, &viewer, place, settings, event, Said::default())
}

/// Which event to try the rules on.
#[derive(serde::Deserialize)]
pub struct Asked {
    #[serde(default)]
    event: String,
}

fn draw(
    request: &HttpRequest,
    viewer: &Viewer,
    place: Place,
    typed: ProjectSettings,
    event: String,
    said: Said,
) -> Result<HttpResponse, PageError> {
    let can_change = place.can_change();
    let Place {
        context,
        project,
        settings,
        ..
    } = place;
    let title = format!("Grouping of {}", project.name);
    let page = Page::new(title, viewer, request).within(&context, "projects", Some(&project.slug));
    let changed = settings.updated_at;
    let template = RulesPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        fingerprint_rules: typed.fingerprint_rules,
        stack_rules: typed.stack_rules,
        event,
        built_in: builtin::text(),
        changed: (changed > 0).then(|| When::ago(changed, now_ms())),
        can_change,
        problems: said.problems,
        mistake: said.mistake,
        tried: said.tried,
        dry_run: said.dry_run,
        project,
    };
    page.answer(&template)
}

/// `POST /{org}/projects/{project}/grouping`: tries, rehearses or saves what was typed.
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let place = Place::find(&site, &form.viewer, path.into_inner()).await?;
    if !place.can_change() {
        return Err(NOT_ALLOWED);
    }
    let typed = typed(&form.fields, &place.settings);
    let event = form.fields.get("event").trim().to_owned();
    let mut said = Said {
        problems: problems(&typed),
        ..Said::default()
    };
    let action = form.fields.get("do").to_owned();
    if said.problems.is_empty() {
        match action.as_str() {
            "try" => match try_on(&site, &place, &typed, &event).await? {
                Ok(tried) => said.tried = Some(tried),
                Err(mistake) => said.mistake = Some(mistake),
            },
            "dry-run" => {
                said.dry_run = Some(dry_run::dry_run(&site, &place, &typed).await?);
            }
            _ => {
                let change = move |present| ProjectSettings {
                    fingerprint_rules: typed.fingerprint_rules.clone(),
                    stack_rules: typed.stack_rules.clone(),
                    ..present
                };
                return place.save(&site, &form.viewer, "grouping", change).await;
            }
        }
    }
    draw(&request, &form.viewer, place, typed, event, said)
}

fn typed(fields: &Fields, present: &ProjectSettings) -> ProjectSettings {
    let text = |name: &str| fields.get(name).replace("\r\n", "\n");
    ProjectSettings {
        fingerprint_rules: text("fingerprint_rules"),
        stack_rules: text("stack_rules"),
        ..present.clone()
    }
}

/// What is wrong with the rules, in sentences.
fn problems(typed: &ProjectSettings) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, text, found) in [
        (
            "Fingerprint rules",
            &typed.fingerprint_rules,
            FingerprintRules::parse(&typed.fingerprint_rules).1,
        ),
        (
            "Stack trace rules",
            &typed.stack_rules,
            StackRules::parse(&typed.stack_rules).1,
        ),
    ] {
        if text.len() > LONGEST {
            problems.push(format!("{name}: at most 64 KiB"));
        }
        problems.extend(found.iter().map(|problem| format!("{name}: {problem}")));
    }
    problems
}

/// Processes one stored event by the typed rules.
async fn try_on(
    site: &Site,
    place: &Place,
    typed: &ProjectSettings,
    event: &str,
) -> Result<Result<Tried, String>, PageError> {
    let projects = std::slice::from_ref(&place.project);
    let found = sample::event(site, &place.context.scope, projects, event).await?;
    let record = match found {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(mistake)),
    };
    let event_id = record.id_text();
    let payload = record.payload()?;
    let (title, rule, hashes) = match again(&payload, &place.compiled(typed)) {
        Ok(processed) => {
            let rule = rule_of(&processed.payload);
            (processed.title, rule, processed.hashes)
        }
        Err(crate::process::ProcessError::Filtered { reason, .. }) => {
            return Ok(Ok(Tried {
                event_id,
                title: String::new(),
                rule: None,
                issue: None,
                filtered: Some(reason),
            }));
        }
        Err(error) => return Ok(Err(error.to_string())),
    };
    let project = place.project.clone();
    let issue = site
        .store
        .read(move |conn| rehearsal::issue_of(conn, &project, &hashes))
        .await?;
    Ok(Ok(Tried {
        event_id,
        title,
        rule,
        issue,
        filtered: None,
    }))
}

/// The rule that a processed event names.
fn rule_of(payload: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let rule = event.pointer("/grouping/rule")?;
    let text = rule.get("text")?.as_str()?;
    Some(match rule.get("line").and_then(serde_json::Value::as_u64) {
        Some(line) => format!("line {line}: {text}"),
        None => format!("built in: {text}"),
    })
}
