//! The escapes in a JSON text's strings: `\n`, `\u00e9`, `\ud83d\ude00` (RFC 8259, section 7).

/// The letter of the escape that a text begins with, and the bytes it is written with. A backslash that begins none
/// stands for itself; half of a surrogate pair stands for a letter that cannot be shown.
pub(super) fn letter(text: &str) -> (char, usize) {
    let letter = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'u') => return from_units(text.as_bytes()).unwrap_or(('\\', 1)),
        _ => return ('\\', 1),
    };
    (letter, 2)
}

fn from_units(text: &[u8]) -> Option<(char, usize)> {
    let first = unit(text)?;
    let second = text.get(6..).and_then(unit);
    if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
        let letter = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
        return Some((letter, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

/// The four digits behind `\u`.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// True if what stands behind a backslash makes an escape.
pub(super) fn is_whole(behind: &[u8]) -> bool {
    match behind {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => true,
        [b'u', digits @ ..] => {
            digits.first_chunk::<4>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_means_what_json_says() {
        for escape in [
            r#"\""#,
            r"\\",
            r"\/",
            r"\b",
            r"\f",
            r"\n",
            r"\r",
            r"\t",
            r"\u0041",
            r"\u00e9",
            r"\uFFFF",
            r"\ud83d\ude00",
        ] {
            let meant: String = serde_json::from_str(&format!("\"{escape}\"")).unwrap();
            let (said, bytes) = letter(&format!("{escape}\\n"));
            assert_eq!((said.to_string(), bytes), (meant, escape.len()), "{escape}");
            assert!(is_whole(&escape.as_bytes()[1..]), "{escape}");
        }
    }

    #[test]
    fn what_only_looks_like_an_escape_loses_nothing() {
        for text in [r"\", r"\q", r"\u", r"\u00e", r"\u00g0", r"\U0041", r"\'"] {
            assert_eq!(letter(text), ('\\', 1), "{text}");
            assert!(!is_whole(&text.as_bytes()[1..]), "{text}");
        }
        for half in [r"\ud83d", r"\ude00", r"\ud83d\n", r"\ud83d\u0041", r"\ud83d\ud83d"] {
            assert_eq!(letter(half), (char::REPLACEMENT_CHARACTER, 6), "{half}");
        }
    }
}
