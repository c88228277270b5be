//! In: an issue's variant. Out: its event as the Python SDK words it, with source context and local variables.

use super::{
    AMOUNT, EVENT_BYTES, EVENT_ID, ORDER, SPAN_ID, Subject, TIME, TRACE_ID, USER, breadcrumbs,
};
use crate::random::Random;

const EXCEPTIONS: [(&str, &str); 5] = [
    ("KeyError", "'price'"),
    (
        "ValueError",
        "invalid literal for int() with base 10: 'ORDERNUMx'",
    ),
    ("TimeoutError", "order ORDERNUM was not answered in time"),
    (
        "PaymentError",
        "amount AMT.CT of order ORDERNUM was declined",
    ),
    (
        "AttributeError",
        "'NoneType' object has no attribute 'total'",
    ),
];

pub(super) fn event(subject: &Subject, random: &mut Random) -> String {
    let Subject {
        verb,
        noun,
        issue,
        release,
        environment,
        server,
        shard,
    } = subject;
    let (kind, value) = EXCEPTIONS[issue % EXCEPTIONS.len()];
    let line = 20 + issue % 170;
    let frames = [
        frame(
            "django/core/handlers/exception.py",
            "django.core.handlers.exception",
            "inner",
            55,
            false,
            subject,
        ),
        frame(
            "django/core/handlers/base.py",
            "django.core.handlers.base",
            "_get_response",
            197,
            false,
            subject,
        ),
        frame(
            "shop/views.py",
            "shop.views",
            &format!("{noun}_view{shard}"),
            line + 40,
            true,
            subject,
        ),
        frame(
            &format!("shop/{noun}s.py"),
            &format!("shop.{noun}s"),
            &format!("{verb}_{noun}{shard}"),
            line,
            true,
            subject,
        ),
    ]
    .join(",");
    let before = format!(
        "{{\"level\":\"error\",\"exception\":{{\"values\":[{{\"mechanism\":{{\"type\":\"django\",\"handled\":false}},\
         \"module\":null,\"type\":\"{kind}\",\"value\":\"{value}\",\"stacktrace\":{{\"frames\":[{frames}]}}}}]}},\
         \"event_id\":\"{EVENT_ID}\",\"timestamp\":\"{TIME}\",\"transaction\":\"/{noun}s/{{id}}/{verb}\",\
         \"contexts\":{{\"trace\":{{\"trace_id\":\"{TRACE_ID}\",\"span_id\":\"{SPAN_ID}\",\"parent_span_id\":null}},\
         \"runtime\":{{\"name\":\"CPython\",\"version\":\"3.11.7\",\"build\":\"3.11.7 (main, May  9 2026, 07:35:25) [GCC 12.2.0]\"}}}},\
         \"transaction_info\":{{}},\"breadcrumbs\":{{\"values\":["
    );
    let after = format!(
        "]}},\"user\":{{\"id\":\"{USER}\",\"email\":\"customer-{USER}@example.com\",\"username\":\"customer-{USER}\"}},\
         \"tags\":{{\"checkout.step\":\"{verb}\",\"warehouse\":\"{}\"}},\"extra\":{{\"sys.argv\":[\"/srv/app/manage.py\",\"runserver\"]}},\
         \"request\":{{\"url\":\"https://shop.example.com/{noun}s/{ORDER}/{verb}\",\"method\":\"POST\",\"query_string\":\"step=2&order={ORDER}\",\
         \"headers\":{{\"Host\":\"shop.example.com\",\"User-Agent\":\"Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0\",\
         \"Accept\":\"text/html,application/xhtml+xml\",\"Accept-Language\":\"en-GB,en;q=0.5\"}},\"env\":{{\"SERVER_NAME\":\"{server}\",\"SERVER_PORT\":\"8000\"}}}},\
         \"modules\":{{\"urllib3\":\"2.8.0\",\"sqlparse\":\"0.6.1\",\"jinja2\":\"3.1.6\",\"sentry-sdk\":\"2.75.0\",\"django\":\"5.2.19\",\"asgiref\":\"3.13.0\",\"certifi\":\"2026.10.18\"}},\
         \"release\":\"{release}\",\"environment\":\"{environment}\",\"server_name\":\"{server}\",\
         \"sdk\":{{\"name\":\"sentry.python.django\",\"version\":\"2.75.0\",\"packages\":[{{\"name\":\"pypi:sentry-sdk\",\"version\":\"2.75.0\"}}],\
         \"integrations\":[\"argv\",\"atexit\",\"dedupe\",\"django\",\"excepthook\",\"logging\",\"modules\",\"stdlib\",\"threading\"]}},\"platform\":\"python\"}}",
        random.pick(&["leipzig", "porto", "gdansk", "malmo"])
    );
    let room = EVENT_BYTES.saturating_sub(before.len() + after.len());
    format!("{before}{}{after}", breadcrumbs(random, room))
}

fn frame(
    file: &str,
    module: &str,
    function: &str,
    line: usize,
    in_app: bool,
    subject: &Subject,
) -> String {
    let Subject { verb, noun, .. } = subject;
    let variables = if in_app {
        format!(
            "{{\"self\":\"<shop.{noun}s.Service object at 0x7f{ORDER}>\",\"order\":\"'{ORDER}'\",\"amount\":\"{AMOUNT}\",\"customer\":\"{USER}\"}}"
        )
    } else {
        format!("{{\"request\":\"<WSGIRequest: POST '/{noun}s/{ORDER}/{verb}'>\"}}")
    };
    format!(
        "{{\"filename\":\"{file}\",\"abs_path\":\"/srv/app/{file}\",\"function\":\"{function}\",\"module\":\"{module}\",\"lineno\":{line},\
         \"pre_context\":[\"def {function}(self, order, amount):\",\"    # the {noun} may have changed meanwhile\",\"    {noun} = self.find(order)\"],\
         \"context_line\":\"    return {noun}.{verb}(amount, customer)\",\
         \"post_context\":[\"\",\"\",\"def find_{noun}(self, order):\"],\"vars\":{variables},\"in_app\":{in_app}}}"
    )
}
