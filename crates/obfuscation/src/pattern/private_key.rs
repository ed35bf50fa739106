//! Private keys as files carry them (PEM, RFC 7468; PGP armor, RFC 9580), also with escaped line ends.

use std::ops::Range;

use super::place::Place;

const BEGIN: &[u8] = b"----BEGIN ";
const END: &[u8] = b"-----END ";
const RULE: &[u8] = b"-----";
/// `ENCRYPTED PRIVATE KEY` and `PGP PRIVATE KEY BLOCK` are the longest that are in use.
const LABEL_BYTES_MAX: usize = 40;

/// At the first dash. A key whose end is missing goes to the end of the text.
pub(super) fn find(place: &Place<'_>) -> Option<Range<usize>> {
    let label = place.ahead().strip_prefix(BEGIN)?;
    let label = label.get(..label.len().min(LABEL_BYTES_MAX))?;
    let (label, _) = label.split_at(position(label, RULE)?);
    if !label.windows(11).any(|words| words == b"PRIVATE KEY") {
        return None;
    }
    let text = place.bytes();
    let end = position(place.rest(place.at), END).map_or(text.len(), |end| {
        let end = place.at + end + END.len();
        position(place.rest(end), RULE).map_or(text.len(), |rule| end + rule + RULE.len())
    });
    Some(place.at..end)
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
