//! Counts of all nodes together, through Redis. In: what this node took since the last time. Out: what all of them took.
//! A Redis that is away changes nothing but this: each node then knows its own events only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::RedisResult;

use super::window::Delta;
use super::{Limits, Span, Subject};
use crate::queue::redis_connection::{Connection, connect};

const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// After a failure Redis is left alone for this long.
const REST: Duration = Duration::from_secs(3);
/// Windows in one round trip.
const AT_ONCE: usize = 500;

/// Adds what is new. A Redis that lost its data learns again what this node knows.
const SCRIPT: &str = "local total = redis.call('INCRBY', KEYS[1], ARGV[1]) \
    if total < tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[2]) total = tonumber(ARGV[2]) end \
    redis.call('EXPIRE', KEYS[1], ARGV[3]) return total";

/// This node's way to the others.
pub struct Exchange {
    url: String,
    prefix: String,
    connection: Option<Connection>,
    rest_until: Option<Instant>,
}

struct Change {
    subject: Arc<Subject>,
    span: Span,
    delta: Delta,
}

impl Exchange {
    pub fn new(url: &str, prefix: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: prefix.to_owned(),
            connection: None,
            rest_until: None,
        }
    }

    /// Tells and asks; blocks for about a second at most.
    pub fn run(&mut self, limits: &Limits, now_ms: i64) {
        if self.rest_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let changes = changes(limits, now_ms);
        if changes.is_empty() {
            return;
        }
        match self.send(&changes) {
            Ok(()) => {
                if self.rest_until.take().is_some() {
                    tracing::info!("limits are shared between nodes again");
                }
            }
            Err(error) => {
                if self.rest_until.is_none() {
                    tracing::warn!(%error, "limits are not shared between nodes until Redis is back; each node counts its own");
                }
                self.connection = None;
                self.rest_until = Some(Instant::now() + REST);
                // What was not told is told next time, also if nobody asks before.
                for change in changes {
                    change.subject.lock().touch(change.span, change.delta.index);
                }
            }
        }
    }

    fn send(&mut self, changes: &[Change]) -> RedisResult<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => empty.insert(connect(&self.url, ANSWER_WITHIN, ANSWER_WITHIN)?),
        };
        for changes in changes.chunks(AT_ONCE) {
            let mut pipe = redis::pipe();
            for change in changes {
                pipe.cmd("EVAL")
                    .arg(SCRIPT)
                    .arg(1)
                    .arg(name(&self.prefix, change))
                    .arg(change.delta.own)
                    .arg(change.delta.known)
                    .arg(kept_for_s(change.span));
            }
            let totals: Vec<i64> = pipe.query(connection)?;
            for (change, total) in changes.iter().zip(totals) {
                change.subject.lock().told(change.span, change.delta, total);
            }
        }
        Ok(())
    }
}

fn changes(limits: &Limits, now_ms: i64) -> Vec<Change> {
    let mut changes = Vec::new();
    for subject in limits.subjects() {
        for span in [Span::Minute, Span::Month] {
            if subject.limit(span) == 0 {
                continue;
            }
            let delta = subject.lock().delta(span, now_ms);
            if let Some(delta) = delta {
                changes.push(Change {
                    subject: Arc::clone(&subject),
                    span,
                    delta,
                });
            }
        }
    }
    changes
}

fn name(prefix: &str, change: &Change) -> String {
    let span = match change.span {
        Span::Minute => "minute",
        Span::Month => "month",
    };
    format!(
        "{prefix}:taken:{}:{}:{span}:{}",
        change.subject.scope.as_str(),
        change.subject.id,
        change.delta.index
    )
}

fn kept_for_s(span: Span) -> i64 {
    match span {
        Span::Minute => 180,
        Span::Month => 40 * 86_400,
    }
}
