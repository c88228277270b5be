//! What a project or an organization wants scrubbed. In: switches, names and expressions. Out: what is wrong with them, what
//! they would take out of a stored event, and the settings in force.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::place::Place;
use super::sample;
use crate::process::scrub::{BuiltIn, Rules, Scrubbing};
use crate::process::scrub_preview::{Taken, preview};
use crate::store::accounts::Project;
use crate::store::organization_settings::{self, OrganizationSettings};
use crate::store::project_settings::ProjectSettings;
use crate::store::scope::{self, Role};
use crate::store::{StoreError, now_ms};
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::form::{Fields, SessionForm};
use crate::web::page::{OrgContext, Page, see_done};
use crate::web::session::Viewer;
use crate::web::site::Site;

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot change what is scrubbed. Ask an admin, manager or owner of the organization.",
);

/// What the typed rules would take out of one event.
struct Previewed {
    event_id: String,
    taken: Vec<Taken>,
}

#[derive(Default)]
struct Said {
    problems: Vec<String>,
    mistake: Option<String>,
    preview: Option<Previewed>,
    event: String,
}

#[derive(Template)]
#[template(path = "projects/scrubbing.html")]
struct ScrubbingPage {
    page: Page,
    org: String,
    org_name: String,
    /// Nothing on the page of the organization.
    project: Option<Project>,
    action: String,
    typed: Scrubbing,
    /// What the organization adds to a project's settings.
    inherited: Scrubbing,
    can_change: bool,
    said: Said,
}

impl ScrubbingPage {
    fn is_off(&self) -> bool {
        self.typed.built_in == BuiltIn::Off
    }

    fn is_always(&self) -> bool {
        let owner = self
            .project
            .as_ref()
            .map_or(&self.typed, |_| &self.inherited);
        owner.built_in == BuiltIn::Always
    }

    fn inherits(&self) -> bool {
        self.project.is_some() && self.inherited != Scrubbing::default()
    }
}

/// `GET /{org}/projects/{project}/scrubbing`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
    query: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let place = Place::find(&site, &viewer, path.into_inner()).await?;
    let typed = place.settings.scrubbing();
    let said = Said {
        event: query.into_inner().event,
        ..Said::default()
    };
    draw(&request, &viewer, place.into(), typed, said)
}

/// Which event to preview.
#[derive(serde::Deserialize)]
pub struct Asked {
    #[serde(default)]
    event: String,
}

/// Whose settings they are.
struct Owner {
    context: OrgContext,
    organization: OrganizationSettings,
    project: Option<Project>,
}

impl From<Place> for Owner {
    fn from(place: Place) -> Self {
        Self {
            context: place.context,
            organization: place.organization,
            project: Some(place.project),
        }
    }
}

impl Owner {
    async fn organization(site: &Site, viewer: &Viewer, name: String) -> Result<Self, PageError> {
        let user_id = viewer.user().id;
        let found = site.store.read(move |conn| {
            let context = OrgContext::load(conn, user_id, &name, now_ms())?;
            Ok::<_, StoreError>(Self {
                organization: organization_settings::of(conn, &context.scope)?,
                context,
                project: None,
            })
        });
        Ok(found.await?)
    }

    fn can_change(&self) -> bool {
        self.context.scope.role() >= Role::Admin
    }

    /// The rules that the typed settings would make.
    fn rules(&self, typed: &Scrubbing) -> Rules {
        match &self.project {
            Some(_) => Rules::of(&self.organization.scrubbing()).and(typed),
            None => Rules::of(typed),
        }
    }
}

fn draw(
    request: &HttpRequest,
    viewer: &Viewer,
    owner: Owner,
    typed: Scrubbing,
    said: Said,
) -> Result<HttpResponse, PageError> {
    let can_change = owner.can_change();
    let inherited = owner.organization.scrubbing();
    let Owner {
        context, project, ..
    } = owner;
    let organization = context.scope.organization();
    let name = project.as_ref().map_or(&organization.name, |one| &one.name);
    let slug = project.as_ref().map(|project| project.slug.as_str());
    let page = Page::new(format!("Scrubbing of {name}"), viewer, request)
        .within(&context, "projects", slug);
    let action = match slug {
        Some(slug) => format!("/{}/projects/{slug}/scrubbing", context.slug()),
        None => format!("/{}/scrubbing", context.slug()),
    };
    let template = ScrubbingPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        org_name: organization.name.clone(),
        project,
        action,
        typed,
        inherited,
        can_change,
        said,
    };
    page.answer(&template)
}

/// `POST /{org}/projects/{project}/scrubbing`: previews or saves what was typed.
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
    let typed = typed(&form.fields);
    let problems = typed.problems();
    if problems.is_empty() && form.fields.get("do") == "save" {
        let text = serde_json::to_string(&typed).unwrap_or_default();
        let change = move |present| ProjectSettings {
            scrubbing: Some(text.clone()),
            ..present
        };
        return place.save(&site, &form.viewer, "scrubbing", change).await;
    }
    let owner = Owner::from(place);
    let said = say(&site, &owner, &typed, problems, &form.fields).await?;
    draw(&request, &form.viewer, owner, typed, said)
}

/// `GET /{org}/scrubbing`
pub async fn show_organization(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let owner = Owner::organization(&site, &viewer, path.into_inner()).await?;
    let typed = owner.organization.scrubbing();
    draw(&request, &viewer, owner, typed, Said::default())
}

/// `POST /{org}/scrubbing`: previews or saves what was typed.
pub async fn submit_organization(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let owner = Owner::organization(&site, &form.viewer, path.into_inner()).await?;
    if !owner.can_change() {
        return Err(NOT_ALLOWED);
    }
    let typed = typed(&form.fields);
    let problems = typed.problems();
    if !problems.is_empty() || form.fields.get("do") != "save" {
        let said = say(&site, &owner, &typed, problems, &form.fields).await?;
        return draw(&request, &form.viewer, owner, typed, said);
    }
    let name = owner.context.slug().to_owned();
    let back = format!("/{name}/scrubbing");
    let user_id = form.viewer.user().id;
    let text = serde_json::to_string(&typed).unwrap_or_default();
    site.store
        .write(move |conn| {
            // Again, within the transaction that changes something.
            let scope = scope::authorize(conn, user_id, &name)?;
            if scope.role() < Role::Admin {
                return Err(StoreError::NotFound);
            }
            organization_settings::set_scrubbing(conn, &scope, &text, user_id)
        })
        .await?;
    see_done(&site, &back, "scrubbing")
}

/// What is wrong with the typed settings, or else what they would do to an event.
async fn say(
    site: &Site,
    owner: &Owner,
    typed: &Scrubbing,
    problems: Vec<String>,
    fields: &Fields,
) -> Result<Said, PageError> {
    let event = fields.get("event").trim().to_owned();
    let mut said = Said {
        problems,
        event,
        ..Said::default()
    };
    if !said.problems.is_empty() {
        return Ok(said);
    }
    let projects = match &owner.project {
        Some(project) => std::slice::from_ref(project),
        None => &owner.context.projects,
    };
    match sample::event(site, &owner.context.scope, projects, &said.event).await? {
        Ok(record) => {
            let event_id = record.id_text();
            let payload = record.payload()?;
            let rules = owner.rules(typed);
            match blocking::run(move || preview(&payload, &rules)).await? {
                Ok(taken) => said.preview = Some(Previewed { event_id, taken }),
                Err(error) => said.mistake = Some(error.to_string()),
            }
        }
        Err(mistake) => said.mistake = Some(mistake),
    }
    Ok(said)
}

fn typed(fields: &Fields) -> Scrubbing {
    let entries = |name: &str| -> Vec<String> {
        let lines = fields.get(name).lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    Scrubbing {
        built_in: match fields.get("built_in") {
            "off" => BuiltIn::Off,
            "always" => BuiltIn::Always,
            _ => BuiltIn::On,
        },
        remove_ips: fields.get("remove_ips") == "on",
        fields: entries("fields"),
        safe_fields: entries("safe_fields"),
        expressions: entries("expressions"),
    }
}
