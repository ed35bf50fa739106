//! JSON Web Tokens (RFC 7519): `eyJ….eyJ….…`. Headers begin with `{"`, which is `eyJ` in base64.

use std::ops::Range;

use super::place::{Place, is_base64url};

/// `{"alg":""}` and the like are longer.
const HEADER_BYTES_MIN: usize = 10;
/// The shortest payload, `{}`, and the shortest key of an encrypted token.
const SECOND_BYTES_MIN: usize = 3;
/// An encrypted token has five parts, a signed one three.
const PARTS_MAX: usize = 5;

/// True at the `J` of an `eyJ`.
pub(super) fn may_begin(place: &Place<'_>) -> bool {
    place.behind().ends_with(b"ey")
}

/// At the `J` of an `eyJ`. The whole word is taken, also what stands before the header.
pub(super) fn find(place: &Place<'_>) -> Option<Range<usize>> {
    let header = place.at.checked_sub(2)?;
    let mut end = place.run_end(place.at, is_base64url);
    if end - header < HEADER_BYTES_MIN {
        return None;
    }
    let start = place.run_start(header, is_base64url);
    for part in 1..PARTS_MAX {
        let next = place.run_end(end + 1, is_base64url);
        let bytes_min = if part == 1 { SECOND_BYTES_MIN } else { 1 };
        if place.byte(end) != Some(b'.') || next < end + 1 + bytes_min {
            return (part > 1).then_some(start..end);
        }
        end = next;
    }
    Some(start..end)
}
