//! Who it happened to.
//! In: the `user` attribute, and what the request knows of the sender. Out: a [`User`] with texts of bounded length.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::process::event::{Request, User};
use crate::protocol::json::{Json, Object, Text};

use super::limits::{self, EMAIL, SHORT_NAME};
use super::reader::Reader;

pub(super) fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> User<'a> {
    let mut user = User::default();
    let Some(object) = reader.object("user", value) else {
        return user;
    };
    let mut others = Object::default();
    for (key, value) in object.0 {
        match &*key {
            "id" => user.id = identity(reader, "user.id", value),
            "username" => user.username = identity(reader, "user.username", value),
            "email" => user.email = reader.short_text("user.email", value, EMAIL),
            "ip_address" => user.ip_address = reader.text("user.ip_address", value),
            "name" => user.name = identity(reader, "user.name", value),
            "geo" => user.geo = reader.object("user.geo", value).unwrap_or_default(),
            // Both are names for "all the rest".
            "data" | "other" => match value {
                Json::Object(data) => others.0.extend(data.0),
                Json::Null => {}
                scalar => others.push(key, scalar),
            },
            _ if value.is_null() => {}
            _ => others.push(key, value),
        }
    }
    // Equal keys are found one by one, so their number has to be bounded.
    for (key, value) in others.0.into_iter().take(limits::PAIRS) {
        if user.data.get(&key).is_none() {
            user.data.push(key, value);
        }
    }
    user
}

fn identity<'a>(reader: &mut Reader<'a>, name: &'static str, value: Json<'a>) -> Option<Text<'a>> {
    let text = reader.lenient_text(name, value)?;
    let text = reader.cut(name, text, SHORT_NAME);
    (!text.trim().is_empty()).then_some(text)
}

/// Whether the sender's address may stand in for the user's, as `sdk.settings.infer_ip` says.
#[derive(Clone, Copy, PartialEq)]
enum InferIp {
    Auto,
    Never,
    /// No setting: clients on end users' devices want it, servers only from the request they handled.
    ByPlatform,
}

fn infer_ip(sdk: &Object<'_>) -> InferIp {
    let setting = sdk
        .get("settings")
        .and_then(Json::as_object)
        .and_then(|settings| settings.get("infer_ip"));
    match setting {
        None | Some(Json::Null) => InferIp::ByPlatform,
        Some(Json::Str(text)) if text == "auto" => InferIp::Auto,
        Some(_) => InferIp::Never,
    }
}

/// Resolves `{{auto}}`, fills a missing address where that is wanted, and drops what is no address.
pub(super) fn complete_address<'a>(
    reader: &mut Reader<'a>,
    user: &mut User<'a>,
    request: &Request<'a>,
    sdk: &Object<'a>,
    platform: &str,
    sender: Option<IpAddr>,
) {
    let infer = infer_ip(sdk);
    if let Some(given) = user.ip_address.take() {
        user.ip_address = if given == "{{auto}}" {
            sender
                .filter(|_| infer != InferIp::Never)
                .map(|address| Cow::Owned(address.to_string()))
        } else {
            address(reader, given)
        };
        return;
    }
    if infer == InferIp::Never {
        return;
    }
    let handled_for = request
        .env
        .get_str("REMOTE_ADDR")
        .and_then(|text| text.trim().parse::<IpAddr>().ok());
    let by_device = infer == InferIp::Auto || matches!(platform, "javascript" | "cocoa" | "objc");
    user.ip_address = handled_for
        .or(sender.filter(|_| by_device))
        .map(|address| Cow::Owned(address.to_string()));
}

fn address<'a>(reader: &mut Reader<'a>, given: Text<'a>) -> Option<Text<'a>> {
    if given.trim().parse::<IpAddr>().is_ok() {
        Some(super::reader::trimmed(given))
    } else {
        reader.refuse("user.ip_address", Json::Str(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn address_for(
        user: &str,
        sdk: &str,
        platform: &str,
        remote_addr: Option<&str>,
    ) -> Option<String> {
        let mut reader = Reader::default();
        let mut user = read(&mut reader, parse(user.as_bytes()).expect("JSON"));
        let Json::Object(sdk) = parse(sdk.as_bytes()).expect("JSON") else {
            panic!("an object");
        };
        let mut request = Request::default();
        if let Some(address) = remote_addr {
            request.env.push("REMOTE_ADDR", address.into());
        }
        let sender = Some(IpAddr::from([192, 0, 2, 1]));
        complete_address(&mut reader, &mut user, &request, &sdk, platform, sender);
        user.ip_address.map(Cow::into_owned)
    }

    #[test]
    fn addresses_follow_the_setting_of_the_sdk() {
        const AUTO: &str = r#"{"settings":{"infer_ip":"auto"}}"#;
        const NEVER: &str = r#"{"settings":{"infer_ip":"never"}}"#;
        const ODD: &str = r#"{"settings":{"infer_ip":"odd"}}"#;
        let sender = Some("192.0.2.1");
        let asked = r#"{"ip_address":"{{auto}}"}"#;
        for (user, sdk, platform, remote_addr, expected) in [
            ("{}", "{}", "python", None, None),
            ("{}", "{}", "javascript", None, sender),
            ("{}", AUTO, "python", None, sender),
            ("{}", NEVER, "javascript", None, None),
            ("{}", ODD, "javascript", None, None),
            (asked, "{}", "python", None, sender),
            (asked, NEVER, "python", None, None),
            ("{}", "{}", "php", Some("203.0.113.9"), Some("203.0.113.9")),
            (r#"{"ip_address":"localhost"}"#, "{}", "php", None, None),
            (
                r#"{"ip_address":"2001:db8::1"}"#,
                NEVER,
                "php",
                None,
                Some("2001:db8::1"),
            ),
        ] {
            let found = address_for(user, sdk, platform, remote_addr);
            assert_eq!(found.as_deref(), expected, "{user} {sdk} {platform}");
        }
    }

    #[test]
    fn other_keys_are_data() {
        let mut reader = Reader::default();
        let json = br#"{"id":42,"username":true,"plan":"gold","segment":null,"data":{"a":1},"other":{"b":2}}"#;
        let user = read(&mut reader, parse(json).expect("JSON"));
        assert_eq!(user.key().as_deref(), Some("id:42"));
        assert_eq!(user.username.as_deref(), Some("True"));
        assert_eq!(
            Json::Object(user.data).to_text(),
            r#"{"plan":"gold","a":1,"b":2}"#
        );
    }
}
