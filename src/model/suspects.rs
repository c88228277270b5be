//! Which files a crash points at. In: an event's JSON, and paths of files that commits touched. Out: the paths of its own frames,
//! and which of the files are meant by one, compared from the end as Sentry does.

use serde_json::Value;

/// Frames that are looked at, from where it broke.
const MOST_FRAMES: usize = 25;
/// Characters of a name that are compared.
const LONGEST_NAME: usize = 200;

/// The files of the application's frames of the stack that crashed, from where it broke outwards, each once.
pub fn frame_paths(event: &Value) -> Vec<String> {
    let is_java = event["platform"].as_str() == Some("java");
    let mut paths = Vec::new();
    let frames = crashed(event).iter().rev();
    let own = frames.filter(|frame| frame["in_app"].as_bool() == Some(true));
    for frame in own.take(MOST_FRAMES) {
        let text = |key: &str| frame[key].as_str().filter(|text| !text.is_empty());
        let Some(file) = text("filename").or_else(|| text("abs_path")) else {
            continue;
        };
        let package = text("module").and_then(|module| module.rsplit_once('.'));
        let path = match package {
            // Java names the file alone; its folders are those of the package.
            Some((package, _)) if is_java && !file.contains(['/', '\\']) => {
                format!("{}/{file}", package.replace('.', "/"))
            }
            _ => file.to_owned(),
        };
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The frames of the exception that ended it, else of the thread that crashed or reported, else the bare stack, oldest first.
fn crashed(event: &Value) -> &[Value] {
    let frames = |of: &'_ Value| -> bool { !list(&of["stacktrace"], "frames").is_empty() };
    let exception = list(event, "exception")
        .iter()
        .rev()
        .find(|one| frames(one));
    let threads = || {
        let threads = list(event, "threads");
        let flagged = |flag: &str| {
            let mut own = threads.iter().filter(|one| frames(one));
            own.find(|one| one[flag].as_bool() == Some(true))
        };
        flagged("crashed").or_else(|| flagged("current"))
    };
    let of = exception.or_else(threads).unwrap_or(event);
    list(&of["stacktrace"], "frames")
}

/// The list at `key`, or the one in its `values`.
fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    let found = &value[key];
    let found = found.as_array().or_else(|| found["values"].as_array());
    found.map_or(&[], Vec::as_slice)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit(['/', '\\']).filter(|part| !part.is_empty())
}

/// The last part of a path in small letters: what two paths must share to mean the same file.
pub fn name_of(path: &str) -> String {
    let name = parts(path).next().unwrap_or_default().to_lowercase();
    name.chars().take(LONGEST_NAME).collect()
}

/// Of the files, those that a frame's path means: they share most of its end. A name alone is enough only for a file that has no
/// folder, as `index.js` is everywhere.
pub fn meant<'f, T>(files: &'f [T], path_of: impl Fn(&T) -> &str, frame: &str) -> Vec<&'f T> {
    let shared = |file: &T| {
        let both = parts(path_of(file)).zip(parts(frame));
        let same = both.take_while(|(one, other)| one.to_lowercase() == other.to_lowercase());
        same.count()
    };
    let best = files.iter().map(shared).max().unwrap_or(0);
    let is_enough = |file: &T| best > 1 || parts(path_of(file)).nth(1).is_none();
    let meant = files.iter().filter(|file| best > 0 && shared(file) == best);
    meant.filter(|file| is_enough(file)).collect()
}

/// Where a commit can be read, if its repository is given by an address of the web.
pub fn commit_url(repository: Option<&str>, commit_id: &str) -> Option<String> {
    let mut url = url::Url::parse(repository?).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.username().is_empty();
    if !is_web || url.password().is_some() || url.query().is_some() {
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let path = path.strip_suffix(".git").unwrap_or(&path).to_owned();
    url.set_path(&path);
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["commit", commit_id]);
    url.set_fragment(None);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_own_frames_of_the_crash_count() {
        let frame = |file: &str, own: bool| json!({"filename": file, "in_app": own});
        let event = json!({"exception": {"values": [
            {"type": "Cause", "stacktrace": {"frames": [frame("cause.py", true)]}},
            {"type": "Error", "stacktrace": {"frames": [
                frame("app/main.py", true), frame("lib/http.py", false), frame("app/cart.py", true), frame("app/cart.py", true),
                json!({"function": "no file", "in_app": true}),
            ]}},
        ]}});
        assert_eq!(frame_paths(&event), ["app/cart.py", "app/main.py"]);
        let java = json!({"platform": "java", "threads": {"values": [
            {"id": 1, "stacktrace": {"frames": [frame("other", true)]}},
            {"id": 2, "current": true, "stacktrace": {"frames": [
                {"filename": "Cart.java", "module": "com.acme.Cart", "in_app": true},
            ]}},
        ]}});
        assert_eq!(frame_paths(&java), ["com/acme/Cart.java"]);
        assert!(frame_paths(&json!({"exception": 3, "threads": [7]})).is_empty());
        let bare = json!({"stacktrace": {"frames": [frame("a/b.rb", true)]}});
        assert_eq!(frame_paths(&bare), ["a/b.rb"]);
    }

    #[test]
    fn paths_are_compared_from_their_end() {
        let files = ["src/cart.ts", "web/src/cart.ts", "src/index.ts", "setup.py"];
        let of = |frame: &str| -> Vec<&str> {
            let found = meant(&files, |file| file, frame);
            found.into_iter().copied().collect()
        };
        assert_eq!(
            of("webpack:///./src/cart.ts"),
            ["src/cart.ts", "web/src/cart.ts"]
        );
        assert_eq!(of("C:\\Web\\Src\\cart.ts"), ["web/src/cart.ts"]);
        assert!(of("lib/index.ts").is_empty());
        assert_eq!(of("/app/setup.py"), ["setup.py"]);
        assert!(of("other.py").is_empty());
        assert!(of("").is_empty());
    }

    #[test]
    fn a_commit_is_linked_where_its_repository_is_on_the_web() {
        let of = |repository: &str| commit_url(Some(repository), "a1");
        for address in [
            "https://git.example.com/acme/shop.git",
            "https://git.example.com/acme/shop/",
        ] {
            let expected = "https://git.example.com/acme/shop/commit/a1";
            assert_eq!(of(address).as_deref(), Some(expected));
        }
        for address in [
            "acme/shop",
            "git@git.example.com:acme/shop",
            "javascript:alert(1)",
            "https://u:p@git.example.com/a",
        ] {
            assert_eq!(of(address), None);
        }
        assert_eq!(commit_url(None, "a1"), None);
    }

    #[test]
    fn names_have_no_folders_and_no_capitals() {
        assert_eq!(name_of("a\\B/Cart.TS/"), "cart.ts");
        assert_eq!(name_of("/"), "");
    }
}
