//! Who is no person: programs that index the web or look whether a service is up.
//! In: user agents. Out: whether one is of such a program.

/// Parts of names, in lower case, that no browser has. What calls itself a bot needs no entry.
const CRAWLERS: [&str; 24] = [
    "spider",
    "crawler",
    "crawling",
    "slurp",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-externalagent",
    "mediapartners-google",
    "google-inspectiontool",
    "google-read-aloud",
    "googleother",
    "apis-google",
    "feedfetcher",
    "bingpreview",
    "chrome-lighthouse",
    "ia_archiver",
    "pingdom",
    "betteruptime",
    "better uptime",
    "statuscake",
    "site24x7",
    "gtmetrix",
    "ptst/",
    "datadogsynthetics",
];

const PROBES: [&str; 12] = [
    "kube-probe",
    "elb-healthchecker",
    "googlehc",
    "googlestackdrivermonitoring",
    "prometheus",
    "blackbox-exporter",
    "uptimerobot",
    "uptime-kuma",
    "amazon-route53-health-check",
    "consul health check",
    "azure traffic manager endpoint monitor",
    "haproxy health",
];

pub(super) fn is_crawler(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    // Slack sends requests for its users under this name; what reads links has a longer one.
    let is_slack = agent.contains("slackbot 1.");
    !is_slack && (is_called_bot(&agent) || CRAWLERS.iter().any(|name| agent.contains(name)))
}

pub(super) fn is_probe(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    PROBES.iter().any(|name| agent.contains(name))
}

/// Whether a word ends in "bot". Cubot makes telephones.
fn is_called_bot(agent: &str) -> bool {
    agent.match_indices("bot").any(|(at, bot)| {
        let goes_on = agent[at + bot.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        !goes_on && !agent[..at].ends_with("cu")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_people() {
        for (agent, crawler, probe) in [
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                true,
                false,
            ),
            ("Googlebot-Image/1.0", true, false),
            (
                "AdsBot-Google (+http://www.google.com/adsbot.html)",
                true,
                false,
            ),
            ("Mozilla/5.0 (compatible; bingbot/2.0)", true, false),
            ("SomeBot", true, false),
            ("Mozilla/5.0 (compatible; MJ12bot; x)", true, false),
            (
                "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
                true,
                false,
            ),
            ("Mozilla/5.0 (compatible; Baiduspider/2.0)", true, false),
            ("Bytespider", true, false),
            ("Mozilla/5.0 (compatible; Yahoo! Slurp)", true, false),
            ("facebookexternalhit/1.1", true, false),
            ("HubSpot Crawler", true, false),
            ("Better Uptime Bot Mozilla/5.0", true, false),
            (
                "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
                true,
                false,
            ),
            ("Slackbot 1.0 (+https://api.slack.com/robots)", false, false),
            ("kube-probe/1.27", false, true),
            ("ELB-HealthChecker/2.0", false, true),
            ("GoogleHC/1.0", false, true),
            ("Prometheus/2.45.0", false, true),
            (
                "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
                true,
                true,
            ),
            ("Uptime-Kuma/1.23", false, true),
            (
                "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
                false,
                false,
            ),
            (
                "Mozilla/5.0 (Linux; Android 9; CUBOT_P40) Chrome/120.0",
                false,
                false,
            ),
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/115.0 Safari/537.36",
                false,
                false,
            ),
            (
                "Mozilla/5.0 (X11; rv:109.0) Gecko/20100101 Firefox/115.0",
                false,
                false,
            ),
            ("https://example.com/robots.txt reader", false, false),
            ("robotics-app/1.0 bottle/0.12", false, false),
            ("python-requests/2.31", false, false),
            ("bötbot", true, false),
            ("", false, false),
        ] {
            assert_eq!(
                (is_crawler(agent), is_probe(agent)),
                (crawler, probe),
                "{agent}"
            );
        }
    }
}
