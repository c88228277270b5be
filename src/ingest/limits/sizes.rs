//! The sizes and times of a request, as `docs/limits.md` lists them.

use std::time::Duration;

/// Bytes of a body on the wire.
pub const WIRE_BODY: usize = 32 * 1024 * 1024;
/// Bytes of a body once unpacked.
pub const UNPACKED_BODY: usize = 100 * 1024 * 1024;
/// Bytes of all bodies in memory together.
pub const ALL_BODIES: usize = 128 * 1024 * 1024;
/// Bytes of one event.
pub const EVENT: usize = 1024 * 1024;
/// Bytes of one attachment.
pub const ATTACHMENT: usize = 20 * 1024 * 1024;
/// How long a body may take to arrive.
pub const BODY_TIME: Duration = Duration::from_secs(60);
/// Session items of one envelope.
pub const SESSIONS: usize = 100;
/// Bytes of one session item.
pub const SESSION: usize = 64 * 1024;
/// Attachments of one request.
pub const ATTACHMENTS: usize = 100;
/// How long a body waits for room in memory.
pub const ROOM_TIME: Duration = Duration::from_secs(10);
