//! A project's mirror. In: a DSN, a share, on or off. Out: the copies' way to another tracker, and how they fare there.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::mirror;
use crate::outgoing::OutgoingError;
use crate::protocol::dsn::Dsn;
use crate::store::accounts::Project;
use crate::store::mirrors::{self, ProjectMirror};
use crate::store::scope::Role;
use crate::store::{StoreError, now_ms, project_keys};
use crate::web::error::PageError;
use crate::web::form::{Fields, SessionForm};
use crate::web::format::When;
use crate::web::page::{OrgContext, Page, Toast, see_other};
use crate::web::session::Viewer;
use crate::web::site::Site;
use crate::web::{blocking, setup::sentence};

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot set up a mirror. Ask an admin, manager or owner of the organization.",
);

/// What the form holds.
#[derive(Default)]
struct Form {
    dsn: String,
    percent: String,
    is_active: bool,
}

/// How the copies fare.
struct Progress {
    sent: i64,
    failed: i64,
    dropped: i64,
    last_sent: Option<When>,
    last_error: Option<(String, When)>,
}

/// What a try or a form had to say.
#[derive(Default)]
struct Said {
    mistake: Option<String>,
    tried: Option<(bool, String)>,
}

#[derive(Template)]
#[template(path = "projects/mirror.html")]
struct MirrorPage {
    page: Page,
    org: String,
    project: Project,
    form: Form,
    is_set: bool,
    progress: Option<Progress>,
    said: Said,
}

/// `GET /{org}/projects/{project}/mirror`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    draw(
        &site,
        &request,
        &viewer,
        path.into_inner(),
        None,
        Said::default(),
    )
    .await
}

async fn draw(
    site: &Site,
    request: &HttpRequest,
    viewer: &Viewer,
    (organization, name): (String, String),
    form: Option<Form>,
    said: Said,
) -> Result<HttpResponse, PageError> {
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, project, mirror) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = context.scope.project(conn, &name)?;
            let mirror = mirrors::of_project(conn, &project)?;
            Ok((context, project, mirror))
        })
        .await?;
    if context.scope.role() < Role::Admin {
        return Err(NOT_ALLOWED);
    }
    let page = Page::new(format!("Mirror of {}", project.name), viewer, request).within(
        &context,
        "projects",
        Some(&project.slug),
    );
    let template = MirrorPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        project,
        form: form.unwrap_or_else(|| stored_form(mirror.as_ref())),
        is_set: mirror.is_some(),
        progress: mirror.map(|mirror| progress(mirror, now)),
        said,
    };
    page.answer(&template)
}

fn stored_form(mirror: Option<&ProjectMirror>) -> Form {
    match mirror {
        Some(mirror) => Form {
            dsn: mirror.dsn.clone(),
            percent: mirror.percent.to_string(),
            is_active: mirror.is_active,
        },
        None => Form {
            percent: "100".to_owned(),
            is_active: true,
            ..Form::default()
        },
    }
}

fn progress(mirror: ProjectMirror, now: i64) -> Progress {
    let ProjectMirror {
        sent,
        failed,
        dropped,
        last_sent_at,
        last_error,
        last_error_at,
        ..
    } = mirror;
    Progress {
        sent,
        failed,
        dropped,
        last_sent: last_sent_at.map(|at| When::ago(at, now)),
        last_error: last_error
            .zip(last_error_at)
            .map(|(error, at)| (error, When::ago(at, now))),
    }
}

/// `POST /{org}/projects/{project}/mirror`: saves what the form says, or tries the DSN out.
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let place = path.into_inner();
    let user_id = form.viewer.user().id;
    let fields = &form.fields;
    let typed = || Form {
        dsn: fields.get("dsn").trim().to_owned(),
        percent: fields.get("percent").trim().to_owned(),
        is_active: fields.get("active") == "on",
    };
    let (organization, name) = place.clone();
    let allowed = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now_ms())?;
            let project = context.scope.project(conn, &name)?;
            let keys = project_keys::list(conn, project.id)?;
            Ok((context, project, keys))
        })
        .await?;
    let (context, project, keys) = allowed;
    if context.scope.role() < Role::Admin {
        return Err(NOT_ALLOWED);
    }
    let own_keys: Vec<String> = keys.into_iter().map(|key| key.public_key).collect();
    let checked = match checked(fields, &site.base_url, &project, &own_keys) {
        Ok(checked) => checked,
        Err(mistake) => {
            let said = Said {
                mistake: Some(sentence(&mistake)),
                tried: None,
            };
            return draw(&site, &request, &form.viewer, place, Some(typed()), said).await;
        }
    };
    let (dsn, percent) = checked;
    if fields.get("do") == "test" {
        let client = site.outgoing.clone();
        let answer = blocking::run(move || mirror::try_out(&client, &dsn)).await?;
        let said = Said {
            mistake: None,
            tried: Some(told(answer)),
        };
        return draw(&site, &request, &form.viewer, place, Some(typed()), said).await;
    }
    let is_active = typed().is_active;
    let (organization, name) = place;
    let back = format!("/{}/projects/{}/mirror", context.slug(), project.slug);
    site.store
        .write(move |conn| {
            // Again, within the transaction that changes something.
            let scope = crate::store::scope::authorize(conn, user_id, &organization)?;
            if scope.role() < Role::Admin {
                return Err(StoreError::NotFound);
            }
            let project = scope.project(conn, &name)?;
            mirrors::set(conn, &project, &dsn.to_string(), percent, is_active)
        })
        .await?;
    let mut response = see_other(&back);
    if let Err(error) = response.add_cookie(&Toast::cookie(&site, "mirror", &[])) {
        tracing::warn!(%error, "cannot set the toast's cookie");
    }
    Ok(response)
}

/// The DSN and the share, or what is wrong with them.
fn checked(
    fields: &Fields,
    base_url: &str,
    project: &Project,
    own_keys: &[String],
) -> Result<(Dsn, i32), String> {
    let dsn: Dsn = fields
        .get("dsn")
        .parse()
        .map_err(|error: crate::protocol::dsn::InvalidDsn| error.to_string())?;
    let percent = fields
        .get("percent")
        .trim()
        .parse::<i32>()
        .ok()
        .filter(|percent| (0..=100).contains(percent))
        .ok_or("the share is a whole number from 0 to 100")?;
    mirror::refuse_itself(&dsn, base_url, project.id, own_keys)?;
    Ok((dsn, percent))
}

/// A status and no more: what stands behind an address is not for everybody who may type one in.
fn told(answer: Result<u16, OutgoingError>) -> (bool, String) {
    match answer {
        Ok(status @ 200..300) => (
            true,
            format!("The other tracker answered {status}: address and key are good."),
        ),
        Ok(status @ (401 | 403)) => (
            false,
            format!("The other tracker answered {status}: it does not know the key."),
        ),
        Ok(status) => (false, format!("The other tracker answered {status}.")),
        Err(error @ (OutgoingError::NotAllowed { .. } | OutgoingError::Scheme)) => {
            (false, sentence(&error.to_string()))
        }
        Err(OutgoingError::TooSlow) => (
            false,
            "The other tracker did not answer in time.".to_owned(),
        ),
        Err(_) => (false, "The other tracker cannot be reached.".to_owned()),
    }
}
