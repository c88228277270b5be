//! How a request says which key it uses. In: the `X-Sentry-Auth` or `Authorization` header, or the query string.
//! Out: the key and the SDK's name. Source: "Authentication" of the Sentry ingestion protocol.

use percent_encoding::percent_decode_str;

/// The credentials of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    pub public_key: String,
    /// `name/version`, where the SDK said so.
    pub client: String,
}

/// Reads `Sentry sentry_key=…, sentry_version=7, sentry_client=…`: scheme in any case, blanks anywhere. None if the
/// header is of another scheme or holds no key.
pub fn from_header(text: &str) -> Option<Auth> {
    let text = text.trim();
    let (scheme, rest) = text.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case("sentry") {
        return None;
    }
    let rest = rest.strip_prefix([' ', '\t', ','])?;
    collect(
        rest.split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim())),
    )
}

/// Reads `sentry_key=…&sentry_client=…` of a query string.
pub fn from_query(query: &str) -> Option<Auth> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    collect(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

fn collect<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Auth> {
    let mut auth = Auth::default();
    for (name, value) in pairs {
        match name {
            "sentry_key" => value.clone_into(&mut auth.public_key),
            "sentry_client" => {
                auth.client = value
                    .chars()
                    .filter(|letter| !letter.is_control())
                    .take(100)
                    .collect();
            }
            _ => {}
        }
    }
    (!auth.public_key.is_empty()).then_some(auth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_in_all_its_forms() {
        for text in [
            "Sentry sentry_key=abc, sentry_version=7, sentry_client=sdk/1.0",
            "sentry  sentry_key=abc,sentry_version=7 , sentry_client=sdk/1.0",
            "SENTRY sentry_client=sdk/1.0,sentry_key=abc,sentry_secret=old",
        ] {
            let auth = from_header(text).expect(text);
            assert_eq!(
                (auth.public_key.as_str(), auth.client.as_str()),
                ("abc", "sdk/1.0")
            );
        }
        for text in [
            "",
            "Bearer abc",
            "Sentry",
            "Sentry sentry_version=7",
            "Sentryx sentry_key=abc",
            "séntry",
        ] {
            assert_eq!(from_header(text), None, "{text}");
        }
    }

    #[test]
    fn the_query_is_decoded() {
        let auth = from_query(
            "sentry_version=7&sentry_key=abc&sentry_client=sentry.javascript.node%2F10.78.0",
        )
        .expect("a key");
        assert_eq!(auth.client, "sentry.javascript.node/10.78.0");
        assert_eq!(from_query("sentry_version=7"), None);
    }
}
