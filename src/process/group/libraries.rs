//! Code that is not the application's: standard libraries, frameworks and packages, each platform by its own marks.
//! In: one frame. Out: whether it belongs to a library, whatever the SDK says.

use crate::process::event::Frame;

use super::family::Family;
use super::path::{full_path, segments};
use super::sdk::is_sdk;

pub(super) mod beam;
mod dart;
mod dotnet;
mod go;
pub(super) mod jvm;
pub(super) mod native;
mod php;
mod python;
mod ruby;
mod script;

pub(super) fn is_library(frame: &Frame<'_>, family: Family) -> bool {
    let by_marks = match family {
        Family::Script => script::is_library(frame),
        Family::Jvm => jvm::is_library(frame),
        Family::Python => python::is_library(frame),
        Family::Php => php::is_library(frame),
        Family::Ruby => ruby::is_library(frame),
        Family::Go => go::is_library(frame),
        Family::Dotnet => dotnet::is_library(frame),
        Family::Dart => dart::is_library(frame),
        Family::Beam => beam::is_library(frame),
        Family::Native => native::is_library(frame),
        Family::Other => full_path(frame).is_some_and(is_package_path),
    };
    by_marks || (family != Family::Script && is_sdk(frame, family))
}

/// Folders of package managers, for platforms without rules of their own.
fn is_package_path(path: &str) -> bool {
    segments(path).any(|segment| {
        matches!(
            segment,
            "node_modules" | "site-packages" | "dist-packages" | ".pub-cache" | "luarocks"
        )
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::borrow::Cow;

    pub(in super::super) fn module(text: &str) -> Frame<'_> {
        Frame {
            module: Some(Cow::Borrowed(text)),
            ..Frame::default()
        }
    }

    pub(in super::super) fn function(text: &str) -> Frame<'_> {
        Frame {
            function: Some(Cow::Borrowed(text)),
            ..Frame::default()
        }
    }

    pub(in super::super) fn package(text: &str) -> Frame<'_> {
        Frame {
            package: Some(Cow::Borrowed(text)),
            ..Frame::default()
        }
    }

    pub(in super::super) fn path(text: &str) -> Frame<'_> {
        Frame {
            abs_path: Some(Cow::Borrowed(text)),
            filename: Some(Cow::Borrowed(text)),
            ..Frame::default()
        }
    }

    pub(in super::super) fn assert_libraries<'a>(
        platform: &str,
        frame: fn(&'a str) -> Frame<'a>,
        libraries: &[&'a str],
        own: &[&'a str],
    ) {
        for (texts, expected) in [(libraries, true), (own, false)] {
            for text in texts {
                let frame = frame(text);
                let family = Family::of(&frame, platform);
                assert_eq!(is_library(&frame, family), expected, "{platform}: {text}");
            }
        }
    }

    #[test]
    fn platforms_without_rules_know_folders_of_packages() {
        assert_libraries(
            "other",
            path,
            &["/srv/node_modules/a.lua", "/x/site-packages/a.r"],
            &["/srv/vendor/a.lua", "/srv/a.lua", ""],
        );
    }
}
