//! Fingerprints that every project has after its own rules, in the language of those.
//! In: events of browsers. Out: one issue for all chunks that did not load, one a transaction for failed hydration.

use std::sync::LazyLock;

use super::facts::Facts;
use super::fingerprint::FingerprintRules;

/// A new deploy removes the chunks of the one before, and each has a name of its own.
const CHUNK_LOAD: [&str; 8] = [
    "error.type:ChunkLoadError",
    r#"message:"ChunkLoadError*""#,
    r#"message:"*Loading chunk * failed*""#,
    r#"message:"*Loading CSS chunk * failed*""#,
    r#"message:"*Failed to fetch dynamically imported module*""#,
    r#"message:"*error loading dynamically imported module*""#,
    r#"message:"*Importing a module script failed*""#,
    r#"message:"*Unable to preload CSS for *""#,
];

/// The page that the server rendered is not what the browser renders. React 18, React 19, and React without its texts.
const HYDRATION: [&str; 7] = [
    r#"message:"*Hydration failed because the {initial UI does not match,server rendered }*""#,
    r#"message:"*There was an error while hydrating*""#,
    r#"message:"*Text content does not match server-rendered HTML*""#,
    r#"message:"*This Suspense boundary received an update before it finished hydrating*""#,
    r#"message:"*The server could not finish this Suspense boundary*""#,
    r#"message:"*Minified React error #{418,419,422,423,425}""#,
    r#"message:"*Minified React error #{418,419,422,423,425}[!0-9]*""#,
];

static RULES: LazyLock<FingerprintRules> = LazyLock::new(|| FingerprintRules::parse(&text()).0);
static IS_CHUNK_LOAD: LazyLock<FingerprintRules> =
    LazyLock::new(|| built_of(&CHUNK_LOAD, "", "-> yes"));
static IS_HYDRATION: LazyLock<FingerprintRules> =
    LazyLock::new(|| built_of(&HYDRATION, "", "-> yes"));

/// The rules as a project could have written them, to show.
pub fn text() -> String {
    let hydration = lines(
        &HYDRATION,
        "tags.transaction:?* ",
        "-> hydrationerror, {{ transaction }}",
    );
    format!("{}{hydration}", lines(&CHUNK_LOAD, "", "-> chunkloaderror"))
}

fn lines(conditions: &[&str], more: &str, fingerprint: &str) -> String {
    let line = |condition: &&str| format!("family:javascript {more}{condition} {fingerprint}\n");
    conditions.iter().map(line).collect()
}

fn built_of(conditions: &[&str], more: &str, fingerprint: &str) -> FingerprintRules {
    FingerprintRules::parse(&lines(conditions, more, fingerprint)).0
}

pub(super) fn rules() -> &'static FingerprintRules {
    &RULES
}

/// Whether a part of the script or its style could not be loaded.
pub(in crate::process) fn is_chunk_load(facts: &Facts<'_>) -> bool {
    IS_CHUNK_LOAD.first(facts).is_some()
}

/// Whether the browser could not take over what the server rendered.
pub(in crate::process) fn is_hydration(facts: &Facts<'_>) -> bool {
    IS_HYDRATION.first(facts).is_some()
}
