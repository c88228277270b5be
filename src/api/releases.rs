//! Releases as issues and events name them. In: a stored release. Out: JSON.

use serde_json::{Value, json};

use super::format;
use crate::store::named::SeenRelease;

/// A release, or null where there is none.
pub fn seen(release: Option<&SeenRelease>) -> Value {
    let Some(release) = release else {
        return Value::Null;
    };
    json!({
        "id": release.id,
        "version": release.version,
        "shortVersion": short_version(&release.version),
        "dateCreated": format::time(release.first_seen),
        "dateReleased": null,
        "firstEvent": format::time(release.first_seen),
        "lastEvent": format::time(release.last_seen),
    })
}

/// `shop@1.2.0` without the package.
fn short_version(version: &str) -> &str {
    match version.split_once('@') {
        Some((package, rest)) if !package.is_empty() && !rest.is_empty() => rest,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_left_out() {
        for (version, short) in [
            ("shop@1.2.0", "1.2.0"),
            ("1.2.0", "1.2.0"),
            ("@1", "@1"),
            ("a@", "a@"),
        ] {
            assert_eq!(short_version(version), short);
        }
    }
}
