//! The source maps of an upload. In: its files, stored. Out: each script with its map compiled, or why there is none.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::compile::compile;
use crate::app::App;
use crate::blobs::{BlobError, key_of};
use crate::protocol::debug_id;
use crate::store::artifacts::ArtifactKind;
use crate::store::uploads::{MissingMap, NewFile};
use crate::tasks::child::ChildError;

/// The machine's fault: another try may do it.
#[derive(Debug, thiserror::Error)]
pub enum CannotCompile {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Compile(#[from] ChildError),
}

/// Where the map of a script is.
enum Place {
    /// A file of the same upload.
    File(usize),
    /// In the script itself.
    Inline(Vec<u8>),
    /// It may come in another upload, or have come already.
    Elsewhere(MissingMap),
    None(String),
}

/// Compiles the map of every script, and every map that has a debug id and no script. The keys of what comes of it are made out of
/// `upload`, so that another try writes over what this one left.
pub fn compile_all(app: &App, upload: &str, files: &mut [NewFile]) -> Result<(), CannotCompile> {
    let maps = Maps::of(files);
    for at in 0..files.len() {
        let script;
        let place = if files[at].kind == ArtifactKind::MinifiedSource.number() {
            script = app.blobs.get(&files[at].blob_key)?;
            place_of(&files[at], &maps, &script)
        } else if maps.is_lonely(files, at) {
            script = Vec::new();
            Place::File(at)
        } else {
            continue;
        };
        let map = match place {
            Place::File(map) => app.blobs.get(&files[map].blob_key)?,
            Place::Inline(map) => map,
            Place::Elsewhere(map) => {
                files[at].problem = Some(missing(&map));
                files[at].missing_map = Some(map);
                continue;
            }
            Place::None(problem) => {
                files[at].problem = Some(problem);
                continue;
            }
        };
        let digest = Sha1::digest(format!("{upload} compiled {at}"));
        match compiled(app, key_of("compiled", &digest), script, map)? {
            Ok(key) => files[at].compiled_key = Some(key),
            Err(problem) => {
                tracing::info!(url = files[at].url, problem, "a source map is of no use");
                files[at].problem = Some(problem);
            }
        }
    }
    Ok(())
}

/// Compiles one map and keeps it under a key; or says why it is of no use.
pub fn compiled(
    app: &App,
    key: String,
    script: Vec<u8>,
    map: Vec<u8>,
) -> Result<Result<String, String>, CannotCompile> {
    match compile(|| app.blobs.scratch_file(), script, map) {
        Ok(compiled) => {
            app.blobs.put(&key, compiled)?;
            Ok(Ok(key))
        }
        Err(ChildError::Useless(problem)) => Ok(Err(problem)),
        Err(error) => Err(error.into()),
    }
}

fn missing(map: &MissingMap) -> String {
    match map {
        MissingMap::At(url) => {
            let shown: String = url.chars().take(200).collect();
            format!("the source map {shown} was not uploaded")
        }
        MissingMap::WithItsId => "no source map with its debug id was uploaded".to_owned(),
    }
}

/// Where the maps of an upload are found, so that not all files are looked through for each.
#[derive(Default)]
struct Maps {
    by_id: HashMap<String, usize>,
    by_url: HashMap<String, usize>,
    /// Ids that a script has.
    of_scripts: HashSet<String>,
}

impl Maps {
    fn of(files: &[NewFile]) -> Self {
        let mut maps = Self::default();
        for (at, file) in files.iter().enumerate() {
            let id = id_of(file);
            if file.kind == ArtifactKind::SourceMap.number() {
                maps.by_url.entry(file.url.clone()).or_insert(at);
                if let Some(id) = id {
                    maps.by_id.entry(id).or_insert(at);
                }
            } else if file.kind == ArtifactKind::MinifiedSource.number() {
                maps.of_scripts.extend(id);
            }
        }
        maps
    }

    /// A map that events can ask for by its debug id, without the script.
    fn is_lonely(&self, files: &[NewFile], at: usize) -> bool {
        files[at].kind == ArtifactKind::SourceMap.number()
            && id_of(&files[at]).is_some_and(|id| !self.of_scripts.contains(&id))
    }
}

fn id_of(file: &NewFile) -> Option<String> {
    debug_id::canonical(file.debug_id.as_deref()?)
}

/// By the debug id; else by what the script's header, or the script itself, refers to.
fn place_of(file: &NewFile, maps: &Maps, script: &[u8]) -> Place {
    if let Some(map) = id_of(file).and_then(|id| maps.by_id.get(&id)) {
        return Place::File(*map);
    }
    let reference = match &file.source_map {
        Some(reference) => reference.clone(),
        None => match reference_in(script) {
            Some(reference) => reference,
            None if id_of(file).is_some() => return Place::Elsewhere(MissingMap::WithItsId),
            None => return Place::None("the script names no source map".to_owned()),
        },
    };
    if let Some(decoded) = inline(&reference) {
        return decoded.map_or_else(|problem| Place::None(problem.to_owned()), Place::Inline);
    }
    let wanted = joined(&file.url, &reference);
    let by_url = |url: &String| maps.by_url.get(url).copied();
    let found = by_url(&wanted).or_else(|| by_url(&reference));
    found.map_or_else(|| Place::Elsewhere(MissingMap::At(wanted)), Place::File)
}

/// The map in a `data:` reference, or why it cannot be read; nothing where the reference is another.
pub(super) fn inline(reference: &str) -> Option<Result<Vec<u8>, &'static str>> {
    let data = reference.strip_prefix("data:")?;
    let decoded = data
        .split_once("base64,")
        .and_then(|(_, text)| STANDARD.decode(text.trim()).ok());
    Some(decoded.ok_or("the source map inside the script cannot be read"))
}

/// What the last `sourceMappingURL` of a script says.
pub(super) fn reference_in(script: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"sourceMappingURL=";
    let at = memchr::memmem::rfind(script, MARK)?;
    let rest = &script[at + MARK.len()..];
    let end = rest
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(rest.len());
    let text = std::str::from_utf8(&rest[..end]).ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// An address relative to another: `app.js.map` at `~/js/app.js` is `~/js/app.js.map`.
fn joined(base: &str, reference: &str) -> String {
    // `~` stands for any scheme and host, which only a real address can be joined with.
    const ANYWHERE: &str = "http://anywhere.invalid";
    let from_tilde = base
        .strip_prefix('~')
        .map(|path| format!("{ANYWHERE}{path}"));
    let absolute = from_tilde.as_deref().unwrap_or(base);
    let Some(joined) = url::Url::parse(absolute)
        .ok()
        .and_then(|base| base.join(reference).ok())
    else {
        return reference.to_owned();
    };
    let joined = joined.to_string();
    match joined.strip_prefix(ANYWHERE) {
        Some(path) => format!("~{path}"),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_beside_the_script() {
        for (base, reference, expected) in [
            ("~/js/app.js", "app.js.map", "~/js/app.js.map"),
            ("~/js/app.js", "../maps/app.js.map", "~/maps/app.js.map"),
            ("~/js/app.js", "/m/app.js.map", "~/m/app.js.map"),
            (
                "https://a.example/js/app.js",
                "app.js.map",
                "https://a.example/js/app.js.map",
            ),
            (
                "~/js/app.js",
                "https://cdn.example/app.js.map",
                "https://cdn.example/app.js.map",
            ),
            ("app.js", "app.js.map", "app.js.map"),
        ] {
            assert_eq!(joined(base, reference), expected);
        }
    }

    #[test]
    fn the_last_reference_of_a_script_counts() {
        let script =
            b"a;\n//# sourceMappingURL=old.map\nb;\n//# sourceMappingURL=new.map\n//# debugId=1\n";
        assert_eq!(reference_in(script).as_deref(), Some("new.map"));
        assert_eq!(reference_in(b"nothing"), None);
        assert_eq!(reference_in(b"//# sourceMappingURL="), None);
    }
}
