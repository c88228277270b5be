//! A stored event to try settings on. In: what somebody typed as its id. Out: the event, or why there is none.

use crate::protocol::event_id::EventId;
use crate::store::StoreError;
use crate::store::accounts::Project;
use crate::store::events::{self, EventRecord};
use crate::store::scope::OrgScope;
use crate::web::error::PageError;
use crate::web::site::Site;

/// The event with that id, or the newest of the first project that has any where nothing was typed; else what is wrong, in a
/// sentence.
pub async fn event(
    site: &Site,
    scope: &OrgScope,
    projects: &[Project],
    typed: &str,
) -> Result<Result<EventRecord, String>, PageError> {
    let id = if typed.is_empty() {
        None
    } else {
        match typed.parse::<EventId>() {
            Ok(id) => Some(id),
            Err(_) => return Ok(Err("That is no event id: it has 32 hex digits.".to_owned())),
        }
    };
    let (scope, projects) = (scope.clone(), projects.to_vec());
    let found = site.store.read(move |conn| {
        for project in &projects {
            let found = match id {
                Some(id) => match events::of_project(conn, &scope, project, id) {
                    Err(StoreError::NotFound) => None,
                    found => Some(found?),
                },
                None => events::newest(conn, &scope, project)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok::<_, StoreError>(None)
    });
    let none = match id {
        Some(_) => "There is no stored event with this id.",
        None => "There is no stored event yet.",
    };
    Ok(found.await?.ok_or_else(|| none.to_owned()))
}
