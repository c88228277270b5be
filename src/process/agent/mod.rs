//! What the user agent of a request says: which browser, on which system, on which device.
//! In: a normalised and trimmed event. Out: the same with the contexts that no SDK sent.
//!
//! The patterns are those of the uap-core project (<https://github.com/ua-parser/uap-core>, see `LICENSE-uap-core`), which names browsers
//! as other trackers do; `script/user-agents` writes `patterns.json`. They cost about 12 MiB and 30 ms, so they are built when the
//! first agent comes, and each thread remembers the agents it has seen.

mod recent;

use std::borrow::Cow;
use std::sync::LazyLock;

use ua_parser::{Extractor, Regexes, device, os, user_agent};

use crate::protocol::json::{Json, Object};

use super::event::Event;
use super::normalize::limits;

/// Longer ones are no agents, and matching is linear in their length.
const LONGEST_AGENT: usize = 512;
/// Some patterns take names from the agent itself.
const NAME_CHARS: usize = 64;

static PATTERNS: LazyLock<Option<Extractor<'static>>> = LazyLock::new(|| {
    let patterns: Regexes<'static> = serde_json::from_str(include_str!("patterns.json")).ok()?;
    Extractor::try_from(patterns).ok()
});

/// What one agent says; a name is never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Agent {
    browser: Option<Versioned>,
    system: Option<Versioned>,
    device: Option<Device>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Versioned {
    name: String,
    version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Device {
    family: String,
    brand: Option<String>,
    model: Option<String>,
}

/// Adds the contexts `browser`, `os` and `device`. Where the SDK told of a system of its own, that of a server, the user's
/// system is `client_os`.
pub(super) fn complete(event: &mut Event<'_>) {
    let contexts = &event.contexts;
    let has = |name| contexts.get(name).is_some();
    if has("browser") && has("device") && has("os") && has("client_os") {
        return;
    }
    let Some(text) = text_of(event) else { return };
    let agent = recent::agent(text, read);
    let contexts = &mut event.contexts;
    if let Some(browser) = &agent.browser {
        add(contexts, "browser", || browser.context("browser"));
    }
    if let Some(system) = &agent.system {
        let known = contexts.get("os").and_then(Json::as_object);
        match known {
            None => add(contexts, "os", || system.context("os")),
            // Filled in when the event was processed before.
            Some(known) if system.is_told_by(known) => {}
            Some(_) => add(contexts, "client_os", || system.context("os")),
        }
    }
    if let Some(device) = &agent.device {
        add(contexts, "device", || device.context());
    }
}

/// The header that an event is read for. Names are compared in any case.
fn text_of<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    let mut headers = event.request.headers.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("User-Agent"))?;
    let text = value.as_str()?.trim();
    (1..=LONGEST_AGENT).contains(&text.len()).then_some(text)
}

fn add<'a>(contexts: &mut Object<'a>, name: &'static str, context: impl FnOnce() -> Object<'a>) {
    if contexts.get(name).is_none() && contexts.0.len() < limits::CONTEXTS {
        contexts.push(name, Json::Object(context()));
    }
}

impl Versioned {
    fn new(name: &str, version: &[Option<&str>]) -> Option<Self> {
        let parts: Vec<&str> = version.iter().map_while(|part| *part).collect();
        Some(Self {
            name: short(name)?,
            version: short(&parts.join(".")),
        })
    }

    fn context<'a>(&self, kind: &'static str) -> Object<'a> {
        let mut context = Object::default();
        context.push("name", Json::from(self.name.clone()));
        if let Some(version) = &self.version {
            context.push("version", Json::from(version.clone()));
        }
        context.push("type", Json::from(kind));
        context
    }

    fn is_told_by(&self, context: &Object<'_>) -> bool {
        context.get_str("name") == Some(self.name.as_str())
            && context.get_str("version") == self.version.as_deref()
    }
}

impl Device {
    fn context<'a>(&self) -> Object<'a> {
        let mut context = Object::default();
        context.push("family", Json::from(self.family.clone()));
        for (key, text) in [("model", &self.model), ("brand", &self.brand)] {
            if let Some(text) = text {
                context.push(key, Json::from(text.clone()));
            }
        }
        context.push("type", Json::from("device"));
        context
    }
}

fn read(text: &str) -> Agent {
    let Some(patterns) = PATTERNS.as_ref() else {
        return Agent::default();
    };
    let (browser, system, device) = patterns.extract(text);
    Agent {
        browser: browser.and_then(|found| browser_of(&found)),
        system: system.and_then(|found| system_of(&found)),
        device: device.and_then(|found| device_of(&found)),
    }
}

fn browser_of(found: &user_agent::ValueRef<'_>) -> Option<Versioned> {
    Versioned::new(&found.family, &[found.major, found.minor, found.patch])
}

fn system_of(found: &os::ValueRef<'_>) -> Option<Versioned> {
    let parts = [&found.major, &found.minor, &found.patch].map(|part| part.as_deref());
    let mut system = Versioned::new(&found.os, &parts)?;
    // Browsers stopped to tell later versions than these.
    let is_frozen = matches!(
        (system.name.as_str(), system.version.as_deref()),
        ("Windows", Some("10")) | ("Mac OS X", Some("10.15.7"))
    );
    if let (true, Some(version)) = (is_frozen, &mut system.version) {
        version.insert_str(0, ">=");
    }
    Some(system)
}

fn device_of(found: &device::ValueRef<'_>) -> Option<Device> {
    let brand = found.brand.as_deref();
    Some(Device {
        family: short(&found.device)?,
        brand: brand
            .filter(|brand| !brand.starts_with("Generic"))
            .and_then(short),
        model: found.model.as_deref().and_then(short),
    })
}

/// One line of bounded length without blanks around it.
fn short(text: &str) -> Option<String> {
    let line: String = text
        .trim()
        .chars()
        .take(NAME_CHARS)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let line = Cow::from(line.trim());
    (!line.is_empty()).then(|| line.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> [String; 3] {
        let agent = read(text);
        let versioned = |found: &Option<Versioned>| {
            found.as_ref().map_or_else(String::new, |found| {
                format!(
                    "{} {}",
                    found.name,
                    found.version.as_deref().unwrap_or_default()
                )
                .trim()
                .to_owned()
            })
        };
        let device = agent.device.as_ref();
        [
            versioned(&agent.browser),
            versioned(&agent.system),
            device.map_or_else(String::new, |device| device.family.clone()),
        ]
    }

    #[test]
    fn agents_are_known_by_the_names_that_trackers_use() {
        for (text, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
                ["Chrome 130.0.0", "Linux", ""],
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
                ["Edge 120.0.0", "Windows >=10", ""],
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                ["Mobile Safari 17.5", "iOS 17.5", "iPhone"],
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
                ["Safari 17.4", "Mac OS X >=10.15.7", "Mac"],
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
                ["Chrome Mobile 124.0.0", "Android 14", "Pixel 8 Pro"],
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0",
                ["Firefox 102.0", "Linux", ""],
            ),
            ("curl/8.5.0", ["curl 8.5.0", "", ""]),
            ("what is this", ["", "", ""]),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC{0,80}|(Mozilla|Android|iPhone|[();/0-9. ]|Build|Safari|Version|\n){0,20}") {
            let agent = read(&text);
            for found in [&agent.browser, &agent.system].into_iter().flatten() {
                proptest::prop_assert!(!found.name.is_empty() && found.name.chars().count() <= NAME_CHARS);
            }
        }
    }
}
