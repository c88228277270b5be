//! What came beside an event: files and what people wrote. In: an event. Out: the panels of its page, and the files themselves.

use actix_web::{HttpRequest, HttpResponse, web};

use super::detail::{self, Target};
use crate::store::accounts::Project;
use crate::store::attachments::{self, Attachment};
use crate::store::feedback::{self, Feedback};
use crate::store::issue_detail::Issue;
use crate::store::{Conn, StoreError};
use crate::web::attachments::{FileRow, answer};
use crate::web::error::PageError;
use crate::web::feedback::Message;
use crate::web::session::Viewer;
use crate::web::site::Site;

/// Rows about one event.
#[derive(Debug, Default)]
pub struct Found {
    files: Vec<Attachment>,
    feedback: Vec<Feedback>,
    of_issue: i64,
}

/// The panels.
#[derive(Debug, Default)]
pub struct Beside {
    pub files: Vec<FileRow>,
    pub messages: Vec<Message>,
    /// Messages about any event of the issue.
    pub of_issue: i64,
}

pub fn find(
    conn: &mut Conn,
    project: &Project,
    issue: &Issue,
    event_id: &[u8],
) -> Result<Found, StoreError> {
    Ok(Found {
        files: attachments::of_event(conn, project, event_id)?,
        feedback: feedback::of_event(conn, project, event_id)?,
        of_issue: feedback::count_of_issue(conn, project.id, issue.id)?,
    })
}

impl Beside {
    /// `event` is the address of the event's page, without a slash at its end.
    pub fn new(found: &Found, event: &str, now: i64) -> Self {
        let place = format!("{event}/attachments");
        let files = found.files.iter();
        let messages = found.feedback.iter();
        Self {
            files: files.map(|file| FileRow::new(file, &place)).collect(),
            messages: messages.map(|message| Message::new(message, now)).collect(),
            of_issue: found.of_issue,
        }
    }
}

/// `GET /{org}/issues/{issue}/events/{event}/attachments/{id}`
pub async fn file(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String, String, i64)>,
) -> Result<HttpResponse, PageError> {
    let (organization, issue, event, id) = path.into_inner();
    let which = detail::which(&event).ok_or(PageError::NotFound)?;
    let user_id = viewer.user().id;
    let file = site
        .store
        .read(move |conn| {
            let target = Target::find(conn, user_id, &organization, &issue, which)?;
            let event = target.event.as_ref().ok_or(StoreError::NotFound)?;
            attachments::one(conn, &target.project, &event.event_id, id)
        })
        .await?;
    answer(&request, file).await
}
