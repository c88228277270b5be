//! The event between reading and writing: what all steps of the pipeline work on.
//! In: filled by `normalize`. Out: written by `payload`, attribute for attribute as docs/event-format.md lists them.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::model::event::{Level, ReportKind};
use crate::protocol::json::{Json, Object, Text};

#[derive(Debug)]
pub(super) struct Event<'a> {
    pub timestamp_us: i64,
    pub platform: Text<'a>,
    pub level: Level,
    pub logger: Option<Text<'a>>,
    pub transaction: Option<Text<'a>>,
    /// Only what the SDK (an old one) sent; the derived one is in `title::Headline`.
    pub culprit: Option<Text<'a>>,
    pub server_name: Option<Text<'a>>,
    pub site: Option<Text<'a>>,
    pub release: Option<Text<'a>>,
    pub dist: Option<Text<'a>>,
    pub environment: Option<Text<'a>>,
    pub logentry: Option<LogEntry<'a>>,
    pub exceptions: Vec<Exception<'a>>,
    pub threads: Vec<Thread<'a>>,
    pub stacktrace: Option<Stacktrace<'a>>,
    pub report: Option<Report<'a>>,
    pub user: User<'a>,
    pub request: Request<'a>,
    pub contexts: Object<'a>,
    pub breadcrumbs: Vec<Breadcrumb<'a>>,
    pub tags: Vec<(Text<'a>, Text<'a>)>,
    pub extra: Object<'a>,
    pub modules: Object<'a>,
    pub sdk: Object<'a>,
    pub debug_meta: Object<'a>,
    pub fingerprint: Vec<Text<'a>>,
    /// Ancient clients group by it.
    pub checksum: Option<Text<'a>>,
    pub errors: Vec<Json<'a>>,
    pub meta: Object<'a>,
}

/// What a browser reports by itself.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub kind: ReportKind,
    pub fields: Object<'a>,
}

/// A message: the template, what was put in, and the text to show.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct LogEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Text<'a>>,
    pub formatted: Text<'a>,
    #[serde(skip_serializing_if = "Json::is_null")]
    pub params: Json<'a>,
}

impl LogEntry<'_> {
    /// What groups: the template if there is one.
    pub fn template(&self) -> &str {
        self.message.as_deref().unwrap_or(&self.formatted)
    }
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Exception<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Json::is_null")]
    pub thread_id: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace<'a>>,
}

impl<'a> Exception<'a> {
    pub fn frames(&self) -> &[Frame<'a>] {
        self.stacktrace
            .as_ref()
            .map_or(&[], |stack| stack.frames.as_slice())
    }

    pub fn is_synthetic(&self) -> bool {
        self.mechanism
            .as_ref()
            .is_some_and(|mechanism| mechanism.synthetic == Some(true))
    }
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Mechanism<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_link: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_exception_group: Option<bool>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub meta: Object<'a>,
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Stacktrace<'a> {
    pub frames: Vec<Frame<'a>>,
    /// From and up to which of the original frames were left out of the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_omitted: Option<[i64; 2]>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub registers: Object<'a>,
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Frame<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_function: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineno: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colno: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_context: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_line: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_context: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub vars: Object<'a>,
    /// `None` only until `in_app` has decided.
    pub in_app: Option<bool>,
    /// What the SDK said, where the decision differs from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orig_in_app: Option<SdkFlag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_addr: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_addr: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_addr: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr_mode: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_start: Option<bool>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub lock: Object<'a>,
    /// Marks of symbolication, such as `sourcemap`.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object<'a>,
}

/// Whether the SDK called a frame the application's own. Stored as a number: -1 where it said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SdkFlag {
    Unset,
    Library,
    Own,
}

impl SdkFlag {
    pub const fn of(flag: Option<bool>) -> Self {
        match flag {
            None => Self::Unset,
            Some(false) => Self::Library,
            Some(true) => Self::Own,
        }
    }

    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            -1 => Some(Self::Unset),
            0 => Some(Self::Library),
            1 => Some(Self::Own),
            _ => None,
        }
    }

    pub const fn flag(self) -> Option<bool> {
        match self {
            Self::Unset => None,
            Self::Library => Some(false),
            Self::Own => Some(true),
        }
    }
}

impl Serialize for SdkFlag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i8(match self {
            Self::Unset => -1,
            Self::Library => 0,
            Self::Own => 1,
        })
    }
}

impl Frame<'_> {
    pub fn is_in_app(&self) -> bool {
        self.in_app == Some(true)
    }

    /// The function, unless its name says nothing.
    pub fn usable_function(&self) -> Option<&str> {
        self.function.as_deref().filter(|name| {
            !matches!(
                *name,
                "" | "?" | "??" | "<unknown>" | "<redacted>" | "<anonymous>" | "unknown"
            )
        })
    }

    pub fn file(&self) -> Option<&str> {
        self.filename.as_deref().or(self.abs_path.as_deref())
    }
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Thread<'a> {
    #[serde(skip_serializing_if = "Json::is_null")]
    pub id: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub main: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace<'a>>,
}

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub geo: Object<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object<'a>,
}

impl User<'_> {
    pub fn is_empty(&self) -> bool {
        self.id.is_none()
            && self.username.is_none()
            && self.email.is_none()
            && self.ip_address.is_none()
            && self.name.is_none()
            && self.geo.is_empty()
            && self.data.is_empty()
    }

    /// Whom to count this event for.
    pub fn key(&self) -> Option<String> {
        [
            ("id", &self.id),
            ("username", &self.username),
            ("email", &self.email),
            ("ip", &self.ip_address),
        ]
        .into_iter()
        .find_map(|(kind, value)| value.as_ref().map(|value| format!("{kind}:{value}")))
    }
}

pub(super) type Pairs<'a> = Vec<(Text<'a>, Json<'a>)>;

#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query_string: Pairs<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Pairs<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Pairs<'a>,
    #[serde(skip_serializing_if = "Json::is_null")]
    pub data: Json<'a>,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub env: Object<'a>,
}

impl Request<'_> {
    pub fn is_empty(&self) -> bool {
        self.url.is_none()
            && self.method.is_none()
            && self.query_string.is_empty()
            && self.fragment.is_none()
            && self.cookies.is_empty()
            && self.headers.is_empty()
            && self.data.is_null()
            && self.env.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Breadcrumb<'a> {
    pub timestamp_us: Option<i64>,
    pub kind: Text<'a>,
    pub category: Option<Text<'a>>,
    pub level: Level,
    pub message: Option<Text<'a>>,
    pub data: Object<'a>,
}

impl Serialize for Breadcrumb<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(timestamp_us) = self.timestamp_us {
            map.serialize_entry("timestamp", &super::time::Rfc3339(timestamp_us))?;
        }
        map.serialize_entry("type", &self.kind)?;
        if let Some(category) = &self.category {
            map.serialize_entry("category", category)?;
        }
        map.serialize_entry("level", self.level.as_str())?;
        if let Some(message) = &self.message {
            map.serialize_entry("message", message)?;
        }
        if !self.data.is_empty() {
            map.serialize_entry("data", &self.data)?;
        }
        map.end()
    }
}

/// A list in the `{"values": […]}` form of the protocol.
pub(super) struct Values<'v, T>(pub &'v [T]);

impl<T: Serialize> Serialize for Values<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("values", &Sequence(self.0))?;
        map.end()
    }
}

struct Sequence<'v, T>(&'v [T]);

impl<T: Serialize> Serialize for Sequence<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for item in self.0 {
            sequence.serialize_element(item)?;
        }
        sequence.end()
    }
}
