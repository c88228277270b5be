//! Bodies, bounded. In: a request's payload stream and its encoding. Out: the plain bytes; never more than the limits,
//! for one request and for all together.

use std::io::Read;
use std::pin::pin;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;
use futures_util::future::poll_immediate;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits;
use super::reply::Refused;
use crate::telemetry::METRICS;

/// Unit of the memory budget: small enough to be fair, large enough to be cheap.
const UNIT: usize = 16 * 1024;

/// Memory that all bodies share.
pub struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(limits::ALL_BODIES / UNIT)))
    }
}

/// The plain bytes of a body, and the share of the budget that they hold.
pub struct Body {
    pub bytes: Bytes,
    _share: Share,
}

struct Share {
    budget: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    units: usize,
}

impl Share {
    /// Makes sure that the share covers so many bytes; waits while others hold too much, but not for ever: two that have half each would
    /// wait for each other.
    async fn cover(&mut self, bytes: usize) -> Result<(), Refused> {
        if self.cover_now(bytes).is_err() {
            let missing = self.missing(bytes);
            let waiting = Arc::clone(&self.budget).acquire_many_owned(missing as u32);
            let more = tokio::time::timeout(limits::ROOM_TIME, waiting)
                .await
                .map_err(|_| Refused::Overloaded)?
                .map_err(|_| Refused::Overloaded)?;
            self.add(more, missing);
        }
        Ok(())
    }

    /// The same for code that must not wait.
    fn cover_now(&mut self, bytes: usize) -> Result<(), Refused> {
        let missing = self.missing(bytes);
        if missing > 0 {
            let more = Arc::clone(&self.budget)
                .try_acquire_many_owned(missing as u32)
                .map_err(|_| Refused::Overloaded)?;
            self.add(more, missing);
        }
        Ok(())
    }

    fn missing(&self, bytes: usize) -> usize {
        bytes.div_ceil(UNIT).saturating_sub(self.units)
    }

    fn add(&mut self, more: OwnedSemaphorePermit, units: usize) {
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        self.units += units;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Encoding {
    fn of(request: &HttpRequest) -> Result<Self, Refused> {
        let Some(value) = request.headers().get(header::CONTENT_ENCODING) else {
            return Ok(Self::Plain);
        };
        let name = value
            .to_str()
            .map_err(|_| Refused::UnknownEncoding)?
            .trim()
            .to_ascii_lowercase();
        match name.as_str() {
            // Released SDKs send an empty value, and `UTF-8`.
            "" | "identity" | "utf-8" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "br" => Ok(Self::Brotli),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Refused::UnknownEncoding),
        }
    }
}

/// Unpacking more than this leaves the request thread.
const INLINE: usize = 64 * 1024;

/// Reads and unpacks a body.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    budget: &Budget,
) -> Result<Body, Refused> {
    let encoding = Encoding::of(request)?;
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limits::WIRE_BODY) {
        return Err(Refused::TooLarge("the body has more than 32 MiB"));
    }
    let mut share = Share {
        budget: Arc::clone(&budget.0),
        held: None,
        units: 0,
    };
    let wire = in_time(read_wire(payload, declared.unwrap_or(0), &mut share)).await?;
    METRICS.ingest.wire_bytes.add(wire.len() as u64);
    if encoding == Encoding::Plain {
        METRICS.ingest.unpacked_bytes.add(wire.len() as u64);
        return Ok(Body {
            bytes: wire,
            _share: share,
        });
    }
    if wire.len() <= INLINE {
        let bytes = unpack(encoding, &wire, &mut share)?;
        return Ok(Body {
            bytes,
            _share: share,
        });
    }
    let unpacking = actix_web::web::block(move || {
        let bytes = unpack(encoding, &wire, &mut share)?;
        Ok(Body {
            bytes,
            _share: share,
        })
    });
    unpacking.await.map_err(|_| Refused::Overloaded)?
}

/// Lets go of a body that nobody wants, as far as it has arrived: then its connection can be used again, which costs less than
/// a new one. Waits for nothing.
pub async fn skip(mut payload: Payload) {
    let mut skipped = 0;
    while let Some(Some(Ok(chunk))) = poll_immediate(payload.next()).await {
        skipped += chunk.len();
        if skipped > INLINE {
            return;
        }
    }
}

/// Most bodies are there already, and need no timer.
async fn in_time(reading: impl Future<Output = Result<Bytes, Refused>>) -> Result<Bytes, Refused> {
    let mut reading = pin!(reading);
    match poll_immediate(reading.as_mut()).await {
        Some(wire) => wire,
        None => tokio::time::timeout(limits::BODY_TIME, reading)
            .await
            .map_err(|_| Refused::TooSlow)?,
    }
}

async fn read_wire(
    mut payload: Payload,
    declared: usize,
    share: &mut Share,
) -> Result<Bytes, Refused> {
    let mut wire = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Refused::Malformed("the body is cut off".into()))?;
        let length = wire.len() + chunk.len();
        if length > limits::WIRE_BODY {
            return Err(Refused::TooLarge("the body has more than 32 MiB"));
        }
        share.cover(length).await?;
        // A body that comes in one piece is not copied.
        if wire.is_empty() && length == declared {
            return Ok(chunk);
        }
        if wire.is_empty() {
            wire.reserve(declared.clamp(length, INLINE.max(length)));
        }
        wire.extend_from_slice(&chunk);
    }
    Ok(wire.freeze())
}

fn unpack(encoding: Encoding, wire: &[u8], share: &mut Share) -> Result<Bytes, Refused> {
    match encoding {
        Encoding::Plain => Ok(Bytes::copy_from_slice(wire)),
        Encoding::Gzip => drain(flate2::read::MultiGzDecoder::new(wire), wire.len(), share),
        Encoding::Deflate => drain(flate2::read::ZlibDecoder::new(wire), wire.len(), share),
        Encoding::Brotli => drain(
            brotli::Decompressor::new(wire, 16 * 1024),
            wire.len(),
            share,
        ),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(wire)
                .map_err(|_| Refused::BrokenEncoding)?;
            // A window of 8 MiB is what the format asks every reader to have, and no more.
            decoder
                .window_log_max(23)
                .map_err(|_| Refused::BrokenEncoding)?;
            drain(decoder, wire.len(), share)
        }
    }
}

fn drain(mut reader: impl Read, wire: usize, share: &mut Share) -> Result<Bytes, Refused> {
    let mut bytes = Vec::with_capacity((wire * 4).min(INLINE));
    let mut chunk = [0u8; 16 * 1024];
    loop {
        let count = reader
            .read(&mut chunk)
            .map_err(|_| Refused::BrokenEncoding)?;
        if count == 0 {
            METRICS.ingest.unpacked_bytes.add(bytes.len() as u64);
            return Ok(bytes.into());
        }
        if bytes.len() + count > limits::UNPACKED_BODY {
            return Err(Refused::TooLarge(
                "the body has more than 100 MiB once unpacked",
            ));
        }
        share.cover_now(wire + bytes.len() + count)?;
        bytes.extend_from_slice(&chunk[..count]);
    }
}
