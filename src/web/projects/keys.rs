//! The keys of a project. In: forms. Out: keys created, renamed, limited, switched off and on, rotated and deleted; a
//! page that comes back once every live node knows.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::limits::{self, LimitFields};
use super::new::nodes_know;
use crate::protocol::dsn::Dsn;
use crate::store::accounts::{Project, ProjectKey};
use crate::store::project_keys::{self, Change, Limits};
use crate::store::scope::Role;
use crate::store::{Conn, StoreError, keys, now_ms, scope};
use crate::web::error::PageError;
use crate::web::form::{Fields, SessionForm};
use crate::web::format::{When, exact, thousands};
use crate::web::page::{OrgContext, Page, see_done};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// A key as pages show it.
pub struct KeyRow {
    pub id: i64,
    pub label: String,
    pub dsn: String,
    pub is_active: bool,
    /// When it ends, if that is planned.
    pub until: Option<String>,
    pub created: When,
    pub limits: LimitFields,
}

impl KeyRow {
    pub fn new(key: ProjectKey, base_url: &str, now: i64) -> Self {
        let ended = key.expires_at.is_some_and(|at| at <= now);
        Self {
            id: key.id,
            dsn: Dsn {
                base_url: base_url.to_owned(),
                public_key: key.public_key,
                project_id: key.project_id,
            }
            .to_string(),
            is_active: key.is_active && !ended,
            until: key.expires_at.filter(|_| !ended).map(exact),
            created: When::ago(key.created_at, now),
            limits: LimitFields::of(Limits {
                minute: key.minute_limit,
                month: key.month_limit,
            }),
            label: key.label,
        }
    }
}

#[derive(Template)]
#[template(path = "projects/keys.html")]
struct KeysPage {
    page: Page,
    org: String,
    project: Project,
    keys: Vec<KeyRow>,
    can_change: bool,
    /// What an empty limit a minute comes to.
    default_minute: String,
}

/// `GET /{org}/projects/{project}/keys/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, name) = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, project, keys) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let project = context.scope.project(conn, &name)?;
            let keys = project_keys::list(conn, project.id)?;
            Ok((context, project, keys))
        })
        .await?;
    let title = format!("Keys of {}", project.name);
    let page =
        Page::new(title, &viewer, &request).within(&context, "projects", Some(&project.slug));
    let template = KeysPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        keys: keys
            .into_iter()
            .map(|key| KeyRow::new(key, &site.base_url, now))
            .collect(),
        can_change: context.scope.role() >= Role::Admin,
        default_minute: match site.key_rate_limit {
            0 => "no limit".to_owned(),
            events => thousands(i64::from(events)),
        },
        project,
    };
    page.answer(&template)
}

/// What a form asks for.
#[derive(Debug, Clone)]
enum Asked {
    Create { label: String },
    Save { label: String, limits: Limits },
    Switch { is_active: bool },
    Rotate { grace_ms: Option<i64> },
    Delete,
}

impl Asked {
    fn read(fields: &Fields) -> Result<Self, PageError> {
        let label = fields.get("label").to_owned();
        match fields.get("action") {
            "create" => Ok(Self::Create { label }),
            "save" => Ok(Self::Save {
                label,
                limits: limits::read(fields)?,
            }),
            "disable" => Ok(Self::Switch { is_active: false }),
            "enable" => Ok(Self::Switch { is_active: true }),
            "rotate" => match (fields.get("grace"), fields.get("grace").parse::<i64>()) {
                ("", _) => Ok(Self::Rotate { grace_ms: None }),
                (_, Ok(hours @ 0..=8760)) => Ok(Self::Rotate {
                    grace_ms: Some(hours * 3_600_000),
                }),
                _ => Err(PageError::BadRequest("this is no time to wait".to_owned())),
            },
            "delete" => Ok(Self::Delete),
            _ => Err(PageError::BadRequest(
                "this cannot be done with a key".to_owned(),
            )),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "key-created",
            Self::Save { .. } => "saved",
            Self::Switch { is_active: false } => "key-disabled",
            Self::Switch { is_active: true } => "key-enabled",
            Self::Rotate { .. } => "key-rotated",
            Self::Delete => "key-deleted",
        }
    }

    /// Does it; `key` is a key's number.
    fn run(&self, conn: &mut Conn, project: &Project, key: Option<&str>) -> Result<(), StoreError> {
        let find =
            |conn: &mut Conn| project_keys::find(conn, project, key.ok_or(StoreError::NotFound)?);
        let change = match self {
            Self::Create { label } => {
                project_keys::create(conn, project, label, Limits::default())?;
                return Ok(());
            }
            Self::Rotate { grace_ms } => {
                let old = find(conn)?;
                project_keys::rotate(conn, project, &old, *grace_ms)?;
                return Ok(());
            }
            Self::Delete => {
                let key = find(conn)?;
                return project_keys::delete(conn, project, &key);
            }
            Self::Save { label, limits } => Change {
                label: Some(label.clone()),
                limits: Some(*limits),
                ..Change::default()
            },
            Self::Switch { is_active } => Change {
                is_active: Some(*is_active),
                ..Change::default()
            },
        };
        let key = find(conn)?;
        project_keys::change(conn, project, &key, &change)?;
        Ok(())
    }
}

/// `POST /{org}/projects/{project}/keys/`
pub async fn create(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, project) = path.into_inner();
    submit(&site, form, organization, project, None).await
}

/// `POST /{org}/projects/{project}/keys/{key}`
pub async fn change(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, project, key) = path.into_inner();
    submit(&site, form, organization, project, Some(key)).await
}

async fn submit(
    site: &Site,
    form: SessionForm,
    organization: String,
    name: String,
    key: Option<String>,
) -> Result<HttpResponse, PageError> {
    let asked = Asked::read(&form.fields)?;
    let (user_id, word) = (form.viewer.user().id, asked.word());
    let changed = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            let project = scope.project(conn, &name)?;
            if scope.role() < Role::Admin {
                return Ok(None);
            }
            asked.run(conn, &project, key.as_deref())?;
            let slug = scope.organization().slug.clone();
            Ok(Some((slug, project.slug, keys::version(conn)?)))
        })
        .await?;
    let (organization, project, version) = changed.ok_or(PageError::Forbidden(
        "Members cannot change keys. Ask an admin, manager or owner of the organization.",
    ))?;
    nodes_know(site, version).await?;
    let page = format!("/{organization}/projects/{project}/keys/");
    see_done(site, &page, word)
}
