//! Browsers that are too old for what the application is written in.
//! In: user agents. Out: whether one is of the generations that the project chose.
//!
//! A user agent names half a dozen other browsers that it wants to be taken for, so the order of looking is what tells
//! them apart. That is enough for a filter; for display there are better sources.

/// Generations of a browser that a project can leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What settings and clients of the API call it.
    pub name: &'static str,
    pub label: &'static str,
    browser: Browser,
    /// The versions, both included.
    from: u32,
    to: u32,
}

impl Choice {
    /// Some versions only of a browser that has a choice for all old ones.
    pub fn is_of_some_versions(&self) -> bool {
        self.name.bytes().any(|byte| byte.is_ascii_digit())
    }
}

pub const CHOICES: [Choice; 19] = [
    choice("ie", "Internet Explorer", Browser::InternetExplorer, 0, 11),
    choice("edge", "Edge up to 110", Browser::Edge, 0, 110),
    choice("safari", "Safari up to 15", Browser::Safari, 0, 15),
    choice("firefox", "Firefox up to 110", Browser::Firefox, 0, 110),
    choice("chrome", "Chrome up to 110", Browser::Chrome, 0, 110),
    choice("opera", "Opera up to 99", Browser::Opera, 0, 99),
    choice(
        "opera_mini",
        "Opera Mini up to 34",
        Browser::OperaMini,
        0,
        34,
    ),
    choice(
        "android",
        "Android's browser up to 3",
        Browser::Android,
        0,
        3,
    ),
    choice(
        "ie_pre_9",
        "Internet Explorer up to 8",
        Browser::InternetExplorer,
        0,
        8,
    ),
    choice(
        "ie9",
        "Internet Explorer 9",
        Browser::InternetExplorer,
        9,
        9,
    ),
    choice(
        "ie10",
        "Internet Explorer 10",
        Browser::InternetExplorer,
        10,
        10,
    ),
    choice(
        "ie11",
        "Internet Explorer 11",
        Browser::InternetExplorer,
        11,
        11,
    ),
    choice(
        "edge_pre_79",
        "Edge before Chromium, up to 18",
        Browser::Edge,
        0,
        78,
    ),
    choice("safari_pre_6", "Safari up to 5", Browser::Safari, 0, 5),
    choice("opera_pre_15", "Opera up to 14", Browser::Opera, 0, 14),
    choice(
        "opera_mini_pre_8",
        "Opera Mini up to 7",
        Browser::OperaMini,
        0,
        7,
    ),
    choice(
        "android_pre_4",
        "Android's browser up to 3",
        Browser::Android,
        0,
        3,
    ),
    choice("firefox_pre_4", "Firefox up to 3", Browser::Firefox, 0, 3),
    choice("chrome_pre_40", "Chrome up to 39", Browser::Chrome, 0, 39),
];

const fn choice(
    name: &'static str,
    label: &'static str,
    browser: Browser,
    from: u32,
    to: u32,
) -> Choice {
    Choice {
        name,
        label,
        browser,
        from,
        to,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Browser {
    Android,
    Chrome,
    Edge,
    Firefox,
    InternetExplorer,
    Opera,
    OperaMini,
    Safari,
}

pub(super) fn is_choice(name: &str) -> bool {
    CHOICES.iter().any(|choice| choice.name == name)
}

/// The choices of a project.
#[derive(Debug, Clone)]
pub(super) struct LegacyBrowsers(Vec<Choice>);

impl LegacyBrowsers {
    pub fn of(names: &[String]) -> Self {
        let is_chosen = |choice: &&Choice| names.iter().any(|name| name == choice.name);
        Self(CHOICES.iter().filter(is_chosen).copied().collect())
    }

    pub fn contain(&self, agent: &str) -> bool {
        !self.0.is_empty()
            && browser_of(agent).is_some_and(|(browser, version)| {
                self.0.iter().any(|choice| {
                    choice.browser == browser && (choice.from..=choice.to).contains(&version)
                })
            })
    }
}

/// The browser and its major version, if both are told.
fn browser_of(agent: &str) -> Option<(Browser, u32)> {
    let after = |token: &str| version_after(agent, token);
    if let Some(version) = after("Opera Mini/") {
        return Some((Browser::OperaMini, version));
    }
    if agent.starts_with("Opera") || agent.contains(" Opera ") {
        // From version 10 on it called itself 9.80 and told the truth at the end.
        let version = after("Version/").or(after("Opera/")).or(after("Opera "))?;
        return Some((Browser::Opera, version));
    }
    if let Some(version) = after("OPR/") {
        return Some((Browser::Opera, version));
    }
    if let Some(version) = after("Edge/").or(after("Edg/")) {
        return Some((Browser::Edge, version));
    }
    if let Some(version) = after("MSIE ") {
        return Some((Browser::InternetExplorer, version));
    }
    if agent.contains("Trident/") {
        return Some((Browser::InternetExplorer, after("rv:")?));
    }
    if let Some(version) = after("Firefox/") {
        return Some((Browser::Firefox, version));
    }
    if let Some(version) = after("Chrome/").or(after("Chromium/")) {
        return Some((Browser::Chrome, version));
    }
    if let Some(version) = after("Android ").filter(|_| agent.contains("Safari/")) {
        return Some((Browser::Android, version));
    }
    // Others on iOS have their own name instead of the version, on BlackBerry and Tizen beside it.
    let is_other = ["BB10", "BlackBerry", "Tizen", "SymbianOS", "Kindle"]
        .iter()
        .any(|name| agent.contains(name));
    let version = after("Version/").filter(|_| agent.contains("Safari/") && !is_other)?;
    Some((Browser::Safari, version))
}

/// The digits right after a token that is no end of a longer word.
fn version_after(agent: &str, token: &str) -> Option<u32> {
    let is_start = |at: usize| !agent[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let (at, _) = agent.match_indices(token).find(|(at, _)| is_start(*at))?;
    let rest = &agent[at + token.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart() {
        use Browser::{
            Android, Chrome, Edge, Firefox, InternetExplorer as Explorer, Opera, OperaMini, Safari,
        };
        for (agent, expected) in [
            (
                "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
                Some((Explorer, 8)),
            ),
            (
                "Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0)",
                Some((Explorer, 10)),
            ),
            (
                "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko",
                Some((Explorer, 11)),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
                Some((Edge, 18)),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0",
                Some((Edge, 120)),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) AppleWebKit/605.1.15 Version/17.0 EdgiOS/120.0 Mobile/15E148 Safari/604.1",
                Some((Safari, 17)),
            ),
            (
                "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16",
                Some((Opera, 12)),
            ),
            ("Opera/9.64 (X11; Linux)", Some((Opera, 9))),
            (
                "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1) Opera 8.50",
                Some((Opera, 8)),
            ),
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/100.0 Safari/537.36 OPR/86.0",
                Some((Opera, 86)),
            ),
            (
                "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
                Some((OperaMini, 7)),
            ),
            (
                "Mozilla/5.0 (X11; rv:109.0) Gecko/20100101 Firefox/115.0",
                Some((Firefox, 115)),
            ),
            (
                "Mozilla/5.0 (iPhone) AppleWebKit/605 FxiOS/115.0 Mobile/15E148 Safari/605",
                None,
            ),
            (
                "Mozilla/5.0 (iPhone) AppleWebKit/605 CriOS/115.0 Mobile/15E148 Safari/605",
                None,
            ),
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/115.0 Safari/537.36",
                None,
            ),
            (
                "Mozilla/5.0 (Linux; Android 4.4; Nexus 5 Build/_BuildID_) AppleWebKit/537.36 Version/4.0 Chrome/30.0.0.0 Mobile Safari/537.36",
                Some((Chrome, 30)),
            ),
            (
                "Mozilla/5.0 (Linux; U; Android 2.3.5; en-us) AppleWebKit/533.1 Version/4.0 Mobile Safari/533.1",
                Some((Android, 2)),
            ),
            (
                "Mozilla/5.0 (Linux; U; Android 4.0.3; de) AppleWebKit/534.30 Version/4.0 Mobile Safari/534.30",
                Some((Android, 4)),
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/534.57.2 Version/5.1.7 Safari/534.57.2",
                Some((Safari, 5)),
            ),
            (
                "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10 Version/10.0.9 Mobile Safari/537.10",
                None,
            ),
            ("okhttp/4.9", None),
            ("Chrome/", None),
            ("Firefox/99999999999", None),
            ("Version/5 Ä", None),
            ("", None),
        ] {
            assert_eq!(browser_of(agent), expected, "{agent}");
        }
    }

    #[test]
    fn only_chosen_generations_are_legacy() {
        for (choice, inside, outside) in [
            (
                "ie",
                &["MSIE 8.0", "Trident/7.0; rv:11.0"][..],
                &["Edge/18.0"][..],
            ),
            (
                "edge",
                &["Edge/18.0", "Edg/110.0"],
                &["Edg/111.0", "Chrome/90.0"],
            ),
            (
                "safari",
                &["Version/15.6 Safari/605"],
                &["Version/16.0 Safari/605"],
            ),
            (
                "firefox",
                &["Firefox/3.6", "Firefox/110.0"],
                &["Firefox/111.0"],
            ),
            (
                "chrome",
                &["Chrome/110.0"],
                &["Chrome/111.0", "Chrome/90.0 Edg/120.0"],
            ),
            (
                "opera",
                &["Chrome/113.0 OPR/99.0"],
                &["Chrome/114.0 OPR/100.0"],
            ),
            ("opera_mini", &["Opera Mini/34.0"], &["Opera Mini/35.0"]),
            (
                "android",
                &["Android 3.1; Safari/533"],
                &["Android 4.0; Safari/534"],
            ),
            ("ie_pre_9", &["MSIE 8.0"], &["MSIE 9.0"]),
            ("ie9", &["MSIE 9.0"], &["MSIE 8.0", "MSIE 10.0"]),
            (
                "ie10",
                &["MSIE 10.0"],
                &["MSIE 9.0", "Trident/7.0; rv:11.0"],
            ),
            ("ie11", &["Trident/7.0; rv:11.0"], &["MSIE 10.0"]),
            ("edge_pre_79", &["Edge/18.1"], &["Edg/79.0"]),
            (
                "safari_pre_6",
                &["Version/5.1 Safari/534"],
                &["Version/6.0 Safari/536"],
            ),
            ("opera_pre_15", &["Opera/9.80 Version/12.16"], &["OPR/15.0"]),
            ("opera_mini_pre_8", &["Opera Mini/7.1"], &["Opera Mini/8.0"]),
            (
                "android_pre_4",
                &["Android 2.3; Safari/533"],
                &["Android 4.0; Safari/534"],
            ),
            ("firefox_pre_4", &["Firefox/3.6"], &["Firefox/4.0"]),
            ("chrome_pre_40", &["Chrome/39.0"], &["Chrome/40.0"]),
        ] {
            assert!(is_choice(choice), "{choice}");
            let legacy = LegacyBrowsers::of(&[choice.to_owned()]);
            for agent in inside {
                assert!(legacy.contain(agent), "{choice} {agent}");
            }
            for agent in outside {
                assert!(!legacy.contain(agent), "{choice} {agent}");
            }
        }
        assert!(!LegacyBrowsers::of(&[]).contain("MSIE 8.0"));
        assert!(!LegacyBrowsers::of(&["netscape".to_owned()]).contain("MSIE 8.0"));
    }
}
