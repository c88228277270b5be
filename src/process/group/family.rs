//! Platforms that name files, modules and functions in the same way.
//! In: a frame and the platform of its event. Out: the [`Family`] whose rules hold for it.

use crate::process::event::Frame;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Family {
    /// JavaScript in browsers, on servers and in apps.
    Script,
    Jvm,
    Python,
    Php,
    Ruby,
    Go,
    Dotnet,
    Dart,
    /// Elixir and Erlang.
    Beam,
    /// Compiled to machine code: C, C++, Rust, Swift, Objective-C.
    Native,
    Other,
}

impl Family {
    /// A frame may be of another platform than its event: React Native calls Java.
    pub fn of(frame: &Frame<'_>, platform: &str) -> Self {
        match frame.platform.as_deref().unwrap_or(platform) {
            "javascript" | "node" => Self::Script,
            "java" | "kotlin" | "scala" | "clojure" | "groovy" => Self::Jvm,
            "python" => Self::Python,
            "php" => Self::Php,
            "ruby" => Self::Ruby,
            "go" => Self::Go,
            "csharp" => Self::Dotnet,
            "dart" => Self::Dart,
            "elixir" | "erlang" => Self::Beam,
            "native" | "c" | "rust" | "swift" | "cocoa" | "objc" => Self::Native,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn the_frame_knows_its_platform_better_than_the_event() {
        let frame = |platform: Option<&'static str>| Frame {
            platform: platform.map(Cow::Borrowed),
            ..Frame::default()
        };
        for (own, of_event, expected) in [
            (None, "node", Family::Script),
            (Some("java"), "javascript", Family::Jvm),
            (Some("cocoa"), "javascript", Family::Native),
            (None, "elixir", Family::Beam),
            (None, "other", Family::Other),
            (None, "", Family::Other),
        ] {
            assert_eq!(Family::of(&frame(own), of_event), expected, "{own:?}");
        }
    }
}
