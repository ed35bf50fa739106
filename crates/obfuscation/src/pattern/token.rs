//! Keys and tokens that their issuers mark by a prefix, so that they can be found: see each issuer's documentation of
//! its formats. What is published on purpose (`pk_live_`) is not among them.

use std::ops::Range;

use super::place::{Place, is_alphanumeric, is_base64url};

/// Prefixes that end with `_`, here without it, and how many letters and digits at least follow.
const UNDERSCORED: [(&[u8], usize); 15] = [
    (b"ghp", 30),
    (b"gho", 30),
    (b"ghu", 30),
    (b"ghs", 30),
    (b"ghr", 30),
    (b"github_pat", 20),
    (b"npm", 30),
    (b"hf", 30),
    (b"sk_live", 16),
    (b"sk_test", 16),
    (b"rk_live", 16),
    (b"rk_test", 16),
    (b"whsec", 24),
    (b"shpat", 32),
    (b"dop_v1", 64),
];
const UNDERSCORED_BYTES_MIN: usize = 16;

/// Prefixes that end with `-`, here without it, and how many characters at least follow.
const DASHED: [(&[u8], usize); 9] = [
    (b"sk", 20),
    (b"xoxb", 10),
    (b"xoxp", 10),
    (b"xoxa", 10),
    (b"xoxr", 10),
    (b"xoxs", 10),
    (b"xapp", 10),
    (b"glpat", 16),
    (b"pypi", 50),
];
/// A decision is made within this many bytes, also in a text that is nothing but prefixes.
const DASHED_BYTES_SEEN: usize = 64;

/// At a `_`.
pub(super) fn underscored(place: &Place<'_>) -> Option<Range<usize>> {
    let body = place.at + 1;
    let run = place.run_end(body, is_alphanumeric) - body;
    // Most names in snake case end here.
    if run < UNDERSCORED_BYTES_MIN {
        return None;
    }
    let start = prefixed(place, &UNDERSCORED, run)?;
    Some(start..place.run_end(body, |byte| is_alphanumeric(byte) || byte == b'_'))
}

/// At a `-`. Names in kebab case can look like it; a token has digits.
pub(super) fn dashed(place: &Place<'_>) -> Option<Range<usize>> {
    let body = place.at + 1;
    let seen = place.ahead();
    let seen = seen.get(..seen.len().min(DASHED_BYTES_SEEN))?;
    let run = seen.iter().position(|byte| !is_base64url(*byte)).unwrap_or(seen.len());
    let start = prefixed(place, &DASHED, run)?;
    let has_digit = seen.get(..run)?.iter().any(u8::is_ascii_digit);
    has_digit.then(|| start..place.run_end(body, is_base64url))
}

/// Where the prefix that stands before the anchor begins.
fn prefixed(place: &Place<'_>, prefixes: &[(&[u8], usize)], run: usize) -> Option<usize> {
    let behind = place.behind();
    let (prefix, _) = prefixes.iter().find(|(prefix, min)| run >= *min && behind.ends_with(prefix))?;
    let start = place.at - prefix.len();
    place.opens(start).then_some(start)
}

/// At an `A`: Google's API keys, `AIza` and 35 more.
pub(super) fn google(place: &Place<'_>) -> Option<Range<usize>> {
    let end = place.at + 39;
    let key = place.bytes().get(place.at..end)?;
    let is_key = key.starts_with(b"AIza") && key.iter().all(|byte| is_base64url(*byte));
    let closes = !place.byte(end).is_some_and(is_base64url);
    (is_key && closes && place.opens(place.at)).then_some(place.at..end)
}

/// At an `S`: SendGrid's keys, `SG.`, 22 characters, a dot, 43 characters.
pub(super) fn sendgrid(place: &Place<'_>) -> Option<Range<usize>> {
    let first = place.at + 3;
    if !place.ahead().starts_with(b"G.") || !place.opens(place.at) {
        return None;
    }
    let dot = place.run_end(first, is_base64url);
    let end = place.run_end(dot + 1, is_base64url);
    let is_key = dot - first == 22 && place.byte(dot) == Some(b'.') && end - dot == 44;
    is_key.then_some(place.at..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MASK, Rule};

    /// Each prefix with the shortest token that counts, in a sentence; also one that is a byte too short.
    #[test]
    fn every_prefix_is_found_where_enough_follows() {
        let with = |sign: char| {
            move |(prefix, min): &(&[u8], usize)| {
                let prefix = String::from_utf8_lossy(prefix).into_owned();
                [0, 1].map(|less| (format!("{prefix}{sign}{}", &"a1B2".repeat(17)[..min - less]), less == 0))
            }
        };
        let marked = UNDERSCORED.iter().flat_map(with('_')).chain(DASHED.iter().flat_map(with('-')));
        for (token, is_one) in marked {
            let mut text = format!("used {token}, then");
            Rule::default().scrub_text(&mut text);
            assert_eq!(text == format!("used {MASK}, then"), is_one, "{token}");
        }
    }

    #[test]
    fn keys_of_a_fixed_length_are_found_in_that_length_only() {
        for (key, is_one) in [
            (format!("AIza{}", "a1B2-".repeat(7)), true),
            (format!("AIza{}x", "a1B2-".repeat(7)), false),
            (format!("SG.{}.{}", "a1".repeat(11), "B2_".repeat(14) + "x"), true),
            (format!("SG.{}.{}", "a1".repeat(10), "B2_".repeat(14) + "x"), false),
        ] {
            let mut text = format!("used {key}, then");
            Rule::default().scrub_text(&mut text);
            assert_eq!(text == format!("used {MASK}, then"), is_one, "{key}");
        }
    }
}
