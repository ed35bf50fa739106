//! gzip, zstd or plain in, plain bytes out; never more of them than allowed.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use crate::error::DecodeError;
use crate::limits::Limits;

/// gzip in gzip is seen when a producer compresses what its library has compressed already. More is a mistake.
const LAYERS_MAX: usize = 2;

/// Takes compression away until none is left.
pub(crate) fn inflate<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, DecodeError> {
    let mut plain = Cow::Borrowed(bytes);
    for _ in 0..LAYERS_MAX {
        plain = match layer(&plain, limits)? {
            Some(inner) => Cow::Owned(inner),
            None => return Ok(plain),
        };
    }
    match compression(&plain) {
        None => Ok(plain),
        Some(_) => Err(DecodeError::TooManyLayers { max: LAYERS_MAX }),
    }
}

/// Takes gzip alone away, where the sender has said that it is gzip (`Content-Encoding`); never more than `bytes_max`.
///
/// # Errors
/// When the data is damaged, cut, or larger.
pub fn gunzip(bytes: &[u8], bytes_max: usize) -> Result<Vec<u8>, DecodeError> {
    read_bounded(MultiGzDecoder::new(bytes), "gzip", bytes_max)
}

/// RFC 1952 (gzip) and RFC 8878 (zstd) magic numbers.
fn compression(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

fn layer(bytes: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, DecodeError> {
    let max = limits.inflated_bytes_max;
    match compression(bytes) {
        // Several members after another are one stream (RFC 1952, 2.2).
        Some(name @ "gzip") => read_bounded(MultiGzDecoder::new(bytes), name, max).map(Some),
        Some(name) => {
            let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(|source| DecodeError::Inflate {
                compression: name,
                inflated: 0,
                source,
            })?;
            // A frame may ask for a window of 2 GiB; 2^27 (128 MiB) is what zstd's own command takes.
            decoder.window_log_max(27).map_err(|source| DecodeError::Inflate {
                compression: name,
                inflated: 0,
                source,
            })?;
            read_bounded(decoder, name, max).map(Some)
        }
        None => Ok(None),
    }
}

fn read_bounded(reader: impl Read, compression: &'static str, max: usize) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let read = reader.take(bound).read_to_end(&mut bytes);
    if bytes.len() > max {
        return Err(DecodeError::InflatesTooFar { compression, max });
    }
    let inflated = bytes.len();
    read.map(|_| bytes).map_err(|source: io::Error| DecodeError::Inflate { compression, inflated, source })
}
