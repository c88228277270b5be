//! A source map made ready for look-ups. In: a minified script and its map. Out: bytes to keep, and from them the original of a position.

use std::sync::Arc;

use symbolic_sourcemapcache::{
    File, ScopeLookupResult, SourceMapCache, SourceMapCacheWriter, SourcePosition,
};

/// Why a map is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    #[error("the script is not UTF-8")]
    ScriptNotText,
    #[error("the source map is not UTF-8")]
    MapNotText,
    #[error("the source map cannot be read: {0}")]
    Unreadable(String),
    #[error("the compiled source map is damaged: {0}")]
    Damaged(String),
}

/// The bytes of a compiled map, with mappings, scopes and sources.
#[derive(Clone)]
pub struct CompiledMap(Arc<Vec<u8>>);

impl std::fmt::Debug for CompiledMap {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "CompiledMap({} bytes)", self.0.len())
    }
}

/// Where a position of the script comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Original {
    /// As the map names it: `../src/basket.ts`, `webpack:///./src/basket.ts`.
    pub source: Option<String>,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// The function around it, if the script or the map tell its name.
    pub scope: Scope,
    /// What the map calls the thing at this place: of a call, the function that is called.
    pub token: Option<String>,
    /// The lines before, the line itself and the lines after, where the map brings the source along.
    pub context: Option<(Vec<String>, String, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    Named(String),
    Anonymous,
    Unknown,
}

impl CompiledMap {
    /// Reads a script and its map. Takes several times their size of memory; hostile ones may take all of it.
    pub fn compile(script: &[u8], map: &[u8]) -> Result<Self, MapError> {
        let script = std::str::from_utf8(script).map_err(|_| MapError::ScriptNotText)?;
        let map = std::str::from_utf8(map).map_err(|_| MapError::MapNotText)?;
        let writer = SourceMapCacheWriter::new(script, map)
            .map_err(|error| MapError::Unreadable(reasons(&error)))?;
        let mut bytes = Vec::new();
        writer
            .serialize(&mut bytes)
            .map_err(|error| MapError::Unreadable(error.to_string()))?;
        Ok(Self(Arc::new(bytes)))
    }

    /// Takes what [`Self::as_bytes`] gave.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, MapError> {
        SourceMapCache::parse(&bytes).map_err(|error| MapError::Damaged(reasons(&error)))?;
        Ok(Self(Arc::new(bytes)))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The original of a position, both counted from 1, with up to `around` lines of source on each side; none where the
    /// map says nothing.
    pub(super) fn original(&self, line: u32, column: u32, around: usize) -> Option<Original> {
        let cache = SourceMapCache::parse(&self.0).ok()?;
        let position = SourcePosition::new(line.checked_sub(1)?, column.saturating_sub(1));
        let found = cache.lookup(position)?;
        let owned = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Original {
            source: owned(found.file_name()),
            line: found.line().saturating_add(1),
            column: found.column().saturating_add(1),
            scope: match found.scope() {
                ScopeLookupResult::NamedScope(name) if !name.is_empty() => {
                    Scope::Named(name.to_owned())
                }
                ScopeLookupResult::NamedScope(_) | ScopeLookupResult::Unknown => Scope::Unknown,
                ScopeLookupResult::AnonymousScope => Scope::Anonymous,
            },
            token: owned(found.name()),
            context: found
                .file()
                .and_then(|file| context(&file, found.line() as usize, around)),
        })
    }
}

/// The lines around a line (from 0) of a source.
fn context(
    file: &File<'_>,
    line: usize,
    around: usize,
) -> Option<(Vec<String>, String, Vec<String>)> {
    let owned = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
    let itself = owned(file.line(line)?);
    let lines =
        |range: std::ops::Range<usize>| range.map_while(|at| file.line(at)).map(owned).collect();
    let before = lines(line.saturating_sub(around)..line);
    let after = lines(line + 1..line + 1 + around);
    Some((before, itself, after))
}

/// An error with what caused it, in one line.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
