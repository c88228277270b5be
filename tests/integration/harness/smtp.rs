//! In: SMTP conversations on a free local port. Out: the mails that were handed over, in order of arrival.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::mime::Message;
use super::poll;

#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub message: Message,
}

#[derive(Default)]
struct State {
    mails: Mutex<Vec<Mail>>,
    refusals: AtomicUsize,
}

pub struct Mailbox {
    address: SocketAddr,
    state: Arc<State>,
}

impl Mailbox {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || converse(&stream, &state));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The next mails are refused for the moment, as by a greylisting server.
    pub fn refuse(&self, mails: usize) {
        self.state.refusals.store(mails, Ordering::SeqCst);
    }

    pub fn refusals_left(&self) -> usize {
        self.state.refusals.load(Ordering::SeqCst)
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.state
            .mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Exactly this many mails, waiting for them where need be.
    #[track_caller]
    pub fn expect(&self, count: usize) -> Vec<Mail> {
        poll::until(&format!("{count} mails"), || self.mails().len() >= count);
        let mails = self.mails();
        assert_eq!(mails.len(), count, "mails: {mails:#?}");
        mails
    }
}

fn converse(stream: &TcpStream, state: &State) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    let mut from = String::new();
    let mut to = Vec::new();
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 mail.test ready");
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let verb = line
            .split([' ', '\r'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let going = match verb.as_str() {
            "EHLO" => say("250-mail.test\r\n250 8BITMIME"),
            "MAIL" => {
                from = address(&line);
                say("250 sender noted")
            }
            "RCPT" => {
                to.push(address(&line));
                say("250 recipient noted")
            }
            "DATA" => {
                say("354 go on");
                let Some(data) = data(&mut reader) else {
                    return;
                };
                let refuse = |left: usize| left.checked_sub(1);
                if state
                    .refusals
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse)
                    .is_ok()
                {
                    to.clear();
                    say("451 try again later")
                } else {
                    let mail = Mail {
                        from: from.clone(),
                        to: std::mem::take(&mut to),
                        message: Message::parse(&data),
                    };
                    state
                        .mails
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(mail);
                    say("250 taken")
                }
            }
            "RSET" => {
                to.clear();
                say("250 forgotten")
            }
            "QUIT" => {
                say("221 bye");
                false
            }
            _ => say("250 fine"),
        };
        if !going {
            return;
        }
        line.clear();
    }
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

/// Up to the lone dot, with the doubled dots at line starts undone.
fn data(reader: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = Vec::new();
        reader
            .read_until(b'\n', &mut line)
            .ok()
            .filter(|read| *read > 0)?;
        let line = String::from_utf8_lossy(&line);
        if line.trim_end() == "." {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
