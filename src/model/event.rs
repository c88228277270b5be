//! The closed vocabularies of an event: how bad it is and what it is about.
//! In: the words and numbers that SDKs write. Out: one of a few values with a stable text and number.

/// How bad an event is. The order is that of severity; the numbers are those of Python's `logging`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum Level {
    Debug = 10,
    Info = 20,
    Warning = 30,
    Error = 40,
    Fatal = 50,
}

impl Level {
    pub const ALL: [Self; 5] = [
        Self::Debug,
        Self::Info,
        Self::Warning,
        Self::Error,
        Self::Fatal,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    pub const fn as_i32(self) -> i32 {
        self as i32
    }

    /// The level of a stored number.
    pub fn from_i32(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_i32() == number)
    }

    /// Reads what SDKs call it: any case, `log` and `critical` included.
    pub fn from_text(text: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 8] = [
            ("error", Level::Error),
            ("warning", Level::Warning),
            ("info", Level::Info),
            ("fatal", Level::Fatal),
            ("debug", Level::Debug),
            ("log", Level::Info),
            ("critical", Level::Fatal),
            ("warn", Level::Warning),
        ];
        WORDS
            .into_iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
            .map(|(_, level)| level)
    }
}

/// What an event is about, which decides where its title comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// At least one exception is left.
    Error,
    /// A message, or nothing to tell.
    Default,
    /// What a browser reports by itself.
    Report(ReportKind),
}

impl EventKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Default => "default",
            Self::Report(kind) => kind.as_str(),
        }
    }

    /// The category of the rate-limit header under which Usage counts it.
    pub const fn category(self) -> &'static str {
        match self {
            Self::Error | Self::Default => "error",
            Self::Report(_) => "security",
        }
    }
}

/// The security reports of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// Something was blocked by the content security policy.
    Csp,
    /// A certificate did not fit the pinned keys.
    Hpkp,
    /// A staple (OCSP) was missing or bad.
    ExpectStaple,
    /// A certificate was not logged for all to see (Certificate Transparency).
    ExpectCt,
}

impl ReportKind {
    /// The first that an event carries is what it is about.
    pub const ALL: [Self; 4] = [Self::Csp, Self::Hpkp, Self::ExpectStaple, Self::ExpectCt];

    /// The type of the event, and the attribute that holds the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csp => "csp",
            Self::Hpkp => "hpkp",
            Self::ExpectStaple => "expectstaple",
            Self::ExpectCt => "expectct",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csp => "Content Security Policy",
            Self::Hpkp => "Public Key Pinning",
            Self::ExpectStaple => "Expect-Staple",
            Self::ExpectCt => "Expect-CT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_aliases_and_an_order() {
        for (text, level) in [
            ("debug", Level::Debug),
            ("INFO", Level::Info),
            ("log", Level::Info),
            ("warn", Level::Warning),
            ("Critical", Level::Fatal),
        ] {
            assert_eq!(Level::from_text(text), Some(level), "{text}");
        }
        assert_eq!(Level::from_text("verbose"), None);
        assert!(Level::Fatal > Level::Error);
        for level in Level::ALL {
            assert_eq!(Level::from_i32(level.as_i32()), Some(level));
            assert_eq!(Level::from_text(level.as_str()), Some(level));
        }
    }
}
