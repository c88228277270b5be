//! In: random numbers. Out: envelopes with one error event of about 5.5 KB each, in the form the Python and browser SDKs
//! send: 500 issues with a Zipf distribution, 8 variants of each (release, environment, server, browser), and in every
//! event an id, trace, time, user, order and amount of its own. Of more issues than 500, each has its turn in every other
//! event, so that all of them exist.

mod javascript;
mod python;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::random::Random;

/// Issues that differ in more than a function's name; also how many there are unless told otherwise.
pub const ISSUES: usize = 500;
const VARIANTS: usize = 8;
const USERS: u64 = 5_000;
const EVENT_BYTES: usize = 5_500;

// Stand-ins of the width of what replaces them, so that lengths and offsets stay.
const EVENT_ID: &str = "EVENT-ID-EVENT-ID-EVENT-ID-EVENT";
const TRACE_ID: &str = "TRACE-ID-TRACE-ID-TRACE-ID-TRACE";
const SPAN_ID: &str = "SPAN-ID-SPAN-ID-";
const TIME: &str = "TIME-TIME-TIME-TIME-TIME-TI";
const USER: &str = "USERID";
const ORDER: &str = "ORDERNUM";
const AMOUNT: &str = "AMT.CT";
const SHARD: &str = "_SHARDX";

const VERBS: [&str; 25] = [
    "reserve",
    "price",
    "ship",
    "refund",
    "index",
    "render",
    "import",
    "export",
    "sign",
    "verify",
    "load",
    "store",
    "merge",
    "split",
    "notify",
    "charge",
    "cancel",
    "restore",
    "compress",
    "rank",
    "assign",
    "archive",
    "publish",
    "translate",
    "schedule",
];
const NOUNS: [&str; 20] = [
    "basket",
    "order",
    "invoice",
    "catalogue",
    "article",
    "customer",
    "coupon",
    "shipment",
    "stock",
    "voucher",
    "address",
    "image",
    "review",
    "payment",
    "session",
    "label",
    "report",
    "supplier",
    "tariff",
    "wishlist",
];
const ENVIRONMENTS: [&str; 4] = ["production", "production", "production", "staging"];

/// What tells one issue's variant from another's.
struct Subject {
    verb: &'static str,
    noun: &'static str,
    issue: usize,
    release: String,
    environment: &'static str,
    server: String,
    /// Ends the names of functions where there are more issues than templates.
    shard: &'static str,
}

pub struct Catalogue {
    issues: usize,
    templates: Vec<Template>,
    /// The share of issues up to each one, for choosing by a number between 0 and 1.
    shares: Vec<f64>,
}

struct Template {
    envelope: Vec<u8>,
    holes: Vec<(usize, Hole)>,
}

#[derive(Clone, Copy)]
enum Hole {
    EventId,
    TraceId,
    SpanId,
    Time,
    User,
    Order,
    Amount,
    Shard,
}

impl Catalogue {
    pub fn new(issues: usize) -> Self {
        let kinds = issues.clamp(1, ISSUES);
        let shard = if issues > ISSUES { SHARD } else { "" };
        // The same catalogue in every run, so that runs can be compared.
        let mut random = Random::new(17);
        let mut templates = Vec::with_capacity(kinds * VARIANTS);
        for issue in 0..kinds {
            for variant in 0..VARIANTS {
                let subject = Subject {
                    verb: VERBS[issue % VERBS.len()],
                    noun: NOUNS[issue / VERBS.len() % NOUNS.len()],
                    issue,
                    release: format!("shop@2026.{}.{}", 9 + variant % 3, random.below(6)),
                    environment: ENVIRONMENTS[random.below(4) as usize],
                    server: format!("app-{}.internal", 1 + random.below(12)),
                    shard,
                };
                let event = if issue % 5 < 3 {
                    python::event(&subject, &mut random)
                } else {
                    javascript::event(&subject, &mut random)
                };
                templates.push(Template::new(&envelope(&subject, &event)));
            }
        }
        let weights: Vec<f64> = (1..=kinds).map(|rank| 1.0 / rank as f64).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let shares = weights
            .iter()
            .map(|weight| {
                sum += weight / total;
                sum
            })
            .collect();
        Self {
            issues: issues.max(1),
            templates,
            shares,
        }
    }

    /// One issue only, whose envelope has the stand-ins already.
    pub fn of_envelope(envelope: &[u8]) -> Self {
        let envelope = String::from_utf8_lossy(envelope);
        Self {
            issues: 1,
            templates: (0..VARIANTS).map(|_| Template::new(&envelope)).collect(),
            shares: vec![1.0],
        }
    }

    /// Writes an event and says of which issue; `turn` grows by one with each event.
    pub fn write(&self, random: &mut Random, turn: u64, out: &mut Vec<u8>) -> usize {
        let kinds = self.shares.len();
        let issue = if self.issues > kinds && turn.is_multiple_of(2) {
            (turn / 2 % self.issues as u64) as usize
        } else {
            let draw = random.unit();
            let kind = self.shares.partition_point(|share| *share < draw);
            kind.min(kinds - 1)
        };
        let variant = random.below(VARIANTS as u64) as usize;
        let template = &self.templates[issue % kinds * VARIANTS + variant];
        template.write(random, issue / kinds, out);
        issue
    }
}

fn envelope(subject: &Subject, event: &str) -> String {
    let Subject {
        release,
        environment,
        ..
    } = subject;
    format!(
        "{{\"event_id\":\"{EVENT_ID}\",\"sent_at\":\"{TIME}\",\"trace\":{{\"trace_id\":\"{TRACE_ID}\",\
         \"environment\":\"{environment}\",\"release\":\"{release}\"}}}}\n\
         {{\"type\":\"event\",\"content_type\":\"application/json\",\"length\":{}}}\n{event}\n",
        event.len()
    )
}

/// Breadcrumbs until the event has its size: what SDKs collect varies most in this.
fn breadcrumbs(random: &mut Random, room: usize) -> String {
    const CATEGORIES: [&str; 4] = ["httplib", "query", "navigation", "ui.click"];
    let mut list = String::new();
    loop {
        let (verb, noun) = (random.pick(&VERBS), random.pick(&NOUNS));
        let crumb = format!(
            "{{\"type\":\"default\",\"category\":\"{}\",\"level\":\"info\",\"timestamp\":\"{TIME}\",\
             \"message\":\"{verb} {noun} {} for customer {} took {} ms\"}}",
            random.pick(&CATEGORIES),
            random.below(90_000_000),
            random.below(100_000),
            random.below(900),
        );
        if list.len() + crumb.len() + 1 > room {
            return list;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&crumb);
    }
}

impl Template {
    fn new(envelope: &str) -> Self {
        let kinds = [
            (EVENT_ID, Hole::EventId),
            (TRACE_ID, Hole::TraceId),
            (SPAN_ID, Hole::SpanId),
            (TIME, Hole::Time),
            (USER, Hole::User),
            (ORDER, Hole::Order),
            (AMOUNT, Hole::Amount),
            (SHARD, Hole::Shard),
        ];
        let mut holes = Vec::new();
        for (mark, hole) in kinds {
            holes.extend(envelope.match_indices(mark).map(|(at, _)| (at, hole)));
        }
        Self {
            envelope: envelope.as_bytes().to_vec(),
            holes,
        }
    }

    fn write(&self, random: &mut Random, shard: usize, out: &mut Vec<u8>) {
        let mut event_id = hex(random_128(random));
        // Version 4, as SDKs make them.
        event_id[12] = b'4';
        let trace_id = hex(random_128(random));
        let time = timestamp(SystemTime::now());
        let user = format!("{:06}", 100_000 + random.below(USERS));
        let order = format!("{:08}", random.below(100_000_000));
        let amount = format!("{:03}.{:02}", random.below(1_000), random.below(100));
        let shard = letters(shard);
        let start = out.len();
        out.extend_from_slice(&self.envelope);
        for (at, hole) in &self.holes {
            let value = match hole {
                Hole::EventId => &event_id[..],
                Hole::TraceId => &trace_id[..],
                Hole::SpanId => &trace_id[8..24],
                Hole::Time => time.as_bytes(),
                Hole::User => user.as_bytes(),
                Hole::Order => order.as_bytes(),
                Hole::Amount => amount.as_bytes(),
                Hole::Shard => &shard[..],
            };
            out[start + at..start + at + value.len()].copy_from_slice(value);
        }
    }
}

fn random_128(random: &mut Random) -> u128 {
    (u128::from(random.next()) << 64) | u128::from(random.next())
}

/// `_aaaaab` for 1: letters, because numbers in names count as variable parts.
fn letters(mut rest: usize) -> [u8; 7] {
    let mut text = *b"_aaaaaa";
    for letter in text[1..].iter_mut().rev() {
        *letter = b'a' + (rest % 26) as u8;
        rest /= 26;
    }
    text
}

fn hex(mut rest: u128) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(rest & 15) as usize];
        rest >>= 4;
    }
    text
}

/// `2026-11-21T01:09:51.130363Z`; the calendar of a day number after Howard Hinnant's `civil_from_days`.
fn timestamp(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        since.subsec_micros()
    )
}
