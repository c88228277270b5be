//! Uploads by hand. In: a form with scripts and source maps, or with an artifact bundle. Out: what an upload of a build tool is, in
//! work; or the page again with what is wrong beside the form.
//!
//! Nothing is held in memory but the piece that is being written: files go to scratch files as they arrive.

mod pack;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use tokio::sync::Semaphore;

use super::source_maps::{self, Said};
use crate::app::App;
use crate::blobs::Blobs;
use crate::protocol::artifact_bundle::LARGEST_BUNDLE;
use crate::store::accounts::Project;
use crate::store::scope::{self, OrgScope, Role};
use crate::store::uploads::{self, Progress, Wanted, state};
use crate::store::{StoreError, now_ms};
use crate::tasks::kinds::assemble_bundle::{self, dist_named, release_named};
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::form::{FOREIGN, is_of};
use crate::web::page::see_done;
use crate::web::session::{self, Viewer};
use crate::web::site::Site;

use pack::{Given, PackError, Packed};

pub use pack::Typed;

/// Files of one form; more are the work of a build tool.
const MOST_FILES: usize = 500;
const LONGEST_NAME: usize = 1_000;
const LONGEST_TEXT: usize = 2_000;
/// Bytes that are gathered before they are written.
const PIECE_BYTES: usize = 512 * 1024;
/// A form that does not go on must not keep its place from others for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Uploads at the same time; each may take a gigabyte of scratch space.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// `POST /{org}/projects/{project}/source-maps`
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, PageError> {
    let viewer = session::viewer(&request)
        .await?
        .ok_or_else(|| PageError::SignIn {
            next: "/".to_owned(),
        })?;
    let place = path.into_inner();
    let (organization, name) = place.clone();
    let user_id = viewer.user().id;
    let (scope, project) = site
        .store
        .read(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            if scope.role() < Role::Admin {
                return Err(StoreError::NotFound);
            }
            let project = scope.project(conn, &name)?;
            Ok((scope, project))
        })
        .await?;
    let app = request
        .app_data::<web::Data<Arc<App>>>()
        .map(|app| Arc::clone(app))
        .expect("the server registers the application with the routes");
    let _place = AT_ONCE.acquire().await.map_err(|_| PageError::Blobs)?;
    let mut form = Form::default();
    let read = form.read(&request, body, &viewer, &app.blobs).await?;
    let typed = form.typed.clone();
    let taken = match read {
        Ok(()) => take(&app, scope, project, form).await?,
        Err(problem) => Err(problem),
    };
    match taken {
        Ok(()) => {
            let back = format!("/{}/projects/{}/source-maps", place.0, place.1);
            see_done(&site, &back, "bundle-begun")
        }
        Err(mistake) => {
            let said = Said {
                typed,
                mistake: Some(mistake),
            };
            source_maps::draw(&site, &request, &viewer, place, said).await
        }
    }
}

/// What has arrived of a form.
#[derive(Default)]
struct Form {
    typed: Typed,
    files: Vec<Given>,
    size: u64,
}

impl Form {
    /// Reads the whole form, also where it is of no use, as browsers show no answer before they have sent all. The token comes
    /// first: nothing is written for a form that is not ours.
    async fn read(
        &mut self,
        request: &HttpRequest,
        body: web::Payload,
        viewer: &Viewer,
        blobs: &Blobs,
    ) -> Result<Result<(), String>, PageError> {
        let mut parts = Multipart::new(request.headers(), body);
        let mut is_ours = false;
        let mut outcome = Ok(());
        while let Some(part) = next(&mut parts).await? {
            let mut part = part.map_err(|_| unreadable())?;
            let name = part.name().unwrap_or_default().to_owned();
            if !is_ours {
                let token = text(&mut part).await?;
                if name != "csrf" || !is_of(viewer, &token) {
                    return Err(FOREIGN);
                }
                is_ours = true;
                continue;
            }
            match name.as_str() {
                "release" => self.typed.release = text(&mut part).await?,
                "dist" => self.typed.dist = text(&mut part).await?,
                "prefix" => self.typed.prefix = text(&mut part).await?,
                "files" if outcome.is_ok() => outcome = self.file(&mut part, blobs).await?,
                _ => self.pass(&mut part).await?,
            }
        }
        if is_ours { Ok(outcome) } else { Err(FOREIGN) }
    }

    /// Writes a file to the disk as it comes.
    async fn file(
        &mut self,
        part: &mut Field,
        blobs: &Blobs,
    ) -> Result<Result<(), String>, PageError> {
        let named = part.content_disposition();
        let named = named.and_then(|disposition| disposition.get_filename());
        let name = named.unwrap_or_default().replace('\\', "/");
        let name = name.trim_start_matches("./").trim_start_matches('/');
        let name = name.to_owned();
        if name.is_empty() {
            // A field in which nothing was chosen.
            self.pass(part).await?;
            return Ok(Ok(()));
        }
        let problem = if self.files.len() == MOST_FILES {
            Some(format!(
                "More than {MOST_FILES} files: use sentry-cli for these."
            ))
        } else if name.len() > LONGEST_NAME || name.contains(char::is_control) {
            Some("The name of a file is too long, or has a control character.".to_owned())
        } else {
            None
        };
        if let Some(problem) = problem {
            self.pass(part).await?;
            return Ok(Err(problem));
        }
        let mut file = blobs.scratch_file().map_err(|error| full(&error))?;
        let (mut size, mut piece) = (0, Vec::new());
        while let Some(bytes) = next(part).await? {
            let bytes = bytes.map_err(|_| unreadable())?;
            self.size += bytes.len() as u64;
            size += bytes.len() as u64;
            if self.size > LARGEST_BUNDLE {
                self.pass(part).await?;
                return Ok(Err(too_large()));
            }
            piece.extend_from_slice(&bytes);
            if piece.len() >= PIECE_BYTES {
                file = write(file, std::mem::take(&mut piece)).await?;
            }
        }
        let file = write(file, piece).await?;
        self.files.push(Given { name, file, size });
        Ok(Ok(()))
    }

    /// Reads over a part that is not wanted, as long as it is of a bearable size.
    async fn pass(&mut self, part: &mut Field) -> Result<(), PageError> {
        while let Some(bytes) = next(part).await? {
            self.size += bytes.map_err(|_| unreadable())?.len() as u64;
            if self.size > 2 * LARGEST_BUNDLE {
                return Err(PageError::BadRequest(too_large()));
            }
        }
        Ok(())
    }
}

fn too_large() -> String {
    let megabytes = LARGEST_BUNDLE / (1024 * 1024);
    format!("The files are larger than {megabytes} MiB together.")
}

fn unreadable() -> PageError {
    PageError::BadRequest("the form could not be read".to_owned())
}

fn full(error: &std::io::Error) -> PageError {
    tracing::warn!(%error, "an upload could not be written to a scratch file");
    PageError::Blobs
}

/// What comes next, if it comes in time.
async fn next<S: futures_util::Stream + Unpin>(
    stream: &mut S,
) -> Result<Option<S::Item>, PageError> {
    tokio::time::timeout(PATIENCE, stream.next())
        .await
        .map_err(|_| PageError::BadRequest("the form did not arrive in time".to_owned()))
}

/// The value of a field, without space around it.
async fn text(part: &mut Field) -> Result<String, PageError> {
    let mut bytes = Vec::new();
    while let Some(piece) = next(part).await? {
        bytes.extend_from_slice(&piece.map_err(|_| unreadable())?);
        if bytes.len() > LONGEST_TEXT {
            return Err(PageError::BadRequest(
                "a text of the form is too long".to_owned(),
            ));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    Ok(text.trim().to_owned())
}

async fn write(mut file: std::fs::File, piece: Vec<u8>) -> Result<std::fs::File, PageError> {
    let written = blocking::run(move || file.write_all(&piece).map(|()| file)).await?;
    written.map_err(|error| full(&error))
}

/// Gives the files to the task that takes uploads apart.
async fn take(
    app: &App,
    scope: OrgScope,
    project: Project,
    form: Form,
) -> Result<Result<(), String>, PageError> {
    let Form { typed, files, .. } = form;
    let version = match release_named(Some(&typed.release)) {
        Ok(version) => version,
        Err(problem) => return Ok(Err(problem)),
    };
    let dist = match dist_named(Some(&typed.dist)) {
        Ok(dist) => dist,
        Err(problem) => return Ok(Err(problem)),
    };
    let blobs = app.blobs.clone();
    let packed = blocking::run(move || pack::pack(&blobs, files, &typed)).await?;
    let Packed { checksum, chunks } = match packed {
        Ok(packed) => packed,
        Err(PackError::Refused(problem)) => return Ok(Err(problem)),
        Err(error) => {
            tracing::warn!(%error, "an upload was not kept");
            return Err(PageError::Blobs);
        }
    };
    let wanted = Wanted {
        checksum,
        chunks: chunks.iter().map(|chunk| chunk.checksum.clone()).collect(),
        projects: vec![project],
        version,
        dist,
    };
    let kept = chunks.clone();
    let begun = app
        .store
        .write(move |conn| {
            let unused = uploads::keep_chunks(conn, &scope, &kept, now_ms())?;
            Ok((unused, assemble_bundle::assemble(conn, &scope, &wanted)?))
        })
        .await;
    let (unused, progress) = match begun {
        Ok((unused, progress)) => {
            let is_unused = |chunk: &uploads::Chunk| unused.contains(&chunk.blob_key);
            let unused: Vec<_> = chunks.into_iter().filter(is_unused).collect();
            (unused, Ok(progress))
        }
        Err(error) => (chunks, Err(error)),
    };
    let blobs = app.blobs.clone();
    blocking::run(move || pack::discard(&blobs, &unused)).await?;
    Ok(match progress? {
        Progress::Begun(_) => {
            app.tasks_wake.notify_one();
            Ok(())
        }
        Progress::Known { state, detail } if state == state::ERROR => {
            Err(detail.unwrap_or_else(|| "The same files failed a moment ago.".to_owned()))
        }
        Progress::Known { .. } => Ok(()),
        Progress::Missing(_) => Err("A part of the upload was lost; try again.".to_owned()),
    })
}
