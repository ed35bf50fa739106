//! Values behind a listed name in running text: `password=…`, `api key: …`, `"secret": "…"`, also in JSON that is a
//! text inside of JSON. The name is judged by the same list as the names of keys.

use std::ops::Range;

use super::place::{Place, is_alphanumeric};
use crate::entry::Holds;
use crate::mark;

/// What else in a name may be two words: `access token: …`.
const SECOND_WORDS: [&str; 5] = ["key", "keys", "token", "tokens", "ip"];
/// A longer one is no word of a language, and a shorter one no credential behind a scheme's name.
const WORD_BYTES_MAX: usize = 20;
const CREDENTIAL_BYTES_MIN: usize = 8;

/// At a `:` or `=`.
pub(super) fn find(place: &Place<'_>, holds: &mut dyn FnMut(&str) -> Option<Holds>) -> Option<Range<usize>> {
    let holds = judge(place, name(place), holds)?;
    let start = value_start(place);
    let range = match place.byte(start)? {
        b'=' | b':' => return None,
        b'"' | b'\'' | b'\\' => quoted(place, start)?,
        _ if is_marked(place, start) => return None,
        open @ (b'[' | b'{') => bracketed(place, start, open),
        _ => bare(place, start, holds)?,
    };
    (!range.is_empty() && !is_marked(place, range.start)).then_some(range)
}

/// Behind the sign, an arrow's head (`=>`), and spaces. `a= b` is `a` without a value and another word.
fn value_start(place: &Place<'_>) -> usize {
    let mut start = place.at + 1;
    let spaced = place.behind().ends_with(b" ");
    if place.anchor() == b'=' {
        start += usize::from(place.byte(start) == Some(b'>'));
        if !spaced && start == place.at + 1 {
            return start;
        }
    }
    place.run_end(start, |byte| matches!(byte, b' ' | b'\t'))
}

fn is_marked(place: &Place<'_>, start: usize) -> bool {
    mark::leading(place.rest(start)) > 0
}

/// The name that ends at the sign, without its quotes.
fn name(place: &Place<'_>) -> Range<usize> {
    let mut end = place.run_start(place.at, |byte| byte == b' ');
    if matches!(place.byte(end.wrapping_sub(1)), Some(b'"' | b'\'')) && end > place.floor {
        end = place.run_start(end - 1, |byte| byte == b'\\');
    }
    place.run_start(end, is_name)..end
}

fn is_name(byte: u8) -> bool {
    is_alphanumeric(byte) || matches!(byte, b'_' | b'-' | b'.' | b'@' | b'$')
}

fn judge(
    place: &Place<'_>,
    name: Range<usize>,
    holds: &mut dyn FnMut(&str) -> Option<Holds>,
) -> Option<Holds> {
    let word = place.slice(name.start, name.end);
    if word.is_empty() {
        return None;
    }
    holds(word).or_else(|| {
        let two_words = SECOND_WORDS.iter().any(|second| word.eq_ignore_ascii_case(second))
            && name.start > place.floor
            && place.byte(name.start - 1) == Some(b' ');
        let first = two_words.then(|| place.run_start(name.start - 1, is_name)..name.start - 1)?;
        // The two together, and neither alone: `password key` is not one name.
        match holds(place.slice(first.start, first.end)) {
            None => holds(place.slice(first.start, name.end)),
            Some(_) => None,
        }
    })
}

/// Between quotes, which may themselves be escaped (`\"`): the end is a quote that is not escaped deeper.
fn quoted(place: &Place<'_>, start: usize) -> Option<Range<usize>> {
    let quote_at = place.run_end(start, |byte| byte == b'\\');
    let depth = quote_at - start;
    let quote = place.byte(quote_at).filter(|byte| matches!(byte, b'"' | b'\''))?;
    if is_marked(place, quote_at + 1) {
        return None;
    }
    let mut escapes = 0;
    for (index, byte) in place.rest(quote_at + 1).iter().enumerate() {
        let closes = *byte == quote && if depth == 0 { escapes % 2 == 0 } else { escapes <= depth };
        if closes {
            return Some(quote_at + 1..quote_at + 1 + index - if depth == 0 { 0 } else { escapes });
        }
        escapes = if *byte == b'\\' { escapes + 1 } else { 0 };
    }
    Some(quote_at + 1..place.bytes().len())
}

/// A list or an object with all that is in it; to the end of the text if it is not closed.
fn bracketed(place: &Place<'_>, start: usize, open: u8) -> Range<usize> {
    let close = if open == b'[' { b']' } else { b'}' };
    let mut depth = 0_usize;
    for (index, byte) in place.rest(start).iter().enumerate() {
        depth += usize::from(*byte == open);
        if *byte == close {
            depth -= 1;
            if depth == 0 {
                // Empty ones hide nothing.
                return if index == 1 { start..start } else { start..start + index + 1 };
            }
        }
    }
    start..place.bytes().len()
}

/// Without quotes: to the next space or punctuation that separates. A word may be the name of a scheme
/// (`Authorization: Token …`): then the credential is what comes behind.
fn bare(place: &Place<'_>, start: usize, holds: Holds) -> Option<Range<usize>> {
    let end = bare_end(place, start);
    let text = place.slice(start, end);
    if matches!(text, "null" | "true" | "false" | "nil" | "None" | "True" | "False" | "undefined") {
        return None;
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    match holds {
        Holds::Anything => Some(start..end),
        Holds::Code if !is_word(text) => Some(start..end),
        Holds::Text if !is_word(text) && !is_number => Some(start..end),
        Holds::Text if is_number => None,
        Holds::Code | Holds::Text => {
            let next = end + usize::from(place.byte(end) == Some(b' '));
            let range = next..bare_end(place, next);
            let text = place.slice(range.start, range.end);
            let is_credential = next > end && text.len() >= CREDENTIAL_BYTES_MIN && !is_word(text);
            is_credential.then_some(range)
        }
    }
}

fn bare_end(place: &Place<'_>, start: usize) -> usize {
    let end = place.run_end(start, |byte| {
        !byte.is_ascii_whitespace()
            && !matches!(
                byte,
                b',' | b';' | b'&' | b'"' | b'\'' | b'<' | b'>' | b'(' | b')' | b']' | b'}' | b'|'
            )
    });
    // The backslash of an escaped quote belongs to the quote.
    let end = match place.byte(end) {
        Some(b'"' | b'\'') => place.run_start(end, |byte| byte == b'\\').max(start),
        _ => end,
    };
    (start..end).find(|index| begins_its_own(place.rest(*index))).unwrap_or(end)
}

/// A mark is no part of a value, and a private key goes far beyond the value's end.
fn begins_its_own(text: &[u8]) -> bool {
    mark::leading(text) > 0 || text.starts_with(b"-----BEGIN ")
}

/// Short, of letters and what stands beside them in a sentence, without capitals in the middle.
fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let hump = bytes.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let in_words = |byte: &u8| match byte {
        b'-' | b'_' | b'.' | b'!' | b'?' | b'*' | b'/' | 0x80.. => true,
        byte => byte.is_ascii_alphabetic(),
    };
    text.len() < WORD_BYTES_MAX && !hump && bytes.iter().all(in_words)
}
