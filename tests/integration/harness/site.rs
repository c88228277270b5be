//! In: what stands under which path. Out: a web server of somebody else, as far as Bugle sees one when it fetches scripts: it remembers
//! which paths were asked for.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

#[derive(Clone, Debug)]
pub enum Page {
    /// Header lines, each with its line end, and the body.
    Content(String, Vec<u8>),
    Moved(String),
    /// Takes the request and never says a word.
    Hangs,
    /// Bytes without end.
    Endless,
}

#[derive(Default)]
struct State {
    pages: Mutex<HashMap<String, Page>>,
    asked: Mutex<Vec<String>>,
}

pub struct Site {
    address: SocketAddr,
    state: Arc<State>,
}

impl Site {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // Whoever asked may go at any time.
                thread::spawn(move || answer(&stream, &state).ok());
            }
        });
        Self { address, state }
    }

    pub fn put(&self, path: &str, page: Page) {
        let mut pages = self
            .state
            .pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        pages.insert(path.to_owned(), page);
    }

    pub fn content(&self, path: &str, headers: &str, body: &[u8]) {
        self.put(path, Page::Content(headers.to_owned(), body.to_vec()));
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| *asked == path).count()
    }

    pub fn asked(&self) -> Vec<String> {
        self.state
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        assert!(
            !header.to_lowercase().starts_with("cookie")
                && !header.to_lowercase().starts_with("authorization"),
            "no credentials are sent: {header}"
        );
    }
    let page = {
        let pages = state.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(&path).or_else(|| pages.get("*")).cloned()
    };
    state
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(path);
    let mut out = stream;
    match page {
        None => out.write_all(
            b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        ),
        Some(Page::Content(headers, body)) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
            );
            out.write_all(head.as_bytes())?;
            out.write_all(&body)
        }
        Some(Page::Moved(target)) => out.write_all(
            format!("HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nlocation: {target}\r\n\r\n")
                .as_bytes(),
        ),
        // Ends when the other side has lost its patience.
        Some(Page::Hangs) => reader.read(&mut [0_u8; 1]).map(drop),
        Some(Page::Endless) => {
            out.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            loop {
                out.write_all(&[b'x'; 8 * 1024])?;
            }
        }
    }
}
