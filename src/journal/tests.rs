//! The journal as its users see it: what was promised comes back, once, also after a crash or damage.

use super::*;
use crate::protocol::event_id::EventId;

/// Tests also run where the disk is nearly full.
const NO_LIMITS: Limits = Limits {
    bytes: u64::MAX,
    disk_percent: 100,
};

fn draft(project_id: i64, payload: &[u8]) -> Draft<'_> {
    Draft {
        kind: RecordKind::Event,
        project_id,
        key_id: 1,
        event_id: EventId::from_bytes([7; 16]),
        sent_at_ms: None,
        remote_addr: None,
        client: "test/1",
        head: &[],
        payload,
    }
}

fn payloads(journal: &Journal) -> Vec<String> {
    let claimed = journal.claim(10_000, Duration::ZERO);
    claimed
        .iter()
        .map(|claim| String::from_utf8_lossy(claim.record.payload()).into_owned())
        .collect()
}

#[tokio::test]
async fn what_was_acknowledged_comes_back_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    for number in 0..20 {
        first
            .append(&draft(number % 3, format!("event {number}").as_bytes()))
            .await
            .expect("kept");
    }
    // No close: the process is gone. What it had claimed comes again.
    let _ = first.claim(5, Duration::ZERO);
    let node = first.node();
    let second = Journal::open(folder.path(), NO_LIMITS).expect("opens again");
    assert_eq!(second.node(), node);
    let mut found = payloads(&second);
    found.sort();
    let mut expected: Vec<String> = (0..20).map(|number| format!("event {number}")).collect();
    expected.sort();
    assert_eq!(found, expected);
    second.append(&draft(1, b"new")).await.expect("kept");
    let seqs: Vec<u64> = second
        .claim(10, Duration::ZERO)
        .iter()
        .map(|claim| claim.record.seq)
        .collect();
    assert_eq!(seqs, [21], "a number is never used twice");
}

#[tokio::test]
async fn digested_records_leave_the_disk_and_numbers_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    journal.append(&draft(1, b"secret")).await.expect("kept");
    let claimed = journal.claim(10, Duration::ZERO);
    journal.ack(&[claimed[0].position]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while journal.safe_below() < 2 {
        assert!(Instant::now() < deadline, "the digested segment is let go");
        std::thread::sleep(Duration::from_millis(20));
    }
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(memchr::memmem::find(&bytes, b"secret").is_none());
    }
    journal.close();
    let again = Journal::open(folder.path(), NO_LIMITS).expect("opens again");
    again.append(&draft(1, b"next")).await.expect("kept");
    assert_eq!(again.claim(1, Duration::ZERO)[0].record.seq, 2);
}

#[tokio::test]
async fn damage_costs_only_the_damaged_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    for text in ["one", "two", "three"] {
        journal
            .append(&draft(1, text.as_bytes()))
            .await
            .expect("kept");
    }
    journal.close();
    let path = segment::path(folder.path(), 1);
    let mut bytes = std::fs::read(&path).expect("a segment");
    let at = memchr::memmem::find(&bytes, b"two").expect("the second record");
    bytes[at] ^= 0xff;
    bytes.extend_from_slice(b"torn end");
    std::fs::write(&path, &bytes).expect("written");
    let again = Journal::open(folder.path(), NO_LIMITS).expect("opens again");
    assert_eq!(payloads(&again), ["one", "three"]);
    assert_eq!(again.status().damaged, 1);
}

#[tokio::test]
async fn a_full_journal_refuses_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(
        folder.path(),
        Limits {
            // Room for the head and for one write of two blocks at most.
            bytes: 10_000,
            ..NO_LIMITS
        },
    )
    .expect("opens");
    let payload = vec![b'x'; 1_500];
    journal.append(&draft(1, &payload)).await.expect("kept");
    journal
        .append(&draft(1, &payload))
        .await
        .expect("kept: the limit was not reached before");
    assert_eq!(
        journal.append(&draft(1, &payload)).await,
        Err(JournalError::Full("BUGLE_JOURNAL_LIMIT is reached"))
    );
    assert!(!journal.status().writable);
    let positions: Vec<Position> = journal
        .claim(10, Duration::ZERO)
        .iter()
        .map(|claim| claim.position)
        .collect();
    journal.ack(&positions);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !journal.status().writable {
        assert!(Instant::now() < deadline, "room comes back");
        std::thread::sleep(Duration::from_millis(20));
    }
    journal
        .append(&draft(1, &payload))
        .await
        .expect("kept again");
}

#[tokio::test]
async fn a_frame_inside_a_damaged_payload_is_no_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    let mut forged = b"{\"message\":\"".to_vec();
    // What a sender can make: a whole frame, for somebody else's project, with a checksum that does not know the journal.
    record::encode(&draft(999, b"forged"), 0, 1, 1, &mut forged);
    journal.append(&draft(1, &forged)).await.expect("kept");
    journal.append(&draft(1, b"after")).await.expect("kept");
    journal.close();
    let path = segment::path(folder.path(), 1);
    let mut bytes = std::fs::read(&path).expect("a segment");
    let at = memchr::memmem::find(&bytes, b"message").expect("the first record");
    bytes[at] ^= 0xff;
    std::fs::write(&path, &bytes).expect("written");
    let again = Journal::open(folder.path(), NO_LIMITS).expect("opens again");
    assert_eq!(payloads(&again), ["after"]);
}

#[tokio::test]
async fn times_of_receipt_do_not_go_back_with_the_clock() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    journal.append(&draft(1, b"before")).await.expect("kept");
    journal.close();
    // As if the clock had been ahead by an hour when this was written.
    let ahead = std::time::SystemTime::now() + Duration::from_secs(3600);
    File::options()
        .write(true)
        .open(segment::path(folder.path(), 1))
        .and_then(|file| file.set_modified(ahead))
        .expect("the time of a file can be set");
    let again = Journal::open(folder.path(), NO_LIMITS).expect("opens again");
    again.append(&draft(1, b"after")).await.expect("kept");
    let received: Vec<i64> = again
        .claim(10, Duration::ZERO)
        .iter()
        .map(|claim| claim.record.received_ms)
        .collect();
    assert!(received[1] >= now_ms() + 3_500_000, "{received:?}");
    assert!(received.is_sorted());
}

#[tokio::test]
async fn what_was_accepted_is_counted_across_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let counts = |journal: &Journal| {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(counts) = journal.counts() {
                return (counts.accepted, counts.damaged, counts.present);
            }
            assert!(Instant::now() < deadline, "the journal is read");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    for start in 0..3u64 {
        let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
        assert_eq!(counts(&journal), (start * 3, 0, start * 3));
        for text in ["one", "two", "three"] {
            let text = format!("{text} {start}");
            journal
                .append(&draft(1, text.as_bytes()))
                .await
                .expect("kept");
        }
        journal.close();
    }
    // Records in the middle and at the end of older segments are lost.
    for (number, text) in [(1, "two 0"), (2, "three 1")] {
        let paths = segment::list(folder.path()).expect("segments");
        let path = segment::path(folder.path(), paths[number - 1]);
        let mut bytes = std::fs::read(&path).expect("a segment");
        let at = memchr::memmem::find(&bytes, text.as_bytes()).expect("the record");
        bytes[at] ^= 0xff;
        std::fs::write(&path, &bytes).expect("written");
    }
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    assert_eq!(counts(&journal), (9, 2, 7));
    // One of them had been stored before.
    assert_eq!(journal.missing(), [2, 6]);
    journal.settle_missing(&[6].into());
    assert_eq!(counts(&journal), (9, 1, 8));
    let positions: Vec<Position> = journal
        .claim(10, Duration::ZERO)
        .iter()
        .map(|claim| claim.position)
        .collect();
    assert_eq!(positions.len(), 7);
    journal.ack(&positions);
    assert_eq!(journal.status().oldest_ms, None);
    journal.close();
    drop(journal);
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    assert_eq!(
        counts(&journal),
        (9, 1, 0),
        "also when the segments are gone"
    );
}

#[tokio::test]
async fn the_oldest_record_tells_the_lag() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path(), NO_LIMITS).expect("opens");
    assert_eq!(journal.status().oldest_ms, None);
    let before = now_ms();
    journal.append(&draft(2, b"first")).await.expect("kept");
    journal.append(&draft(1, b"second")).await.expect("kept");
    let claimed = journal.claim(10, Duration::ZERO);
    let oldest = journal.status().oldest_ms.expect("claimed is not digested");
    assert!((before..=now_ms()).contains(&oldest));
    journal.ack(&[claimed[0].position, claimed[1].position]);
    assert_eq!(journal.status().oldest_ms, None);
}
