//! In: the requests that a mirror makes. Out: another tracker, as far as a mirror sees one: it remembers what it was sent
//! and answers as it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Unpacked.
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// The header of the envelope.
    pub fn envelope_header(&self) -> Value {
        let line = self.body.split(|byte| *byte == b'\n').next();
        serde_json::from_slice(line.expect("an envelope has a line")).expect("a header is JSON")
    }
}

#[derive(Clone, Debug)]
pub enum Manners {
    /// The status line, and header lines each with its line end.
    Answers(String),
    /// Takes the request and never says a word.
    Hangs,
}

struct State {
    manners: Mutex<Manners>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
}

pub struct Tracker {
    address: SocketAddr,
    state: Arc<State>,
}

impl Tracker {
    pub fn open() -> Self {
        Self::with(Manners::Answers("200 OK\r\n".to_owned()))
    }

    pub fn with(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let state = Arc::new(State {
            manners: Mutex::new(manners),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let state = Arc::clone(&shared);
                thread::spawn(move || converse(&stream, &state));
            }
        });
        Self { address, state }
    }

    pub fn dsn(&self, key: &str, project: u64) -> String {
        format!("http://{key}@{}/{project}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

/// Answers requests on a connection until the other side ends it.
fn converse(stream: &TcpStream, state: &State) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        state
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        let manners = state
            .manners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match manners {
            Manners::Answers(head) => {
                let answer = format!("HTTP/1.1 {head}content-length: 2\r\n\r\n{{}}");
                let mut out = stream;
                if out.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Manners::Hangs => {
                // Ends when the other side has lost its patience.
                let _ = reader.read(&mut [0u8; 1]);
                return;
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let value = |name: &str| {
        headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|h| h.1.clone())
    };
    let length = value("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0u8; length];
    reader.read_exact(&mut body).ok()?;
    if value("content-encoding").as_deref() == Some("gzip") {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&body[..])
            .read_to_end(&mut unpacked)
            .expect("the body is gzip");
        body = unpacked;
    }
    Some(Request {
        path,
        headers,
        body,
    })
}
