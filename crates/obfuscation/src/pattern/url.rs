//! The password in `scheme://user:password@host`: connection strings above all.

use std::ops::Range;

use super::place::Place;
use crate::mark;

/// At the `:` behind the user. Only the password is taken: user and host tell where a connection went.
pub(super) fn find(place: &Place<'_>) -> Option<Range<usize>> {
    // The user may have been scrubbed as a token: it is looked at as it was.
    let before = place.bytes().get(..place.at)?;
    let user = before.iter().rposition(|byte| !in_authority(*byte) || matches!(byte, b':' | b'@'))?;
    if !before.get(..=user)?.ends_with(b"://") {
        return None;
    }
    let start = place.at + 1;
    let authority = place.bytes().get(start..place.run_end(start, in_authority))?;
    let at = start + authority.iter().rposition(|byte| *byte == b'@')?;
    (at > start && mark::leading(place.rest(start)) == 0).then_some(start..at)
}

/// What can stand in an authority (RFC 3986), and passwords that somebody forgot to encode.
fn in_authority(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\')
}
