//! A message becomes the pattern that its like share: what differs from line to line (numbers, ids, times, addresses)
//! gives way to a name for it. `$limelight.pattern` is this of the message; engines that group by it call it per row.

/// Characters of a message that its pattern is made of: past them messages of one kind differ in their data.
const MESSAGE_CHARS_MAX: usize = 300;
/// A word of so many characters with letters and digits in it is an id, not a name.
const ID_CHARS_MIN: usize = 16;
/// So many hexadecimal digits are an id.
const HEX_CHARS_MIN: usize = 8;

/// The pattern of a message: of its first line, whose data gave way to `<uuid> <time> <ip> <hex> <id> <num>`.
pub fn of(message: &str) -> String {
    let line = message.trim_start().lines().next().unwrap_or_default();
    let line: String = line.chars().take(MESSAGE_CHARS_MAX).collect();
    let mut pattern = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while !rest.is_empty() {
        let word_end = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        push_word(word, &mut pattern);
        let gap_end = after.find(is_of_word).unwrap_or(after.len());
        let (gap, next) = after.split_at(gap_end);
        pattern.push_str(gap);
        rest = next;
    }
    pattern.trim_end().to_owned()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')
}

fn push_word(word: &str, pattern: &mut String) {
    // What ends a sentence or a label is not part of the word.
    let core = word.trim_end_matches(['.', ':', '-']);
    match name(core) {
        Some(name) => pattern.push_str(name),
        None => push_numbers(core, pattern),
    }
    pattern.push_str(&word[core.len()..]);
}

/// What a whole word is, if it is data.
fn name(word: &str) -> Option<&'static str> {
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths = || word.split('-').map(str::len);
    if lengths().eq([8, 4, 4, 4, 12]) && word.split('-').all(hex) {
        return Some("<uuid>");
    }
    if is_time(word) {
        return Some("<time>");
    }
    if word.split('.').count() == 4 && word.split('.').all(|part| part.parse::<u8>().is_ok()) {
        return Some("<ip>");
    }
    let letters = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    match word.len() {
        HEX_CHARS_MIN.. if letters && hex(word) => Some("<hex>"),
        ID_CHARS_MIN.. if letters && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Some("<id>"),
        _ => None,
    }
}

/// `2026-11-20`, `2026-11-20T14:00:00.123Z`, `14:00:00`.
fn is_time(word: &str) -> bool {
    let looks_like = |shape: &str| {
        word.len() >= shape.len()
            && word.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            })
    };
    looks_like("0000-00-00") || looks_like("00:00:00")
}

/// Runs of digits, with their fraction and sign, as `<num>`; the letters around them stay.
fn push_numbers(word: &str, pattern: &mut String) {
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_ascii_digit() {
            pattern.push(c);
            continue;
        }
        pattern.push_str("<num>");
        while let Some(next) = chars.next_if(|next| next.is_ascii_digit() || *next == '.') {
            // A dot that no digit follows belongs to what comes.
            if next == '.' && !chars.peek().is_some_and(char::is_ascii_digit) {
                pattern.push('.');
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn data_gives_way_and_words_stay() {
        for (message, pattern) in [
            ("Order 17 of user-42 took 12.5ms.", "Order <num> of user-<num> took <num>ms."),
            ("request 7a1c2f0e-55aa-4a51-9e6c-0123456789ab: done", "request <uuid>: done"),
            ("at 2026-11-20T14:00:00.123Z from 10.0.0.255:443", "at <time> from <num>:<num>"),
            ("peer 10.0.0.255 gone", "peer <ip> gone"),
            ("commit 7451761bd0 by aZ09aZ09aZ09aZ09", "commit <hex> by <id>"),
            ("no data here, deadbeef", "no data here, deadbeef"),
            ("v1.2. next\nstack trace 12", "v<num>. next"),
            ("  {\"id\": 5}", "{\"id\": <num>}"),
            ("", ""),
        ] {
            assert_eq!(of(message), pattern, "{message}");
        }
    }

    proptest! {
        #[test]
        fn numbers_alone_make_no_two_patterns(words in "[a-z ]{0,20}", left in 0..1_000_000_u32, right in any::<u32>()) {
            prop_assert_eq!(of(&format!("{words} {left} x")), of(&format!("{words} {right} x")));
        }

        #[test]
        fn any_text_has_a_pattern(text in "\\PC{0,80}") {
            of(&text);
        }
    }
}
