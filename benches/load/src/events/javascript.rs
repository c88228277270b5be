//! In: an issue's variant. Out: its event as the browser SDK words it, without source context.

use super::{
    AMOUNT, EVENT_BYTES, EVENT_ID, ORDER, SPAN_ID, Subject, TIME, TRACE_ID, USER, breadcrumbs,
};
use crate::random::Random;

const EXCEPTIONS: [(&str, &str); 4] = [
    (
        "TypeError",
        "Cannot read properties of undefined (reading 'amount')",
    ),
    ("Error", "order ORDERNUM rejected with status 500"),
    (
        "BasketError",
        "quantity of article ORDERNUM must be positive",
    ),
    ("RangeError", "Invalid time value"),
];
const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
];

pub(super) fn event(subject: &Subject, random: &mut Random) -> String {
    let Subject {
        verb,
        noun,
        issue,
        release,
        environment,
        shard,
        ..
    } = subject;
    let (kind, value) = EXCEPTIONS[issue % EXCEPTIONS.len()];
    let column = 11 + issue % 60;
    let calls = [
        "dispatchEvent",
        "HTMLButtonElement.handle",
        "callback",
        "flushWork",
        "performWork",
        "commitRoot",
        "runEffects",
        "retry",
        "Queue.next",
    ];
    let mut frames: Vec<String> = calls
        .iter()
        .enumerate()
        .map(|(number, function)| {
            format!(
                "{{\"filename\":\"https://shop.example.com/static/js/vendor.js\",\"function\":\"{function}\",\"lineno\":{},\"colno\":{},\"in_app\":true}}",
                2_000 + number * 137,
                7 + number * 3
            )
        })
        .collect();
    for (function, line) in [
        (format!("on{noun}Click{shard}"), 31),
        (format!("{noun}Service.{verb}{shard}"), 120 + issue % 90),
    ] {
        frames.push(format!(
            "{{\"filename\":\"https://shop.example.com/static/js/{noun}/{verb}.js\",\"function\":\"{function}\",\"lineno\":{line},\"colno\":{column},\"in_app\":true}}"
        ));
    }
    let before = format!(
        "{{\"exception\":{{\"values\":[{{\"type\":\"{kind}\",\"value\":\"{value}\",\"stacktrace\":{{\"frames\":[{}]}},\
         \"mechanism\":{{\"type\":\"auto.browser.global_handlers.onerror\",\"handled\":false}}}}]}},\
         \"level\":\"error\",\"event_id\":\"{EVENT_ID}\",\"platform\":\"javascript\",\"timestamp\":\"{TIME}\",\
         \"request\":{{\"url\":\"https://shop.example.com/{noun}s/{ORDER}?step={verb}\",\"headers\":{{\"Referer\":\"https://shop.example.com/\",\"User-Agent\":\"{}\"}}}},\
         \"contexts\":{{\"trace\":{{\"trace_id\":\"{TRACE_ID}\",\"span_id\":\"{SPAN_ID}\"}},\"basket\":{{\"total\":\"{AMOUNT}\",\"articles\":{},\"voucher\":\"{verb}-{ORDER}\"}}}},\
         \"breadcrumbs\":[",
        frames.join(","),
        random.pick(&BROWSERS),
        random.below(40),
    );
    let after = format!(
        "],\"user\":{{\"id\":\"{USER}\",\"email\":\"customer-{USER}@example.com\"}},\"tags\":{{\"section\":\"{noun}\",\"experiment\":\"{}\"}},\
         \"environment\":\"{environment}\",\"release\":\"{release}\",\"extra\":{{\"arguments\":[{{\"type\":\"click\",\"target\":\"body > main > button#{verb}.primary\",\"order\":\"{ORDER}\"}}]}},\
         \"sdk\":{{\"integrations\":[\"InboundFilters\",\"FunctionToString\",\"BrowserApiErrors\",\"Breadcrumbs\",\"GlobalHandlers\",\"LinkedErrors\",\"Dedupe\",\"HttpContext\",\"BrowserSession\"],\
         \"name\":\"sentry.javascript.browser\",\"version\":\"11.12.0\",\"packages\":[{{\"name\":\"npm:@sentry/browser\",\"version\":\"11.12.0\"}}]}}}}",
        random.pick(&["a", "b", "control"])
    );
    let room = EVENT_BYTES.saturating_sub(before.len() + after.len());
    format!("{before}{}{after}", breadcrumbs(random, room))
}
