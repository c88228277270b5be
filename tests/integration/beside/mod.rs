//! What SDKs send beside events: files, feedback, sessions.

mod attachments;
mod feedback;
mod sessions;

use serde_json::Value;

/// An envelope about an event with these items: header and payload of each.
fn envelope(event_id: Option<&str>, items: &[(Value, Vec<u8>)]) -> Vec<u8> {
    let header = event_id.map_or_else(
        || serde_json::json!({}),
        |id| serde_json::json!({"event_id": id}),
    );
    let mut body = header.to_string().into_bytes();
    for (header, payload) in items {
        let mut header = header.clone();
        header["length"] = payload.len().into();
        body.extend_from_slice(format!("\n{header}\n").as_bytes());
        body.extend_from_slice(payload);
    }
    body
}
