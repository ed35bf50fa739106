//! AWS access key ids. The secret that belongs to one has no shape of its own (40 characters of base64): it is found
//! by the name before it (`aws_secret_access_key=…`).

use std::ops::Range;

use super::place::Place;

/// IAM user guide, "Unique identifiers": long-lived keys and those of a session.
const PREFIXES: [&[u8]; 2] = [b"AKIA", b"ASIA"];
const KEY_BYTES: usize = 20;

/// At an `A`.
pub(super) fn find(place: &Place<'_>) -> Option<Range<usize>> {
    let key = place.bytes().get(place.at..place.at + KEY_BYTES)?;
    let range = place.at..place.at + KEY_BYTES;
    let is_key = PREFIXES.iter().any(|prefix| key.starts_with(prefix))
        && key.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_key && place.opens(range.start) && place.closes(range.end)).then_some(range)
}
