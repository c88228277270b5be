//! How a project's events are processed, for programs. In: Sentry's names of settings with new values. Out: the settings in force, in
//! the project's JSON; or what is wrong with the new ones, and nothing changed.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::access::{Caller, WRITE_PROJECT, app};
use super::body::read_json;
use super::error::ApiError;
use super::projects;
use crate::process::filter::Filters;
use crate::process::rules::{FingerprintRules, StackRules};
use crate::process::scrub::{BuiltIn, Scrubbing};
use crate::store::project_settings::{self, ProjectSettings};
use crate::store::scope::Role;

/// The longest text of rules.
const LONGEST: usize = 64 * 1024;

/// A filter as one option: its name, and how it is read and written.
type Switch = (&'static str, fn(&mut Filters) -> &mut bool);

const SWITCHES: [Switch; 7] = [
    ("filters:localhost", |filters| &mut filters.localhost),
    ("filters:browser-extensions", |filters| {
        &mut filters.browser_extensions
    }),
    ("filters:web-crawlers", |filters| &mut filters.web_crawlers),
    ("filters:health-checks", |filters| {
        &mut filters.health_checks
    }),
    ("filters:chunk-load-error", |filters| {
        &mut filters.chunk_load
    }),
    ("filters:react-hydration-errors", |filters| {
        &mut filters.hydration
    }),
    ("filters:invalid-csp", |filters| &mut filters.invalid_csp),
];

/// A list, as text with an entry on each line.
type List = (&'static str, fn(&mut Filters) -> &mut Vec<String>);

const LISTS: [List; 5] = [
    ("filters:blacklisted_ips", |filters| {
        &mut filters.ip_addresses
    }),
    ("filters:releases", |filters| &mut filters.releases),
    ("filters:error_messages", |filters| {
        &mut filters.error_messages
    }),
    ("filters:csp-disallowed-sources", |filters| {
        &mut filters.csp_disallowed_sources
    }),
    ("filters:legacy-browsers", |filters| {
        &mut filters.legacy_browsers
    }),
];

/// The settings as fields of a project.
pub fn fields(settings: &ProjectSettings) -> Map<String, Value> {
    let scrubbing = settings.scrubbing();
    let mut filters = filters_of(settings);
    let mut options = Map::new();
    for (name, switch) in SWITCHES {
        options.insert(name.to_owned(), json!(*switch(&mut filters)));
    }
    for (name, list) in LISTS {
        options.insert(name.to_owned(), json!(list(&mut filters).join("\n")));
    }
    let is_on = scrubbing.built_in != BuiltIn::Off;
    let fields = json!({
        "fingerprintingRules": settings.fingerprint_rules,
        "groupingEnhancements": settings.stack_rules,
        "dataScrubber": is_on,
        "dataScrubberDefaults": is_on,
        "sensitiveFields": scrubbing.fields,
        "safeFields": scrubbing.safe_fields,
        "scrubbingExpressions": scrubbing.expressions,
        "scrubIPAddresses": scrubbing.remove_ips,
        "scrapeJavaScript": settings.fetch_source_maps,
        "options": options,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn filters_of(settings: &ProjectSettings) -> Filters {
    serde_json::from_str(&settings.filters).unwrap_or_default()
}

/// `PUT /projects/{org}/{project}/`
pub async fn update(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.may(WRITE_PROJECT)?;
    let body = read_json(body).await?;
    let (organization, name) = path.into_inner();
    let store = app(&request).store.clone();
    let asking = caller.clone();
    let place = (organization.clone(), name.clone());
    let (role, present) = store
        .read(move |conn| {
            let scope = asking.organization(conn, &organization)?;
            let project = scope.project(conn, &name)?;
            Ok((scope.role(), project_settings::of_project(conn, &project)?))
        })
        .await?;
    if role < Role::Admin {
        return Err(ApiError::Role(
            "only admins, managers and owners change how events are processed",
        ));
    }
    changed(&present, &body)?;
    let (organization, name) = place.clone();
    let asking = caller.clone();
    store
        .write(move |conn| {
            let scope = asking.organization(conn, &organization)?;
            let project = scope.project(conn, &name)?;
            let present = project_settings::of_project(conn, &project)?;
            // It was read before; what another request changed meanwhile makes no other body of it.
            let settings = changed(&present, &body).unwrap_or(present);
            project_settings::set(conn, &settings, asking.owner.user_id)
        })
        .await?;
    projects::answer(&request, caller, place).await
}

/// The settings with the changes that a body asks for.
fn changed(present: &ProjectSettings, body: &Value) -> Result<ProjectSettings, ApiError> {
    let Value::Object(body) = body else {
        return Err(invalid("the body is a JSON object"));
    };
    let mut settings = present.clone();
    let mut scrubbing = present.scrubbing();
    let mut filters = filters_of(present);
    for (name, value) in body {
        match name.as_str() {
            "fingerprintingRules" => settings.fingerprint_rules = text(name, value)?,
            "groupingEnhancements" => settings.stack_rules = text(name, value)?,
            "dataScrubber" | "dataScrubberDefaults" => {
                scrubbing.built_in = if flag(name, value)? {
                    BuiltIn::On
                } else {
                    BuiltIn::Off
                };
            }
            "sensitiveFields" => scrubbing.fields = lines(name, value)?,
            "safeFields" => scrubbing.safe_fields = lines(name, value)?,
            "scrubbingExpressions" => scrubbing.expressions = lines(name, value)?,
            "scrubIPAddresses" => scrubbing.remove_ips = flag(name, value)?,
            "scrapeJavaScript" => settings.fetch_source_maps = flag(name, value)?,
            "options" => {
                let Value::Object(options) = value else {
                    return Err(invalid("options is a JSON object"));
                };
                for (name, value) in options {
                    set_option(&mut filters, name, value)?;
                }
            }
            other => {
                return Err(invalid(&format!(
                    "'{other}' cannot be changed here; docs/api.md lists what can"
                )));
            }
        }
    }
    let problems = problems(&settings, &scrubbing, &filters);
    if !problems.is_empty() {
        return Err(invalid(&problems.join("; ")));
    }
    settings.scrubbing = Some(serde_json::to_string(&scrubbing).unwrap_or_default());
    settings.filters = serde_json::to_string(&filters).unwrap_or_default();
    Ok(settings)
}

fn set_option(filters: &mut Filters, name: &str, value: &Value) -> Result<(), ApiError> {
    if let Some((_, switch)) = SWITCHES.iter().find(|(own, _)| *own == name) {
        *switch(filters) = flag(name, value)?;
    } else if let Some((_, list)) = LISTS.iter().find(|(own, _)| *own == name) {
        *list(filters) = lines(name, value)?;
    } else {
        return Err(invalid(&format!("there is no option '{name}'")));
    }
    Ok(())
}

fn problems(settings: &ProjectSettings, scrubbing: &Scrubbing, filters: &Filters) -> Vec<String> {
    let fingerprints = FingerprintRules::parse(&settings.fingerprint_rules).1;
    let stacks = StackRules::parse(&settings.stack_rules).1;
    let named = |name: &'static str| move |text: String| format!("{name}: {text}");
    let rules = fingerprints
        .iter()
        .map(ToString::to_string)
        .map(named("fingerprintingRules"))
        .chain(
            stacks
                .iter()
                .map(ToString::to_string)
                .map(named("groupingEnhancements")),
        );
    rules
        .chain(scrubbing.problems())
        .chain(filters.problems())
        .collect()
}

fn invalid(text: &str) -> ApiError {
    ApiError::Invalid(text.to_owned())
}

fn text(name: &str, value: &Value) -> Result<String, ApiError> {
    match value {
        Value::String(text) if text.len() <= LONGEST => Ok(text.replace("\r\n", "\n")),
        Value::String(_) => Err(invalid(&format!("{name} is longer than 64 KiB"))),
        _ => Err(invalid(&format!("{name} is a text"))),
    }
}

fn flag(name: &str, value: &Value) -> Result<bool, ApiError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        // As Sentry's own pages send them.
        Value::Number(number) => Ok(number.as_i64() != Some(0)),
        _ => Err(invalid(&format!("{name} is true or false"))),
    }
}

/// A list of texts, or a text with an entry on each line.
fn lines(name: &str, value: &Value) -> Result<Vec<String>, ApiError> {
    let entries: Option<Vec<&str>> = match value {
        Value::String(text) => Some(text.lines().collect()),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let entries = entries
        .ok_or_else(|| invalid(&format!("{name} is a list of texts, or a text with lines")))?;
    let trimmed = entries.into_iter().map(str::trim);
    Ok(trimmed
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect())
}
