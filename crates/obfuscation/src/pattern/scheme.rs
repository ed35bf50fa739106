//! Credentials behind the name of their HTTP scheme: `Bearer <token>` (RFC 6750), `Basic <base64>` (RFC 7617).

use std::ops::Range;

use super::place::{Place, is_alphanumeric};

/// Shorter ones are words; longer ones with a digit are none.
const TOKEN_BYTES_MIN: usize = 8;
/// No English word behind "bearer" is that long.
const WORD_BYTES_MAX: usize = 20;

/// At a `B` or `b`. "Bearer authentication failed" is left alone.
pub(super) fn bearer(place: &Place<'_>) -> Option<Range<usize>> {
    let token = credentials(place, b"earer", |byte| {
        is_alphanumeric(byte) || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    })?;
    let text = place.slice(token.start, token.end).trim_end_matches('.');
    let is_token = text.len() >= WORD_BYTES_MAX
        || text.len() >= TOKEN_BYTES_MIN && text.bytes().any(|byte| byte.is_ascii_digit());
    is_token.then(|| token.start..token.start + text.len())
}

/// At a `B` or `b`. "Basic auth" is left alone: it does not decode to a name, a colon and a password.
pub(super) fn basic(place: &Place<'_>) -> Option<Range<usize>> {
    let token = credentials(place, b"asic", |byte| sextet(byte).is_some())?;
    let end = place.run_end(token.end, |byte| byte == b'=');
    has_colon(place.slice(token.start, token.end).as_bytes()).then_some(token.start..end)
}

/// What stands behind the scheme and its spaces.
fn credentials(place: &Place<'_>, scheme_tail: &[u8], class: fn(u8) -> bool) -> Option<Range<usize>> {
    let tail = place.ahead().get(..scheme_tail.len())?;
    let behind = place.at + 1 + scheme_tail.len();
    if !tail.eq_ignore_ascii_case(scheme_tail) || !place.opens(place.at) {
        return None;
    }
    let start = place.run_end(behind, |byte| byte == b' ');
    (start > behind).then(|| start..place.run_end(start, class))
}

/// True if base64, of either alphabet, decodes to text with a colon in it. Control characters are no credentials.
fn has_colon(encoded: &[u8]) -> bool {
    let (mut bits, mut count, mut found) = (0_u32, 0, false);
    for byte in encoded {
        let Some(sextet) = sextet(*byte) else { return false };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            let decoded = (bits >> count) & 0xff;
            found |= decoded == u32::from(b':');
            if decoded < 0x20 {
                return false;
            }
        }
    }
    found && encoded.len() % 4 != 1
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
