//! Removes personal data and secrets before anything is stored, as docs/scrubbing.md says.
//! In: a normalised event and the rules of its project. Out: the same event with `[Filtered]` where a name, the look of a
//! value or an expression of the project gave a secret away, and a note in `_meta` for each.

mod assigned;
mod keys;
mod look;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::protocol::json::{Json, Object, Text};

use super::event::{Event, Pairs, Stacktrace};
use super::meta::{Notes, Path, Remark};

use look::Marks;

pub use rules::{BuiltIn, Rules, Scrubbing};

const FILTERED: &str = "[Filtered]";

/// Contexts written by SDKs about machine and program: large numbers in them are sizes.
const MACHINE_CONTEXTS: [&str; 9] = [
    "os", "runtime", "device", "app", "browser", "gpu", "trace", "culture", "flags",
];

/// Headers in which proxies name the client.
const CLIENT_HEADERS: [&str; 6] = [
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
    "cf-connecting-ip",
    "true-client-ip",
    "x-client-ip",
];

/// Lists of pairs, and objects that name what they hold.
const NAMES: [&str; 5] = ["name", "key", "field", "header", "param"];
const VALUES: [&str; 4] = ["value", "val", "content", "values"];

/// Scrubs an event that was normalised but not trimmed: what is cut off could else hide how a secret ends.
pub(super) fn scrub(event: &mut Event<'_>, rules: &Rules) {
    if rules.is_empty() {
        return;
    }
    let mut scrubber = Scrubber {
        rules,
        notes: Notes::default(),
    };
    scrubber.event(event);
    scrubber.notes.write(&mut event.meta);
}

struct Scrubber<'r> {
    rules: &'r Rules,
    notes: Notes,
}

impl Scrubber<'_> {
    fn event(&mut self, event: &mut Event<'_>) {
        self.exceptions(event);
        let threads = Path::root("threads");
        let threads = threads.name("values");
        for (at, thread) in event.threads.iter_mut().enumerate() {
            let path = threads.place(at);
            self.optional(thread.name.as_mut(), &path.name("name"), Marks::Filtered);
            self.stack(thread.stacktrace.as_mut(), &path);
        }
        self.stack(event.stacktrace.as_mut(), &Path::root("stacktrace"));
        if let Some(logentry) = &mut event.logentry {
            let path = Path::root("logentry");
            self.text(&mut logentry.formatted, "formatted", &path, Marks::Named);
            if let Some(message) = &mut logentry.message {
                self.text(message, "message", &path, Marks::Named);
            }
            let params = path.name("params");
            self.value(&mut logentry.params, "params", &params, Marks::Named);
        }
        let crumbs = Path::root("breadcrumbs");
        let crumbs = crumbs.name("values");
        for (at, crumb) in event.breadcrumbs.iter_mut().enumerate() {
            let path = crumbs.place(at);
            self.optional(
                crumb.message.as_mut(),
                &path.name("message"),
                Marks::Filtered,
            );
            self.object(&mut crumb.data, &path.name("data"), Marks::Filtered);
        }
        let contexts = Path::root("contexts");
        for (name, context) in &mut event.contexts.0 {
            let marks = if MACHINE_CONTEXTS.contains(&&**name) {
                Marks::Machine
            } else {
                Marks::Filtered
            };
            self.value(context, name, &contexts.name(name), marks);
        }
        self.request(event);
        self.object(&mut event.extra, &Path::root("extra"), Marks::Filtered);
        let user = Path::root("user");
        self.object(&mut event.user.data, &user.name("data"), Marks::Filtered);
        if self.rules.remove_ips && event.user.ip_address.take().is_some() {
            self.note(&user.name("ip_address"), "@ip", "x", 0, None);
        }
        if let Some(report) = &mut event.report {
            self.object(
                &mut report.fields,
                &Path::root(report.kind.as_str()),
                Marks::Filtered,
            );
        }
        self.tags(event);
        self.rest(event);
    }

    fn exceptions(&mut self, event: &mut Event<'_>) {
        let path = Path::root("exception");
        let path = path.name("values");
        for (at, exception) in event.exceptions.iter_mut().enumerate() {
            let path = path.place(at);
            self.optional(exception.value.as_mut(), &path.name("value"), Marks::Error);
            if let Some(mechanism) = &mut exception.mechanism {
                let path = path.name("mechanism");
                self.object(&mut mechanism.data, &path.name("data"), Marks::Filtered);
                let description = mechanism.description.as_mut();
                self.optional(description, &path.name("description"), Marks::Error);
            }
            self.stack(exception.stacktrace.as_mut(), &path);
        }
    }

    fn stack(&mut self, stack: Option<&mut Stacktrace<'_>>, path: &Path<'_>) {
        let Some(stack) = stack else { return };
        let path = path.name("stacktrace");
        let path = path.name("frames");
        for (at, frame) in stack.frames.iter_mut().enumerate() {
            if !frame.vars.is_empty() {
                let path = path.place(at);
                self.object(&mut frame.vars, &path.name("vars"), Marks::Filtered);
            }
        }
    }

    fn request(&mut self, event: &mut Event<'_>) {
        let request = &mut event.request;
        let path = Path::root("request");
        self.optional(request.url.as_mut(), &path.name("url"), Marks::Filtered);
        self.optional(
            request.fragment.as_mut(),
            &path.name("fragment"),
            Marks::Query,
        );
        let query = path.name("query_string");
        self.pairs(
            &mut request.query_string,
            &query,
            Rules::is_secret,
            Marks::Query,
        );
        let cookies = path.name("cookies");
        self.pairs(
            &mut request.cookies,
            &cookies,
            Rules::is_secret_cookie,
            Marks::Filtered,
        );
        let headers = path.name("headers");
        self.headers(&mut request.headers, &headers);
        self.value(
            &mut request.data,
            "data",
            &path.name("data"),
            Marks::Filtered,
        );
        let env = path.name("env");
        if self.rules.remove_ips {
            for (name, value) in &mut request.env.0 {
                if &**name == "REMOTE_ADDR" {
                    self.replace(value, &env.name(name), "@ip");
                }
            }
        }
        self.object(&mut request.env, &env, Marks::Filtered);
    }

    fn headers(&mut self, headers: &mut Pairs<'_>, path: &Path<'_>) {
        for (at, (name, value)) in headers.iter_mut().enumerate() {
            let place = path.place(at);
            let path = place.name("1");
            let is_cookie = self.rules.built_in && keys::is_cookie_header(name);
            let names_client = || {
                CLIENT_HEADERS
                    .iter()
                    .any(|header| name.eq_ignore_ascii_case(header))
            };
            if self.rules.is_safe(name) || &**name == "User-Agent" {
                continue;
            }
            if is_cookie || self.rules.is_secret(name) {
                self.replace(value, &path, "@password");
            } else if self.rules.remove_ips && names_client() {
                self.replace(value, &path, "@ip");
            } else {
                self.value(value, name, &path, Marks::Filtered);
            }
        }
    }

    fn pairs(
        &mut self,
        pairs: &mut Pairs<'_>,
        path: &Path<'_>,
        is_secret: fn(&Rules, &str) -> bool,
        marks: Marks,
    ) {
        for (at, (name, value)) in pairs.iter_mut().enumerate() {
            let place = path.place(at);
            let path = place.name("1");
            if is_secret(self.rules, name) {
                self.replace(value, &path, "@password");
            } else {
                self.value(value, name, &path, marks);
            }
        }
    }

    fn tags(&mut self, event: &mut Event<'_>) {
        let path = Path::root("tags");
        for (at, (name, value)) in event.tags.iter_mut().enumerate() {
            let place = path.place(at);
            let path = place.name("1");
            if self.rules.is_secret(name) {
                let length = value.chars().count();
                if value != FILTERED {
                    *value = Cow::Borrowed(FILTERED);
                    self.note(&path, "@password", "s", FILTERED.len(), Some(length));
                }
            } else {
                self.text(value, name, &path, Marks::Error);
            }
        }
    }

    /// Texts that name things, and so seldom hold a secret.
    fn rest(&mut self, event: &mut Event<'_>) {
        for (name, text) in [
            ("transaction", &mut event.transaction),
            ("culprit", &mut event.culprit),
        ] {
            self.optional(text.as_mut(), &Path::root(name), Marks::Error);
        }
        let path = Path::root("fingerprint");
        for (at, text) in event.fingerprint.iter_mut().enumerate() {
            self.text(text, "fingerprint", &path.place(at), Marks::Error);
        }
        // What was refused is shown with the name it stood under.
        let path = Path::root("errors");
        for (at, error) in event.errors.iter_mut().enumerate() {
            if let Json::Object(error) = error {
                self.object(error, &path.place(at), Marks::Filtered);
            }
        }
    }

    fn object(&mut self, object: &mut Object<'_>, path: &Path<'_>, marks: Marks) {
        let names_secret = object.0.iter().any(|(key, name)| {
            let is_name = (3..=6).contains(&key.len()) && NAMES.contains(&&**key);
            is_name && name.as_str().is_some_and(|name| self.rules.is_secret(name))
        });
        for (name, value) in &mut object.0 {
            if value.is_null() || self.rules.is_safe(name) {
                continue;
            }
            let path = path.name(name);
            let is_cookie = self.rules.built_in
                && keys::is_cookie_header(name)
                && matches!(value, Json::Str(_));
            if is_cookie || self.rules.is_secret(name) || names_secret && VALUES.contains(&&**name)
            {
                self.replace(value, &path, "@password");
            } else {
                self.value(value, name, &path, marks);
            }
        }
    }

    fn value(&mut self, value: &mut Json<'_>, name: &str, path: &Path<'_>, marks: Marks) {
        match value {
            Json::Str(text) => self.text_at(text, name, path, marks),
            Json::List(items) => self.list(items, name, path, marks),
            Json::Object(object) => self.object(object, path, marks),
            // A card number may come as a number.
            Json::I64(number)
                if *number > 999_999_999_999 && self.rules.built_in && marks != Marks::Machine =>
            {
                let mut text = Cow::Owned(number.to_string());
                if look::scrub(&mut text, marks).is_some() {
                    self.replace(value, path, "@creditcard");
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, items: &mut [Json<'_>], name: &str, path: &Path<'_>, marks: Marks) {
        // `["password", "x"]` is a pair, and `["--password", "x"]` are arguments.
        let mut is_announced = false;
        let is_pair = items.len() == 2;
        for (at, item) in items.iter_mut().enumerate() {
            let path = path.place(at);
            if is_announced {
                self.replace(item, &path, "@password");
                is_announced = false;
                continue;
            }
            is_announced = item.as_str().is_some_and(|text| {
                let argument = text.strip_prefix("--");
                let name = argument.or(is_pair.then_some(text));
                at == 0 && is_pair && name.is_some_and(|name| self.rules.is_secret(name))
                    || argument
                        .is_some_and(|name| self.rules.is_secret(name) && !text.contains('='))
            });
            self.value(item, name, &path, marks);
        }
    }

    fn optional(&mut self, text: Option<&mut Text<'_>>, path: &Path<'_>, marks: Marks) {
        if let Some(text) = text {
            self.text_at(text, "", path, marks);
        }
    }

    fn text(&mut self, text: &mut Text<'_>, name: &str, outer: &Path<'_>, marks: Marks) {
        self.text_at(text, name, &outer.name(name), marks);
    }

    /// All that a text may hold: secrets with a name, secrets by their look, and what the project's expressions match.
    fn text_at(&mut self, text: &mut Text<'_>, name: &str, path: &Path<'_>, marks: Marks) {
        if text.len() < 4 {
            return;
        }
        let length = text.len();
        let mut rule = None;
        if self.rules.has_names() {
            let secrets = assigned::find(text, |name| self.rules.is_secret(name));
            if let Some(scrubbed) = without(text, &secrets) {
                *text = Cow::Owned(scrubbed);
                rule = Some("@password");
            }
        }
        if self.rules.built_in
            && let Some(found) = look::scrub(text, marks)
        {
            rule = Some(found);
        }
        if self.rules.has_expressions() {
            for expression in self.rules.expressions(name) {
                if let Cow::Owned(scrubbed) =
                    expression.replace_all(text, regex::NoExpand(FILTERED))
                {
                    // What is filtered already does not count.
                    if scrubbed != **text {
                        *text = Cow::Owned(scrubbed);
                        rule = Some("@expression");
                    }
                }
            }
        }
        if let Some(rule) = rule {
            let end = text.chars().count();
            self.note(path, rule, "s", end, Some(length));
        }
    }

    /// Takes out a whole value.
    fn replace(&mut self, value: &mut Json<'_>, path: &Path<'_>, rule: &'static str) {
        if value.as_str() == Some(FILTERED) {
            return;
        }
        let length = value.as_str().map(|text| text.chars().count());
        *value = Json::from(FILTERED);
        self.note(path, rule, "s", FILTERED.len(), length);
    }

    fn note(
        &mut self,
        path: &Path<'_>,
        rule: &'static str,
        kind: &'static str,
        end: usize,
        length: Option<usize>,
    ) {
        let remark = Remark {
            rule,
            kind,
            range: (0, end),
            length,
        };
        self.notes.add(path, remark);
    }
}

/// A text without some parts, or nothing if there are none.
fn without(text: &str, secrets: &[std::ops::Range<usize>]) -> Option<String> {
    let first = secrets.first()?;
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first.start]);
    let mut copied = first.start;
    for secret in secrets {
        out.push_str(&text[copied..secret.start]);
        out.push_str(FILTERED);
        copied = secret.end;
    }
    out.push_str(&text[copied..]);
    Some(out)
}
