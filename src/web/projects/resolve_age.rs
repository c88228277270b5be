//! After how long a project resolves what is not seen any more. In: a form. Out: the hours, kept.

use actix_web::{HttpResponse, web};

use crate::store::lifecycle_steps::{self, MOST_HOURS};
use crate::store::scope;
use crate::store::scope::Role;
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::page::see_done;
use crate::web::site::Site;

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot change this. Ask an admin, manager or owner of the organization.",
);

/// `POST /{org}/projects/{project}/resolve-age`
pub async fn submit(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let hours = read(form.fields.get("hours"))?;
    let user_id = form.viewer.user().id;
    let changed = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            let project = scope.project(conn, &name)?;
            if scope.role() < Role::Admin {
                return Ok(None);
            }
            lifecycle_steps::set_resolve_age(conn, project.id, hours)?;
            Ok(Some((scope.organization().slug.clone(), project.slug)))
        })
        .await?;
    let (organization, project) = changed.ok_or(NOT_ALLOWED)?;
    see_done(
        &site,
        &format!("/{organization}/projects/{project}/"),
        "saved",
    )
}

/// An empty field or 0 is off.
fn read(text: &str) -> Result<Option<i64>, PageError> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(0) => Ok(None),
            Ok(hours) if (1..=MOST_HOURS).contains(&hours) => Ok(Some(hours)),
            _ => Err(PageError::BadRequest(format!(
                "'{text}' is not a number of hours; leave the field empty to turn it off"
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_or_off() {
        assert_eq!(read(" 48 ").ok(), Some(Some(48)));
        assert_eq!(read("").ok(), Some(None));
        assert_eq!(read("0").ok(), Some(None));
        for odd in ["-1", "two", "1.5", "99999999"] {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
