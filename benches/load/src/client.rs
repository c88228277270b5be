//! In: a plan. Out: the report of its run. Every connection sends its next request when the last one is answered; HTTP
//! is spoken by hand, because a client library would cost as much as the server that is measured.

use std::io;
use std::io::Write as _;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::events::Catalogue;
use crate::random::Random;
use crate::report::Report;

pub struct Plan {
    /// Every issue belongs to one of them.
    pub targets: Vec<Target>,
    pub connections: u64,
    pub seconds: Duration,
    /// Instead of a time, a number of requests.
    pub requests: Option<u64>,
    pub gzip: bool,
    pub seed: u64,
    pub issues: usize,
    /// What to send instead of the usual events: an envelope with EVENT-ID-EVENT-ID-EVENT-ID-EVENT where its event's id goes.
    pub envelope: Option<Vec<u8>>,
    /// Requests a second of all connections together; as fast as they are answered where there is none.
    pub rate: Option<f64>,
    /// A key that nobody has, another one in each request.
    pub unknown_keys: bool,
}

/// A DSN taken apart: `http://KEY@HOST:PORT/PROJECT`.
#[derive(Clone)]
pub struct Target {
    pub host: String,
    key: String,
    project: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(dsn: &str) -> Result<Self, String> {
        let wrong = || format!("not a DSN such as http://key@127.0.0.1:8000/1: {dsn:?}");
        let rest = dsn.strip_prefix("http://").ok_or_else(wrong)?;
        let (key, rest) = rest.split_once('@').ok_or_else(wrong)?;
        let (host, project) = rest.split_once('/').ok_or_else(wrong)?;
        Ok(Self {
            host: host.replace("localhost", "127.0.0.1"),
            key: key.to_owned(),
            project: project.to_owned(),
        })
    }
}

/// When to stop: a moment, or a number of requests that all connections take from; and when to send.
struct Budget {
    begin: Instant,
    end: Instant,
    most: Option<u64>,
    pause: Option<Duration>,
    taken: AtomicU64,
}

impl Budget {
    /// The number of the next request and when it is due.
    fn take(&self) -> Option<(u64, Instant)> {
        let turn = self.taken.fetch_add(1, Ordering::Relaxed);
        let due = match self.pause {
            Some(pause) => self.begin + pause.mul_f64(turn as f64),
            None => self.begin,
        };
        let more = match self.most {
            Some(most) => turn < most,
            None => due < self.end && Instant::now() < self.end,
        };
        more.then_some((turn, due))
    }
}

pub fn send(plan: &Plan) -> Result<Report, String> {
    let catalogue = Arc::new(match &plan.envelope {
        Some(envelope) => Catalogue::of_envelope(envelope),
        None => Catalogue::new(plan.issues),
    });
    let begin = Instant::now();
    let budget = Arc::new(Budget {
        begin,
        end: begin + plan.seconds,
        most: plan.requests,
        pause: plan.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        taken: AtomicU64::new(0),
    });
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get() as u64);
    let handles: Vec<_> = (0..threads.min(plan.connections))
        .map(|thread| {
            let mine = (thread..plan.connections).step_by(threads as usize);
            let connections: Vec<_> = mine
                .map(|number| Connection {
                    targets: plan.targets.clone(),
                    gzip: plan.gzip,
                    unknown_keys: plan.unknown_keys,
                    random: Random::new(plan.seed.wrapping_mul(1_000_003).wrapping_add(number)),
                    catalogue: Arc::clone(&catalogue),
                    budget: Arc::clone(&budget),
                    report: Report::default(),
                })
                .collect();
            std::thread::spawn(move || run_thread(connections))
        })
        .collect();
    let mut report = Report::default();
    for handle in handles {
        let part = handle.join().map_err(|_| "a load thread panicked")?;
        report.add(part.map_err(|error| error.to_string())?);
    }
    Ok(report)
}

fn run_thread(connections: Vec<Connection>) -> io::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let tasks: Vec<_> = connections
            .into_iter()
            .map(|connection| tokio::task::spawn_local(connection.run()))
            .collect();
        let mut report = Report::default();
        for task in tasks {
            report.add(task.await.map_err(io::Error::other)?);
        }
        Ok(report)
    })
}

struct Connection {
    targets: Vec<Target>,
    gzip: bool,
    unknown_keys: bool,
    random: Random,
    catalogue: Arc<Catalogue>,
    budget: Arc<Budget>,
    report: Report,
}

impl Connection {
    async fn run(mut self) -> Report {
        let began = Instant::now();
        let mut streams: Vec<Option<TcpStream>> = self.targets.iter().map(|_| None).collect();
        let mut request = Vec::with_capacity(16 * 1024);
        let mut envelope = Vec::with_capacity(16 * 1024);
        let mut answer = vec![0; 16 * 1024];
        // All targets of one server share a connection.
        let one_host = self
            .targets
            .iter()
            .all(|one| one.host == self.targets[0].host);
        while let Some((turn, due)) = self.budget.take() {
            tokio::time::sleep_until(due.into()).await;
            let target = self.write_request(turn, &mut request, &mut envelope);
            let stream = &mut streams[if one_host { 0 } else { target }];
            let sent = Instant::now();
            match exchange(&self.targets[target].host, stream, &request, &mut answer).await {
                Ok(status) => {
                    *self.report.statuses.entry(status).or_default() += 1;
                    self.report.bytes += request.len() as u64;
                    let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
                    self.report.latencies.push(micros);
                }
                Err(_) => {
                    self.report.broken += 1;
                    *stream = None;
                    // A server that is gone must not be asked a million times.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        self.report.elapsed = began.elapsed();
        self.report
    }

    /// Returns the number of the target that the request is for.
    fn write_request(&mut self, turn: u64, request: &mut Vec<u8>, envelope: &mut Vec<u8>) -> usize {
        envelope.clear();
        request.clear();
        let issue = self.catalogue.write(&mut self.random, turn, envelope);
        if self.gzip {
            let mut encoder = GzEncoder::new(Vec::with_capacity(4096), Compression::fast());
            *envelope = encoder
                .write_all(envelope)
                .and_then(|()| encoder.finish())
                .expect("writing to memory does not fail");
        }
        let target = issue % self.targets.len();
        let Target { host, key, project } = &self.targets[target];
        let made_up;
        let key = if self.unknown_keys {
            made_up = format!("{:016x}{:016x}", self.random.next(), self.random.next());
            &made_up
        } else {
            key
        };
        let encoding = if self.gzip {
            "Content-Encoding: gzip\r\n"
        } else {
            ""
        };
        write!(
            request,
            "POST /api/{project}/envelope/ HTTP/1.1\r\nHost: {host}\r\nUser-Agent: sentry.python/2.75.0\r\n\
             Content-Type: application/x-sentry-envelope\r\n{encoding}Content-Length: {}\r\n\
             X-Sentry-Auth: Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2.75.0\r\n\r\n",
            envelope.len()
        )
        .expect("writing to memory does not fail");
        request.extend_from_slice(envelope);
        target
    }
}

/// One request and its answer's status on a connection that is opened where there is none.
pub async fn exchange(
    host: &str,
    stream: &mut Option<TcpStream>,
    request: &[u8],
    answer: &mut Vec<u8>,
) -> io::Result<u16> {
    let open = match stream.take() {
        Some(open) => open,
        None => connect(host).await?,
    };
    let open = stream.insert(open);
    open.write_all(request).await?;
    let mut filled = 0;
    loop {
        let read = open.read(&mut answer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(head) = find(&answer[..filled], b"\r\n\r\n") {
            let parsed = parse_head(&answer[..head])?;
            let whole = match parsed.length {
                Some(length) => filled >= head + 4 + length,
                None => answer[head + 4..filled].ends_with(b"0\r\n\r\n"),
            };
            if whole {
                if parsed.close {
                    *stream = None;
                }
                return Ok(parsed.status);
            }
        }
        if filled == answer.len() {
            if filled > LONGEST_ANSWER {
                return Err(io::Error::other("the answer is too long"));
            }
            answer.resize(2 * filled, 0);
        }
    }
}

const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

async fn connect(host: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

struct Head {
    status: u16,
    /// None: the body comes in chunks.
    length: Option<usize>,
    close: bool,
}

fn parse_head(head: &[u8]) -> io::Result<Head> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let text = std::str::from_utf8(head).map_err(|_| wrong())?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(wrong)?;
    let mut parsed = Head {
        status,
        length: Some(0),
        close: false,
    };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            parsed.length = Some(value.trim().parse().map_err(|_| wrong())?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            parsed.length = None;
        } else if name.eq_ignore_ascii_case("connection") {
            parsed.close = value.trim().eq_ignore_ascii_case("close");
        }
    }
    Ok(parsed)
}
