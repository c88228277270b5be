//! Versions in the names of releases. In: a release such as `shop@1.4.2-rc.1+88`. Out: its version, which can be
//! compared with others of the same package; whether a project's releases are named that way at all.

use std::cmp::Ordering;

use semver::{BuildMetadata, Prerelease};

/// How many of the newest releases of a project are looked at.
pub const LOOKED_AT: usize = 10;
const LATEST: usize = 3;
/// Releases with a version among those looked at, where there are that many.
const ENOUGH: usize = 3;

/// The version in the name of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseVersion<'a> {
    package: Option<&'a str>,
    /// Major, minor, patch and the revision that .NET and Windows have.
    numbers: [u64; 4],
    pre: Prerelease,
    build: BuildMetadata,
}

impl<'a> ReleaseVersion<'a> {
    /// Reads `package@version+build`. The package may be missing, and the version has two to four numbers: one alone may
    /// as well be a commit or a date.
    pub fn parse(release: &'a str) -> Option<Self> {
        let (package, version) = match release.rsplit_once('@') {
            Some(("", _)) => return None,
            Some((package, version)) => (Some(package), version),
            None => (None, release),
        };
        let version = version.strip_prefix('v').unwrap_or(version);
        let (version, build) = version.split_once('+').unwrap_or((version, ""));
        let (core, pre) = version.split_once('-').unwrap_or((version, ""));
        let mut numbers = [0; 4];
        let mut found = 0;
        for part in core.split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            *numbers.get_mut(found)? = part.parse().ok()?;
            found += 1;
        }
        if found < 2 {
            return None;
        }
        Some(Self {
            package,
            numbers,
            pre: Prerelease::new(pre).ok()?,
            build: BuildMetadata::new(build).ok()?,
        })
    }

    /// The order of two versions, builds included; none for those of different packages.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        (self.package == other.package).then(|| {
            self.numbers
                .cmp(&other.numbers)
                .then_with(|| self.pre.cmp(&other.pre))
                .then_with(|| self.build.cmp(&other.build))
        })
    }
}

/// Whether a project names its releases by versions: of its last ten at least three do, and of the last three one. With
/// fewer than three releases all do. The newest come first.
pub fn are_versions<'a>(newest_first: impl Iterator<Item = &'a str>) -> bool {
    let parsed: Vec<bool> = newest_first
        .take(LOOKED_AT)
        .map(|release| ReleaseVersion::parse(release).is_some())
        .collect();
    let versions = |releases: &[bool]| releases.iter().filter(|version| **version).count();
    let enough = versions(&parsed) >= ENOUGH.min(parsed.len());
    enough && versions(&parsed[..LATEST.min(parsed.len())]) >= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_a_package() {
        for release in [
            "shop@1.4.2",
            "shop@1.4",
            "1.4.2",
            "v1.4.2",
            "com.example.app@1.0.0-rc.1+88",
            "@scope/web@2.0.0",
            "app@1.2.3.4",
        ] {
            assert!(ReleaseVersion::parse(release).is_some(), "{release}");
        }
        for release in [
            "",
            "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
            "20260131",
            "shop@42",
            "@1.2.3",
            "1.2.3.4.5",
            "1..2",
            "1.x.2",
            "99999999999999999999.1",
            "1.2.3+a b",
        ] {
            assert!(ReleaseVersion::parse(release).is_none(), "{release}");
        }
    }

    #[test]
    fn versions_have_an_order_within_their_package() {
        let rising = [
            "shop@1.4.2-alpha",
            "shop@1.4.2-alpha.2",
            "shop@1.4.2-rc.1",
            "shop@1.4.2",
            "shop@1.4.2+9",
            "shop@1.4.2+10",
            "shop@1.4.2.1",
            "shop@1.4.10",
            "shop@1.10",
            "shop@10.0.0",
        ];
        for (at, release) in rising.iter().enumerate() {
            for (other_at, other) in rising.iter().enumerate() {
                let one = ReleaseVersion::parse(release).expect("a version");
                let two = ReleaseVersion::parse(other).expect("a version");
                assert_eq!(
                    one.order(&two),
                    Some(at.cmp(&other_at)),
                    "{release} and {other}"
                );
            }
        }
        let shop = ReleaseVersion::parse("shop@1.0.0").expect("a version");
        let web = ReleaseVersion::parse("web@2.0.0").expect("a version");
        assert_eq!(shop.order(&web), None);
    }

    #[test]
    fn a_project_names_versions_if_enough_releases_do() {
        let cases: [(&[&str], bool); 8] = [
            (&[], false),
            (&["1.0.0"], true),
            (&["abcdef"], false),
            (&["1.0.1", "abcdef"], false),
            (&["abc", "def", "1.0.2", "1.0.1", "1.0.0"], true),
            (&["abc", "def", "1.0.1", "1.0.0"], false),
            (&["a", "b", "c", "1.0.2", "1.0.1", "1.0.0"], false),
            (
                &[
                    "1.1.0", "a", "b", "c", "d", "e", "f", "g", "h", "i", "1.0.1", "1.0.0",
                ],
                false,
            ),
        ];
        for (releases, expected) in cases {
            assert_eq!(
                are_versions(releases.iter().copied()),
                expected,
                "{releases:?}"
            );
        }
    }
}
