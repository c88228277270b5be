//! Pages about the instance, for superusers. In: the state of the database. Out: what storage is used for. For everybody
//! else there is nothing here.

mod storage;

use actix_web::web::{ServiceConfig, get};

use super::page::see_other;

/// All addresses below `/admin`, a name that no organization can have.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route(
            "/admin/storage",
            get().to(async || see_other("/admin/storage/")),
        )
        .route("/admin/storage/", get().to(storage::show));
}
