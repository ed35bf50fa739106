//! E-mail addresses, if a team wants them scrubbed.

use std::ops::Range;

use super::place::{Place, is_alphanumeric};

/// At the `@`. What a mail server would take for an address is wider; this is what people write.
pub(super) fn find(place: &Place<'_>) -> Option<Range<usize>> {
    let local = |byte: u8| is_alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-');
    let start = place.run_start(place.at, local);
    let host = place.at + 1;
    let run = place.run_end(host, |byte| is_alphanumeric(byte) || matches!(byte, b'.' | b'-'));
    let bytes = host_bytes(place.bytes().get(host..run)?)?;
    (start < place.at).then(|| start..host + bytes)
}

/// How much of a run is a host: up to the last dot with a top-level domain behind it. What else the run has behind that
/// (a sentence's full stop, dashes) is not the address's.
fn host_bytes(run: &[u8]) -> Option<usize> {
    let dots =
        run.iter().enumerate().filter(|(index, byte)| **byte == b'.' && *index > 0).map(|(index, _)| index);
    dots.rev().find_map(|dot| {
        let behind = run.get(dot + 1..)?;
        let letters = behind.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let closes = !behind.get(letters).is_some_and(|byte| is_alphanumeric(*byte));
        (letters >= 2 && closes).then_some(dot + 1 + letters)
    })
}
