use std::net::TcpListener;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::outgoing::Reach;

/// Answers every request by its path, the head first.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0_u8; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..read]).into_owned();
            let _ = stream.write_all(&answer(&text));
        }
    });
    base
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn found(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nconnection: close\r\ncontent-length: 0\r\nset-cookie: a=b\r\nlocation: {location}\r\n\r\n")
        .into_bytes()
}

fn client() -> Client {
    Client::new(Reach::PublicAnd(vec![
        "127.0.0.1".parse().expect("a network"),
    ]))
}

fn get(url: &str, most_bytes: u64) -> (Result<Got, OutgoingError>, Vec<u8>) {
    let mut into = Vec::new();
    let bounds = Bounds {
        most_bytes,
        until: Instant::now() + Duration::from_secs(10),
    };
    let got = client().get(url, &mut into, bounds);
    (got, into)
}

#[test]
fn content_comes_over_redirects_and_unpacked_without_cookies() {
    let base = server(|request| {
        assert!(!request.to_lowercase().contains("cookie"), "{request}");
        if request.starts_with("GET /a ") {
            return found("/b");
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"content").expect("memory");
        let gzip = gzip.finish().expect("memory");
        ok("content-encoding: gzip\r\nsourcemap: b.map\r\n", &gzip)
    });
    let (got, content) = get(&format!("{base}/a#part"), 7);
    let got = got.expect("an answer");
    assert_eq!((got.size, content.as_slice()), (7, &b"content"[..]));
    assert_eq!(got.header("sourcemap"), Some("b.map"));
    assert_eq!(got.url.as_str(), format!("{base}/b"));
}

#[test]
fn a_redirect_into_a_private_network_is_not_followed() {
    for target in [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.2:9000/",
        "http://[::1]:9000/",
        "http://[::ffff:10.0.0.1]/",
        "http://10.0.0.1/",
    ] {
        let base = server(move |_| found(target));
        let (got, _) = get(&base, 10);
        assert!(
            matches!(got, Err(OutgoingError::NotAllowed { .. })),
            "{target}: {got:?}"
        );
    }
}

#[test]
fn what_is_no_plain_web_address_is_not_called() {
    for (target, expected) in [
        ("file:///etc/passwd", OutgoingError::Scheme),
        ("gopher://example.com/", OutgoingError::Scheme),
        ("http://user:word@example.com/", OutgoingError::Credentials),
        ("http://example.com:25/", OutgoingError::Port(25)),
    ] {
        assert_eq!(get(target, 10).0.err(), Some(expected.clone()), "{target}");
        let base = server(move |_| found(target));
        assert_eq!(get(&base, 10).0.err(), Some(expected), "{target}");
    }
    let base = server(|_| found("/again"));
    assert_eq!(get(&base, 10).0.err(), Some(OutgoingError::Redirect));
}

#[test]
fn endless_and_packed_bodies_end_at_the_bound() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        gzip.write_all(&vec![0; 1024 * 1024]).expect("memory");
    }
    let bomb = gzip.finish().expect("memory");
    assert!(bomb.len() < 100_000);
    let most = 1024 * 1024;
    let base = server(move |request| {
        if request.starts_with("GET /bomb ") {
            return ok("content-encoding: gzip\r\n", &bomb);
        }
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        [head.as_bytes(), &vec![b'x'; 4 * 1024 * 1024]].concat()
    });
    for path in ["/bomb", "/endless"] {
        let (got, content) = get(&format!("{base}{path}"), most);
        assert_eq!(got.err(), Some(OutgoingError::TooLarge { most }), "{path}");
        assert!(content.len() as u64 <= most);
    }
}

#[test]
fn a_server_that_dawdles_is_left_after_the_time_for_the_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx");
            held.push(stream);
        }
    });
    let bounds = Bounds {
        most_bytes: 1000,
        until: Instant::now() + Duration::from_secs(1),
    };
    let got = client().get(&base, &mut Vec::new(), bounds);
    assert!(matches!(got, Err(OutgoingError::Late { .. })), "{got:?}");
}

#[test]
fn other_encodings_and_failures_are_said() {
    let base = server(|request| {
        if request.starts_with("GET /br ") {
            return ok("content-encoding: br\r\n", b"x");
        }
        b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 4\r\n\r\ngone".to_vec()
    });
    let (got, _) = get(&format!("{base}/br"), 10);
    assert_eq!(got.err(), Some(OutgoingError::Encoding("br".to_owned())));
    let (got, content) = get(&format!("{base}/gone"), 10);
    assert_eq!(got.expect("an answer").status, 404);
    assert!(content.is_empty());
}
