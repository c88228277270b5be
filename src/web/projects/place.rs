//! The project that a page about its settings is for. In: the address. Out: the project with its settings and those of its
//! organization; and the changed settings, saved.

use actix_web::HttpResponse;

use crate::process::Settings;
use crate::process::scrub::Rules;
use crate::store::accounts::Project;
use crate::store::organization_settings::{self, OrganizationSettings};
use crate::store::project_settings::{self, ProjectSettings};
use crate::store::scope::{self, Role};
use crate::store::{StoreError, now_ms};
use crate::tasks::project_settings::compiled;
use crate::web::error::PageError;
use crate::web::page::{OrgContext, see_done};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// A project that the viewer may see.
pub struct Place {
    pub context: OrgContext,
    pub project: Project,
    pub settings: ProjectSettings,
    pub organization: OrganizationSettings,
}

impl Place {
    pub async fn find(
        site: &Site,
        viewer: &Viewer,
        (organization, name): (String, String),
    ) -> Result<Self, PageError> {
        let user_id = viewer.user().id;
        let found = site.store.read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now_ms())?;
            let project = context.scope.project(conn, &name)?;
            Ok::<_, StoreError>(Self {
                settings: project_settings::of_project(conn, &project)?,
                organization: organization_settings::of(conn, &context.scope)?,
                context,
                project,
            })
        });
        Ok(found.await?)
    }

    pub fn can_change(&self) -> bool {
        self.context.scope.role() >= Role::Admin
    }

    /// Settings of the project, ready for use as the nodes that digest make them.
    pub fn compiled(&self, settings: &ProjectSettings) -> Settings {
        compiled(settings, &Rules::of(&self.organization.scrubbing()))
    }

    /// Saves what `change` makes of the present settings, and goes back to the page of that name.
    pub async fn save(
        &self,
        site: &Site,
        viewer: &Viewer,
        page: &'static str,
        change: impl Fn(ProjectSettings) -> ProjectSettings + Send + 'static,
    ) -> Result<HttpResponse, PageError> {
        let (organization, name) = (self.context.slug().to_owned(), self.project.slug.clone());
        let back = format!("/{organization}/projects/{name}/{page}");
        let user_id = viewer.user().id;
        site.store
            .write(move |conn| {
                // Again, within the transaction that changes something.
                let scope = scope::authorize(conn, user_id, &organization)?;
                if scope.role() < Role::Admin {
                    return Err(StoreError::NotFound);
                }
                let project = scope.project(conn, &name)?;
                let settings = change(project_settings::of_project(conn, &project)?);
                project_settings::set(conn, &settings, Some(user_id))
            })
            .await?;
        see_done(site, &back, page)
    }
}
