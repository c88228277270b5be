//! The source maps of an upload. In: its files, stored. Out: each script with its map compiled, or why there is none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::compile::{CompileError, compile};
use crate::app::App;
use crate::blobs::{BlobError, key_of};
use crate::store::artifacts::{ArtifactKind, canonical_debug_id};
use crate::store::uploads::NewFile;

/// The machine's fault: another try may do it.
#[derive(Debug, thiserror::Error)]
pub enum CannotCompile {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Where the map of a script is.
enum Place {
    /// A file of the same upload.
    File(usize),
    /// In the script itself.
    Inline(Vec<u8>),
    None(String),
}

/// Compiles the map of every script, and every map that has a debug id and no script.
pub fn compile_all(app: &App, bundle_id: i64, files: &mut [NewFile]) -> Result<(), CannotCompile> {
    for at in 0..files.len() {
        let script;
        let place = if files[at].kind == ArtifactKind::MinifiedSource.number() {
            script = app.blobs.get(&files[at].blob_key)?;
            place_of(files, at, &script)
        } else if is_lonely_map(files, at) {
            script = Vec::new();
            Place::File(at)
        } else {
            continue;
        };
        let map = match place {
            Place::File(map) => app.blobs.get(&files[map].blob_key)?,
            Place::Inline(map) => map,
            Place::None(problem) => {
                files[at].problem = Some(problem);
                continue;
            }
        };
        match compile(|| app.blobs.scratch_file(), script, map) {
            Ok(compiled) => {
                let digest = Sha1::digest(format!("bundle {bundle_id} compiled {at}"));
                let key = key_of("compiled", &digest);
                app.blobs.put(&key, compiled)?;
                files[at].compiled_key = Some(key);
            }
            Err(CompileError::Useless(problem)) => {
                tracing::info!(url = files[at].url, problem, "a source map is of no use");
                files[at].problem = Some(problem);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn debug_id(file: &NewFile) -> Option<String> {
    canonical_debug_id(file.debug_id.as_deref()?)
}

fn is_map(file: &NewFile) -> bool {
    file.kind == ArtifactKind::SourceMap.number()
}

/// A map that events can ask for by its debug id, without the script.
fn is_lonely_map(files: &[NewFile], at: usize) -> bool {
    let id = debug_id(&files[at]);
    let script = ArtifactKind::MinifiedSource.number();
    is_map(&files[at])
        && id.is_some()
        && !files
            .iter()
            .any(|file| file.kind == script && debug_id(file) == id)
}

/// By the debug id; else by what the script's header, or the script itself, refers to.
fn place_of(files: &[NewFile], at: usize, script: &[u8]) -> Place {
    let file = &files[at];
    if let Some(id) = debug_id(file) {
        let same = |other: &NewFile| is_map(other) && debug_id(other).as_ref() == Some(&id);
        if let Some(map) = files.iter().position(same) {
            return Place::File(map);
        }
    }
    let reference = match &file.source_map {
        Some(reference) => reference.clone(),
        None => match reference_in(script) {
            Some(reference) => reference,
            None => return Place::None("the script names no source map".to_owned()),
        },
    };
    if let Some(data) = reference.strip_prefix("data:") {
        let decoded = data
            .split_once("base64,")
            .and_then(|(_, text)| STANDARD.decode(text.trim()).ok());
        return decoded.map_or_else(
            || Place::None("the source map inside the script cannot be read".to_owned()),
            Place::Inline,
        );
    }
    let wanted = joined(&file.url, &reference);
    let found = files
        .iter()
        .position(|other| is_map(other) && (other.url == wanted || other.url == reference));
    found.map_or_else(
        || {
            let shown: String = reference.chars().take(200).collect();
            Place::None(format!("the upload lacks the source map {shown}"))
        },
        Place::File,
    )
}

/// What the last `sourceMappingURL` of a script says.
fn reference_in(script: &[u8]) -> Option<String> {
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
