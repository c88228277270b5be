//! In: a UDP socket that listens as a `StatsD` server does. Out: packets with everything that was counted, once.

use std::net::UdpSocket;
use std::time::Duration;

use crate::harness::App;
use crate::harness::sdk::message;

struct Server(UdpSocket);

impl Server {
    fn open() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("set a timeout");
        Self(socket)
    }

    fn address(&self) -> String {
        self.0
            .local_addr()
            .expect("a bound socket has an address")
            .to_string()
    }

    /// Reads packets until the sum of a counter is reached and that push is complete, and gives all lines until then.
    fn until(&self, counter: &str, sum: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let mut seen = 0;
        let mut complete = false;
        while seen < sum || !complete {
            let mut packet = [0u8; 2_000];
            let length = self.0.recv(&mut packet).expect("a packet in time");
            assert!(length <= 1_432, "{length} bytes do not fit a frame");
            let text = std::str::from_utf8(&packet[..length]).expect("packets are text");
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix(counter) {
                    let added = rest.split('|').next().expect("a value");
                    seen += added.parse::<u64>().expect("counters are whole");
                }
                // The last of each push.
                complete = line.contains("process_start_time_seconds:");
                lines.push(line.to_owned());
            }
        }
        assert_eq!(seen, sum, "{counter}");
        lines
    }
}

#[test]
fn counters_arrive_as_differences() {
    let server = Server::open();
    let app = App::with().env("BUGLE_STATSD", &server.address()).start();
    for number in 0..5 {
        app.sdk().send(&message(&format!("number {number}")));
    }
    app.wait_idle();
    let lines = server.until("bugle.digest_records.stored:", 5);
    let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(
        has("bugle.ingest_requests.envelope.accepted:"),
        "{lines:#?}"
    );
    assert!(
        has("bugle.ingest_request_duration_ms.envelope.p95:"),
        "{lines:#?}"
    );
    assert!(has("bugle.journal_backlog_records:0|g"), "{lines:#?}");
    assert!(has("bugle.process_resident_memory_bytes:"), "{lines:#?}");
}

#[test]
fn labels_can_be_tags_and_the_last_push_is_at_the_stop() {
    let server = Server::open();
    let mut app = App::with()
        .env("BUGLE_STATSD", &server.address())
        .env("BUGLE_STATSD_PREFIX", "errors.eu")
        .env("BUGLE_STATSD_TAGS", "true")
        .start();
    app.sdk().send(&message("just before the stop"));
    app.wait_idle();
    assert!(app.server_mut().terminate().success());
    let lines = server.until("errors.eu.journal_appended_records:", 1);
    let tagged = "errors.eu.ingest_requests:1|c|#endpoint:envelope,outcome:accepted";
    assert!(lines.iter().any(|line| line == tagged), "{lines:#?}");
}

#[test]
fn a_server_that_is_away_costs_nothing() {
    let address = Server::open().address();
    let app = App::with().env("BUGLE_STATSD", &address).start();
    let id = app.sdk().send(&message("nobody counts"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}
