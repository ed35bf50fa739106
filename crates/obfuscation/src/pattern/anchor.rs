//! Anchors: the bytes that something could begin or turn at, and a glance at what stands beside them. Nearly all of a
//! text is let go here, so this is written for speed: a table, then a comparison or two.

use super::card;
use super::place::is_alphanumeric;

/// Every byte that a kind of secret looks at.
const ANCHORS: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"[-:=@ABJS_b0123456789";
    let mut index = 0;
    while index < bytes.len() {
        table[bytes[index] as usize] = true;
        index += 1;
    }
    table
};

/// How many digits the first printed group of a card's number has; the others have as many or more.
const GROUP_DIGITS: usize = 4;

/// The next anchor from `at` on that is worth a look.
pub(super) fn next(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        while !ANCHORS[usize::from(*text.get(at)?)] {
            at += 1;
        }
        if !text.get(at)?.is_ascii_digit() {
            if allows(text, at) {
                return Some(at);
            }
            at += 1;
            continue;
        }
        let digits = run(text, at);
        if card::DIGITS.contains(&digits) || digits == GROUP_DIGITS && is_grouped(text, at + digits) {
            return Some(at);
        }
        at += digits;
    }
}

fn run(text: &[u8], from: usize) -> usize {
    let mut end = from;
    while text.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    end - from
}

/// True if another group of digits may follow: none of those on cards is shorter, but a month (`2026-11-21`) is.
fn is_grouped(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b' ' | b'-')) && run(text, at + 1) >= GROUP_DIGITS
}

/// True if the bytes beside the anchor are those of a secret's beginning.
fn allows(text: &[u8], at: usize) -> bool {
    let ahead = |distance: usize| text.get(at + distance).copied().unwrap_or(0);
    let behind =
        |distance: usize| at.checked_sub(distance).and_then(|index| text.get(index)).copied().unwrap_or(0);
    match ahead(0) {
        b'[' => ahead(1) == b's',
        // AKIA, ASIA, AIza
        b'A' => matches!(ahead(1), b'K' | b'S' | b'I'),
        // Bearer, basic
        b'B' | b'b' => matches!(ahead(1), b'E' | b'e' | b'A' | b'a'),
        b'J' => behind(1) == b'y',
        b'S' => ahead(1) == b'G',
        // -----BEGIN, sk-, xoxb-, xapp-, glpat-, pypi-
        b'-' => {
            let before = (behind(2), behind(1));
            ahead(1) == b'-'
                || matches!(before, (b's', b'k') | (b'x', _) | (b'p', b'p' | b'i') | (b'a', b't'))
        }
        // All that are marked by one have 16 letters and digits behind it, and nearly all other names less.
        b'_' => is_alphanumeric(ahead(8)) && is_alphanumeric(ahead(16)),
        _ => true,
    }
}
