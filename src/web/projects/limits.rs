//! Limits as people type and read them. In: two fields of a form. Out: limits; and the form of a project's own.

use actix_web::{HttpResponse, web};

use crate::store::project_keys::Limits;
use crate::store::scope::Role;
use crate::store::{limits, scope};
use crate::web::error::PageError;
use crate::web::form::{Fields, SessionForm};
use crate::web::format::thousands;
use crate::web::page::see_done;
use crate::web::site::Site;

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot change limits. Ask an admin, manager or owner of the organization.",
);

/// What stands in the two fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitFields {
    pub minute: String,
    pub month: String,
}

impl LimitFields {
    pub fn of(limits: Limits) -> Self {
        let text = |limit: Option<i64>| limit.map(thousands).unwrap_or_default();
        Self {
            minute: text(limits.minute),
            month: text(limits.month),
        }
    }
}

/// Reads `minute` and `month`; an empty field is no limit of one's own.
pub fn read(fields: &Fields) -> Result<Limits, PageError> {
    Ok(Limits {
        minute: number(fields.get("minute"))?,
        month: number(fields.get("month"))?,
    })
}

fn number(text: &str) -> Result<Option<i64>, PageError> {
    // 10,000 and 10 000 are what people write.
    let digits: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, ',' | '_' | '.' | '\''))
        .collect();
    if digits.is_empty() {
        return Ok(None);
    }
    digits.parse().map(Some).map_err(|_| {
        PageError::BadRequest(format!(
            "'{text}' is not a number of events; leave the field empty for no limit"
        ))
    })
}

/// `POST /{org}/projects/{project}/limits`
pub async fn submit(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let wanted = read(&form.fields)?;
    let user_id = form.viewer.user().id;
    let changed = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            let project = scope.project(conn, &name)?;
            if scope.role() < Role::Admin {
                return Ok(None);
            }
            limits::set_project(conn, &project, wanted)?;
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

/// `POST /{org}/usage/limits`
pub async fn submit_organization(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let wanted = read(&form.fields)?;
    let user_id = form.viewer.user().id;
    let changed = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            if scope.role() < Role::Admin {
                return Ok(None);
            }
            limits::set_organization(conn, &scope, wanted)?;
            Ok(Some(scope.organization().slug.clone()))
        })
        .await?;
    let organization = changed.ok_or(NOT_ALLOWED)?;
    see_done(&site, &format!("/{organization}/usage/"), "saved")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        assert_eq!(number(" 10,000 ").ok(), Some(Some(10_000)));
        assert_eq!(number("10 000").ok(), Some(Some(10_000)));
        assert_eq!(number("0").ok(), Some(Some(0)));
        assert_eq!(number("  ").ok(), Some(None));
        assert!(number("many").is_err());
        let shown = LimitFields::of(Limits {
            minute: Some(12_000),
            month: None,
        });
        assert_eq!(
            (shown.minute.as_str(), shown.month.as_str()),
            ("12,000", "")
        );
    }
}
