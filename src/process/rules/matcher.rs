//! One condition of a rule: `!key:pattern`.
//! In: the key and the pattern as they are written, then facts. Out: whether the condition holds for them.

use std::fmt;

use super::effort::Effort;
use super::facts::{ExceptionFacts, Facts, FrameFacts, State};
use super::glob::{Glob, Mode, Prepared};
use super::scan::Quoted;

/// Which of the two languages a rule is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Fingerprint,
    Stack,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    ErrorType,
    ErrorValue,
    Mechanism,
    Message,
    Logger,
    Level,
    Release,
    Sdk,
    Tag(String),
    ThreadId,
    ThreadName,
    ThreadState,
    Path,
    Module,
    Function,
    Package,
    App,
    Family,
    Category,
}

/// All names but those of tags; the first of each key is the one it is printed with.
const NAMES: [(&str, Key); 25] = [
    ("error.type", Key::ErrorType),
    ("type", Key::ErrorType),
    ("error.value", Key::ErrorValue),
    ("value", Key::ErrorValue),
    ("error.mechanism", Key::Mechanism),
    ("mechanism", Key::Mechanism),
    ("message", Key::Message),
    ("logger", Key::Logger),
    ("level", Key::Level),
    ("release", Key::Release),
    ("sdk", Key::Sdk),
    ("thread.id", Key::ThreadId),
    ("thread.name", Key::ThreadName),
    ("thread.state", Key::ThreadState),
    ("stack.abs_path", Key::Path),
    ("path", Key::Path),
    ("stack.module", Key::Module),
    ("module", Key::Module),
    ("stack.function", Key::Function),
    ("function", Key::Function),
    ("stack.package", Key::Package),
    ("package", Key::Package),
    ("app", Key::App),
    ("family", Key::Family),
    ("category", Key::Category),
];

impl Key {
    pub fn of(name: &str) -> Option<Self> {
        if let Some(tag) = name.strip_prefix("tags.").filter(|tag| !tag.is_empty()) {
            return Some(Self::Tag(tag.to_owned()));
        }
        let named = NAMES.iter().find(|(known, _)| *known == name);
        named.map(|(_, key)| key.clone())
    }

    fn mode(&self) -> Mode {
        match self {
            Self::Path | Self::Package => Mode::Path,
            Self::Message | Self::ErrorValue | Self::Level => Mode::AnyCase,
            _ => Mode::Exact,
        }
    }

    /// What one subject the condition is about. A family is that of the frame where frames are changed, else that of
    /// the event, which may have no frames.
    pub fn scope(&self, language: Language) -> Scope {
        match self {
            Self::ErrorType | Self::ErrorValue | Self::Mechanism => Scope::Exception,
            Self::Message => Scope::Message,
            Self::Family if language == Language::Fingerprint => Scope::Event,
            Self::Path
            | Self::Module
            | Self::Function
            | Self::Package
            | Self::App
            | Self::Family
            | Self::Category => Scope::Frame,
            _ => Scope::Event,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Tag(tag) = self {
            let text = &format!("tags.{tag}");
            let bare = Some("._-");
            return Quoted { text, bare }.fmt(out);
        }
        let named = NAMES.iter().find(|(_, key)| key == self);
        out.write_str(named.map_or("", |(name, _)| name))
    }
}

/// All conditions of a rule with the same scope must hold for the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Event,
    Message,
    Exception,
    Frame,
}

/// Platforms that are much alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Family {
    JavaScript,
    Native,
    Other,
}

impl Family {
    const ALL: [(&str, Self); 3] = [
        ("javascript", Self::JavaScript),
        ("native", Self::Native),
        ("other", Self::Other),
    ];

    pub fn of(platform: &str) -> Self {
        match platform {
            "javascript" | "node" => Self::JavaScript,
            "native" | "cocoa" | "objc" | "swift" | "c" | "rust" => Self::Native,
            _ => Self::Other,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Glob(Glob),
    OneOf(Vec<Glob>),
    InApp(bool),
    Families(Vec<Family>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matcher {
    negated: bool,
    key: Key,
    argument: String,
    pub scope: Scope,
    test: Test,
}

impl Matcher {
    /// Else says what kind of argument the key wants.
    pub fn new(
        negated: bool,
        key: Key,
        argument: String,
        scope: Scope,
    ) -> Result<Self, &'static str> {
        let test = match key {
            Key::App => Test::InApp(yes_or_no(&argument).ok_or("`yes` or `no`")?),
            Key::Family => Test::Families(
                families(&argument).ok_or("`javascript`, `native`, `other` or several of them")?,
            ),
            Key::Sdk => Test::OneOf(sdks(&argument).ok_or(BOUNDS)?),
            _ => Test::Glob(Glob::new(&argument, key.mode()).ok_or(BOUNDS)?),
        };
        Ok(Self {
            negated,
            key,
            argument,
            scope,
            test,
        })
    }

    pub fn holds_for_event(&self, facts: &Facts<'_>, effort: &Effort) -> bool {
        let event = facts.event;
        let text = match &self.key {
            Key::Logger => event.logger.as_deref(),
            Key::Level => Some(event.level.as_str()),
            Key::Release => event.release.as_deref(),
            Key::Sdk => event.sdk.get_str("name"),
            Key::Tag(name) => facts.tag(name),
            Key::ThreadId => facts.thread_id(),
            Key::ThreadName => facts.thread().and_then(|it| it.name.as_deref()),
            Key::ThreadState => facts.thread().and_then(|it| it.state.as_deref()),
            _ => return self.says(self.is_of(facts.family(), effort)),
        };
        let text = text.map(|text| self.key.mode().prepare(text));
        self.says(self.matches(text.as_ref(), effort))
    }

    pub fn holds_for_message(&self, message: &Prepared<'_>, effort: &Effort) -> bool {
        self.says(self.matches(Some(message), effort))
    }

    pub fn holds_for_exception(
        &self,
        exception: Option<&ExceptionFacts<'_>>,
        effort: &Effort,
    ) -> bool {
        let text = exception.and_then(|exception| match &self.key {
            Key::ErrorType => exception.kind.as_ref(),
            Key::ErrorValue => exception.value.as_ref(),
            _ => exception.mechanism.as_ref(),
        });
        self.says(self.matches(text, effort))
    }

    pub fn holds_for_frame(
        &self,
        frame: &FrameFacts<'_>,
        state: State<'_>,
        effort: &Effort,
    ) -> bool {
        let found = match &self.key {
            Key::Function => self.matches(Some(&frame.function), effort),
            Key::Module => self.matches(frame.module.as_ref(), effort),
            Key::Package => self.matches(frame.package(), effort),
            Key::Path => {
                // SDKs do not agree on which of the two is which.
                let found = self.matches(frame.path(), effort);
                if found == Some(false) {
                    self.matches(frame.file(), effort)
                } else {
                    found
                }
            }
            Key::App => effort
                .spend(1)
                .then_some(self.test == Test::InApp(state.in_app)),
            Key::Family => self.is_of(frame.family, effort),
            _ => {
                let category = state.category.map(|name| Mode::Exact.prepare(name));
                self.matches(category.as_ref(), effort)
            }
        };
        self.says(found)
    }

    /// With the effort spent, nothing holds, negated or not.
    fn says(&self, found: Option<bool>) -> bool {
        found.is_some_and(|found| found != self.negated)
    }

    fn matches(&self, text: Option<&Prepared<'_>>, effort: &Effort) -> Option<bool> {
        let found = match (text, &self.test) {
            (Some(text), Test::Glob(glob)) => glob.matches(text, effort),
            (Some(text), Test::OneOf(globs)) => globs.iter().any(|it| it.matches(text, effort)),
            _ => false,
        };
        effort.spend(1).then_some(found)
    }

    fn is_of(&self, family: Family, effort: &Effort) -> Option<bool> {
        let found = matches!(&self.test, Test::Families(families) if families.contains(&family));
        effort.spend(1).then_some(found)
    }
}

const BOUNDS: &str =
    "a pattern of at most 1,024 bytes, 64 alternatives and 2,048 characters in all of them";

fn yes_or_no(argument: &str) -> Option<bool> {
    match argument {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

fn families(argument: &str) -> Option<Vec<Family>> {
    if argument == "all" {
        return Some(Family::ALL.map(|(_, family)| family).to_vec());
    }
    let named = |name: &str| Family::ALL.iter().find(|(known, _)| *known == name.trim());
    let families = argument
        .split(',')
        .map(|name| named(name).map(|(_, family)| *family));
    families.collect()
}

fn sdks(argument: &str) -> Option<Vec<Glob>> {
    if argument.contains('{') {
        return Some(vec![Glob::new(argument, Mode::Exact)?]);
    }
    let names = argument.split(',').map(str::trim);
    let globs = names.map(|name| Glob::new(if name == "all" { "*" } else { name }, Mode::Exact));
    globs.collect()
}

impl fmt::Display for Matcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negated { "!" } else { "" };
        let text = &self.argument;
        let bare = Some("._-*?:/\\@$+<>~=^&%|(){},;'!");
        write!(out, "{sign}{}:{}", self.key, Quoted { text, bare })
    }
}
