//! Feedback of users. In: a project or an organization. Out: what people wrote, newest first.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::access::{Caller, READ_EVENTS, app};
use super::error::ApiError;
use super::{cursor, format};
use crate::store::feedback::{self, Feedback, Filter, State};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// The newest messages; older ones are on the page.
const MOST: i64 = 1_000;

type Issues = HashMap<(i64, Vec<u8>), i64>;

fn shape(message: &Feedback, issues: &Issues) -> Value {
    let about = (message.project_id, message.event_id.clone());
    let event = (!message.event_id.is_empty()).then(|| hex::encode(&message.event_id));
    json!({
        "id": message.id.to_string(),
        "eventID": event,
        "event": event.as_ref().map(|id| json!({"id": id, "eventID": id})),
        "feedbackID": hex::encode(&message.feedback_id),
        "name": message.name,
        "email": message.email,
        "comments": message.message,
        "url": message.url,
        "release": message.release_name,
        "environment": message.environment,
        "status": if message.is_done() { "resolved" } else { "unresolved" },
        "dateCreated": format::time(message.created_at),
        "issue": issues.get(&about).map(|id| json!({"id": id.to_string()})),
    })
}

fn found(
    conn: &mut Conn,
    scope: &OrgScope,
    project: Option<&str>,
    state: Option<State>,
) -> Result<Vec<Value>, StoreError> {
    let filter = Filter {
        project: match project {
            Some(name) => Some(scope.project(conn, name)?),
            None => None,
        },
        state,
        issue_id: None,
        before: None,
        limit: MOST,
    };
    let messages = feedback::list(conn, scope, &filter)?;
    let issues = feedback::issues(conn, &messages)?;
    Ok(messages
        .iter()
        .map(|message| shape(message, &issues))
        .collect())
}

/// All, unless the address asks for `status=unresolved`.
fn state(request: &HttpRequest) -> Option<State> {
    url::form_urlencoded::parse(request.query_string().as_bytes())
        .any(|(name, value)| name == "status" && value == "unresolved")
        .then_some(State::Open)
}

/// `GET /projects/{org}/{project}/user-feedback/` and `GET /organizations/{org}/user-feedback/`
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<Place>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let state = state(&request);
    let app = app(&request);
    let found = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &path.org)?;
            found(conn, &scope, path.project.as_deref(), state)
        })
        .await?;
    cursor::page_of(app.base_url(), &request, found, Value::clone)
}

/// What the address names.
#[derive(Debug, serde::Deserialize)]
pub struct Place {
    org: String,
    #[serde(default)]
    project: Option<String>,
}
