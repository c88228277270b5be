//! Pages about the instance, for superusers. In: the state of this node and of the database. Out: what runs, what waits,
//! whether every record is accounted for, and the dead letters. For everybody else there is nothing here.

mod dead_letters;
mod letter;
mod storage;
mod system;

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::{ServiceConfig, get, post};
use actix_web::{FromRequest, HttpRequest};

use super::error::PageError;
use super::form::{Fields, SessionForm};
use super::page::see_other;
use super::session::Viewer;

/// All addresses below `/admin`, a name that no organization can have.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/admin", get().to(async || see_other("/admin/")))
        .route("/admin/", get().to(system::show))
        .route(
            "/admin/dead-letters",
            get().to(async || see_other("/admin/dead-letters/")),
        )
        .route("/admin/dead-letters/", get().to(dead_letters::show))
        .route("/admin/dead-letters/all", get().to(dead_letters::confirm))
        .route("/admin/dead-letters/all", post().to(dead_letters::all))
        .route(
            "/admin/dead-letters/chosen",
            post().to(dead_letters::chosen),
        )
        .route("/admin/dead-letters/{letter}/", get().to(letter::show))
        .route("/admin/dead-letters/{letter}/raw", post().to(letter::raw))
        .route(
            "/admin/storage",
            get().to(async || see_other("/admin/storage/")),
        )
        .route("/admin/storage/", get().to(storage::show));
}

/// Somebody who is signed in and a superuser; for others the page does not exist.
pub struct Superuser(pub Viewer);

/// A form of a superuser.
pub struct SuperuserForm {
    pub viewer: Viewer,
    pub fields: Fields,
}

fn check(viewer: Viewer) -> Result<Viewer, PageError> {
    if viewer.user().is_superuser {
        Ok(viewer)
    } else {
        Err(PageError::NotFound)
    }
}

impl FromRequest for Superuser {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let viewer = Viewer::from_request(request, payload);
        Box::pin(async move { check(viewer.await?).map(Self) })
    }
}

impl FromRequest for SuperuserForm {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = SessionForm::from_request(request, payload);
        Box::pin(async move {
            let SessionForm { viewer, fields } = form.await?;
            Ok(Self {
                viewer: check(viewer)?,
                fields,
            })
        })
    }
}
