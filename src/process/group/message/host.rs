//! Names of hosts, told from the dotted names of code: `db-1.example.com`, but not `java.io.File` or `order.customer.id`.
//! In: a text and where a name starts. Out: where it ends, with its port.

use super::ip::port;
use super::text::{Text, is_one_of, words};

/// What a host may end with after two labels and more.
const COMMON_ENDS: [&str; 24] = [
    "com", "net", "org", "edu", "gov", "mil", "de", "uk", "fr", "es", "nl", "eu", "ch", "pl", "ru",
    "br", "jp", "cn", "au", "ca", "se", "dk", "cz", "kr",
];

/// What a host may end with after three labels and more: with two these are as often names in code.
const RARER_ENDS: [&str; 34] = words(
    "int io dev app cloud ai xyz info biz tech site online co us at be fi pt gr tw nz mx za ie local \
     localdomain internal intranet lan corp svc arpa example invalid",
);

/// What names of packages start with, the other way round than hosts.
const PACKAGE_STARTS: [&str; 14] = [
    "com", "org", "net", "io", "de", "edu", "gov", "dev", "co", "java", "javax", "kotlin",
    "android", "androidx",
];

/// Ends of file names, which may have dots and dashes like hosts.
const FILE_ENDS: [&str; 62] = [
    "js", "mjs", "cjs", "ts", "tsx", "jsx", "py", "rb", "go", "rs", "php", "java", "kt", "kts",
    "scala", "cs", "cpp", "cc", "c", "h", "hpp", "swift", "m", "mm", "dart", "ex", "exs", "erl",
    "clj", "vue", "html", "htm", "css", "scss", "less", "json", "yaml", "yml", "xml", "toml",
    "ini", "cfg", "conf", "env", "txt", "md", "csv", "log", "sql", "sh", "bat", "exe", "dll", "so",
    "jar", "zip", "gz", "pdf", "png", "jpg", "svg", "map",
];

/// Words after which a dotted name is a host.
const ANNOUNCED: [&str; 8] = words("host hostname server domain lookup dns enotfound eai_again");

/// Words before `to` that say the same.
const CONNECTED: [&str; 6] = words("connect connecting connected connection request reconnect");

const LONGEST: usize = 253;

/// A host with at least two labels.
pub(super) fn end(text: &Text<'_>, at: usize) -> Option<usize> {
    if matches!(
        text.before(at),
        b'.' | b'-' | b'_' | b'@' | b'/' | b'\\' | b'$'
    ) {
        return None;
    }
    let end = labels_end(text, at)?;
    if matches!(text.byte(end), b'(' | b'_' | b'$' | b'\\' | b'!') {
        return None;
    }
    let name = text.slice(at, end);
    let with_port = port(text, end);
    is_host(text, at, name, with_port.is_some()).then(|| with_port.unwrap_or(end))
}

fn labels_end(text: &Text<'_>, at: usize) -> Option<usize> {
    let mut end = text.short_run(at, LONGEST, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
    });
    while end > at && matches!(text.before(end), b'.' | b'-') {
        end -= 1;
    }
    let name = &text.bytes[at..end];
    let is_sound = name.contains(&b'.') && !name.windows(2).any(|pair| pair == b"..");
    is_sound.then_some(end)
}

fn is_host(text: &Text<'_>, at: usize, name: &str, has_port: bool) -> bool {
    let labels = name.split('.').count();
    let last = name.rsplit('.').next().unwrap_or_default();
    let first = name.split('.').next().unwrap_or_default();
    let may_end_so =
        matches!(last.len(), 2..=24) && last.bytes().all(|byte| byte.is_ascii_lowercase());
    if !may_end_so || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return false;
    }
    if is_one_of(last, &COMMON_ENDS) {
        return labels == 2 || !matches!(first, "com" | "org");
    }
    if is_one_of(last, &FILE_ENDS) {
        return false;
    }
    if is_announced(text, at) || has_port {
        return true;
    }
    let has_odd_label = name
        .bytes()
        .any(|byte| byte == b'-' || byte.is_ascii_digit());
    labels >= 3
        && !is_one_of(first, &PACKAGE_STARTS)
        && (is_one_of(last, &RARER_ENDS) || has_odd_label)
}

/// Whether the words before say that a host follows: `host x`, `host: x`, `connect to x`.
fn is_announced(text: &Text<'_>, at: usize) -> bool {
    let mut end = at;
    if matches!(text.before(end), b'\'' | b'"') {
        end -= 1;
    }
    end = text.before_blanks(end);
    if matches!(text.before(end), b':' | b'=') {
        end -= 1;
    }
    let word = text.word_before(end);
    if !word.eq_ignore_ascii_case("to") {
        return is_one_of(word, &ANNOUNCED);
    }
    let before = text.before_blanks(end - word.len());
    is_one_of(text.word_before(before), &CONNECTED)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn hosts_are_addresses() {
        assert_same(&[
            (
                &[
                    "cannot reach db-1.example.com now",
                    "cannot reach example.com now",
                    "cannot reach foo.bar.xyz now",
                    "cannot reach api.eu.acme.co.uk now",
                    "cannot reach web-01.prod.acme now",
                    "cannot reach ip-10-0-0-1.ec2.internal now",
                    "cannot reach redis.default.svc.cluster.local now",
                    "cannot reach redis.prod:6379 now",
                    "cannot reach 3.pool.ntp.org now",
                ],
                "cannot reach <address> now",
            ),
            (
                &[
                    "getaddrinfo ENOTFOUND db.acme",
                    "getaddrinfo ENOTFOUND db.example.com",
                ],
                "getaddrinfo ENOTFOUND <address>",
            ),
            (
                &[
                    "failed to connect to db.acme.",
                    "failed to connect to 10.0.0.1.",
                ],
                "failed to connect to <address>.",
            ),
            (
                &[
                    "lookup db.acme on 10.0.0.2:53: no such host",
                    "lookup x.acme on 10.0.0.3:53: no such host",
                ],
                "lookup <address> on <address>: no such host",
            ),
            (
                &["host: db.acme is down", "host: a.acme is down"],
                "host: <address> is down",
            ),
        ]);
    }

    #[test]
    fn dotted_names_of_code_are_no_hosts() {
        assert_kept(&[
            "socket.io is gone",
            "engine.io is gone",
            "app.dev is gone",
            "java.io.IOException: disk full",
            "java.net.SocketException",
            "com.example.shop failed",
            "com.example.shop.OrderService failed",
            "order.customer.id is missing",
            "spring.datasource.url is missing",
            "django.db.utils failed",
            "self.request.user failed",
            "user.name",
            "list.at is not a function",
            "example.com() and example.com_x",
            "main.test.js and main-a.test.ts",
            "e.g. this, i.e. that",
            "Object.app.run failed",
        ]);
        assert_apart(&[
            (
                "order.customer.id is missing",
                "order.customer.no is missing",
            ),
            ("socket.io is gone", "engine.io is gone"),
            (
                "spring.datasource.url is missing",
                "spring.datasource.username is missing",
            ),
        ]);
    }
}
