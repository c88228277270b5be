//! What a name announces, what only looks so, and texts made to be slow.

use super::*;

fn scrubbed(text: &str) -> String {
    let mut out = String::new();
    let mut copied = 0;
    for secret in find(text, keys::is_secret) {
        out.push_str(&text[copied..secret.start]);
        out.push('◆');
        copied = secret.end;
    }
    out.push_str(&text[copied..]);
    out
}

#[test]
fn what_a_name_announces_goes() {
    for (text, expected) in [
        ("password=hunter2", "password=◆"),
        (
            "login failed: password=hunter2, user=jane",
            "login failed: password=◆, user=jane",
        ),
        (
            "connect(user='app', password='s3 cret')",
            "connect(user='app', password='◆')",
        ),
        (
            "https://a.example/cb?code=1&access_token=abc.def&x=2",
            "https://a.example/cb?code=1&access_token=◆&x=2",
        ),
        (
            "https://a.example/#access_token=abc&x=2",
            "https://a.example/#access_token=◆&x=2",
        ),
        (
            "/signup?email=jane@example.com&plan=2",
            "/signup?email=◆&plan=2",
        ),
        ("/signup?email=jane%40example.com", "/signup?email=◆"),
        (
            r#"body {"user":"jane","password":"a\"b c"} end"#,
            r#"body {"user":"jane","password":"◆"} end"#,
        ),
        (
            r#""{\"api_key\": \"abc\", \"n\": 1}""#,
            r#""{\"api_key\": \"◆\", \"n\": 1}""#,
        ),
        ("{'password': 'x y', 'n': 1}", "{'password': '◆', 'n': 1}"),
        (
            r#"{"credentials":{"user":"a","pw":["b"]},"n":1}"#,
            r#"{"credentials":◆,"n":1}"#,
        ),
        ("{:password=>\"x\", :n=>1}", "{:password=>\"◆\", :n=>1}"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ◆"),
        (
            "authorization: Digest username=\"a\", response=\"b\"\nx: y",
            "authorization: ◆\nx: y",
        ),
        (
            "Cookie: a=b; session=c\nAccept: */*",
            "Cookie: ◆\nAccept: */*",
        ),
        ("X-Api-Key: abc123", "X-Api-Key: ◆"),
        ("password: correcthorse", "password: ◆"),
        ("Wrong password: hunter2", "Wrong password: ◆"),
        (
            "run --password hunter --verbose",
            "run --password ◆ --verbose",
        ),
        ("run --token=abc", "run --token=◆"),
        (
            "user[password]=x&user[name]=y",
            "user[password]=◆&user[name]=y",
        ),
        ("DB_PASSWORD=x\nPORT=5432", "DB_PASSWORD=◆\nPORT=5432"),
        ("secret = 'x'", "secret = '◆'"),
    ] {
        assert_eq!(scrubbed(text), expected);
    }
}

#[test]
fn sentences_and_plain_values_stay() {
    for text in [
        "Invalid token: unexpected end of input",
        "auth: connection refused",
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "Invalid password: required",
        "authenticated=true author=jane max_tokens=4096",
        "password=[Filtered]",
        "password: [Filtered]",
        "token == expected",
        "Auth::login failed",
        "https://auth.example.com/x",
        "token=null, secret=None",
        "password=********",
        "tokens=17",
        "a=b&c=d",
        "?page=2&q=a@b",
        "== Heading: text ==",
        "",
        "=",
        ":",
        "é=ü: 'ö'",
    ] {
        assert_eq!(scrubbed(text), text);
    }
}

#[test]
fn hostile_texts_take_no_time() {
    for piece in [
        "password=",
        "\"token\":[",
        "token:'",
        "--token ",
        "=:",
        "\\\"auth\\\":\\\"",
        "?a=",
    ] {
        let text = piece.repeat(16_384 / piece.len());
        let found = find(&text, keys::is_secret);
        assert!(found.iter().all(|secret| secret.end <= text.len()));
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_once(
        text in r#"((password|token|a|Cookie|Authorization|--secret|Basic|max_tokens)[ =:>"'\\\[\]{}&?;,\n\-é*.]{0,4}|[a-z0-9@.%]{1,9}|é){0,12}"#
    ) {
        let found = find(&text, keys::is_secret);
        let mut last = 0;
        let mut out = String::new();
        for secret in &found {
            proptest::prop_assert!(secret.start >= last && secret.end >= secret.start);
            out.push_str(&text[last..secret.start]);
            out.push_str("[Filtered]");
            last = secret.end;
        }
        out.push_str(&text[last..]);
        // What is filtered is not looked at again.
        let again: Vec<&str> = find(&out, keys::is_secret).into_iter().map(|range| &out[range]).collect();
        proptest::prop_assert!(again.is_empty(), "{text:?} became {out:?}, and of that {again:?}");
    }
}
