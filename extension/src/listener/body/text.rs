//! A JSON string's bytes → its text. Most of a delivery is texts of lines, and a line that is JSON itself has a backslash
//! at every eighth byte: its text is put together in room that is kept, and copied once.

/// What ends a run of letters that stand as they are: the closing quote, a backslash, and what JSON does not allow.
const ENDS_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Of the string whose opening quote stands before `bytes`: its text, put together in `room`, and how many bytes it
/// takes with its closing quote. None if it is not whole, no JSON, no UTF-8, or has a letter beyond 16 bits written as
/// two escapes: what is rare is another reader's.
pub(super) fn read<'r>(bytes: &[u8], room: &'r mut Vec<u8>) -> Option<(&'r str, usize)> {
    room.clear();
    let mut at = 0;
    loop {
        at += copy_run(&bytes[at..], room) + 1;
        match bytes.get(at - 1)? {
            b'"' => return Some((std::str::from_utf8(room).ok()?, at)),
            b'\\' => at += unescape(&bytes[at..], room)?,
            _ => return None,
        }
    }
}

/// Copies what stands before the end of a run; returns how many bytes that are. Eight at a time, and back again over
/// what is too much: most runs are shorter than what a call to copy them costs.
fn copy_run(bytes: &[u8], room: &mut Vec<u8>) -> usize {
    let ends_run = |byte: &u8| ENDS_RUN[usize::from(*byte)];
    let mut run = 0;
    while let Some(eight) = bytes[run..].first_chunk::<8>() {
        room.extend_from_slice(eight);
        if let Some(end) = eight.iter().position(ends_run) {
            room.truncate(room.len() - (eight.len() - end));
            return run + end;
        }
        run += eight.len();
    }
    let rest = &bytes[run..];
    let end = rest.iter().position(ends_run).unwrap_or(rest.len());
    room.extend_from_slice(&rest[..end]);
    run + end
}

/// Puts the letter behind a backslash; returns how many bytes it takes.
fn unescape(bytes: &[u8], room: &mut Vec<u8>) -> Option<usize> {
    let letter = match *bytes.first()? {
        plain @ (b'"' | b'\\' | b'/') => plain,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'u' => {
            let digits = bytes.get(1..5)?;
            let code = digits
                .iter()
                .try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))?;
            let mut encoded = [0; 4];
            room.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut encoded).as_bytes());
            return Some(5);
        }
        _ => return None,
    };
    room.push(letter);
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text and length by serde's own reader.
    fn by_serde(json: &[u8]) -> Option<(String, usize)> {
        let mut texts = serde_json::Deserializer::from_slice(json).into_iter::<String>();
        Some((texts.next()?.ok()?, texts.byte_offset()))
    }

    fn by_us(json: &[u8]) -> Option<(String, usize)> {
        let mut room = b"what was there before".to_vec();
        let (text, length) = read(json.strip_prefix(b"\"")?, &mut room)?;
        Some((text.to_owned(), length + 1))
    }

    #[test]
    fn what_is_rare_or_no_text_is_left_to_others() {
        for json in [
            &br#""half"#[..],
            br#""\"#,
            br#""\x""#,
            br#""\u12""#,
            b"\"line\nbreak\"",
            b"\"\xff\"",
            br#""\ud83d\ude00""#,
        ] {
            assert_eq!(by_us(json), None, "{}", json.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn a_text_is_what_serde_says(text in ".*", behind in ".*") {
            let json = format!("{}{behind}", serde_json::Value::from(text));
            prop_assert_eq!(by_us(json.as_bytes()), by_serde(json.as_bytes()));
        }

        #[test]
        fn whatever_is_read_serde_reads_as_well(inner in r#"([a-z"]|\\["\\/bfnrtux]|\\u[0-9a-f]{4}){0,12}"#) {
            let json = format!("\"{inner}\"");
            if let Some(read) = by_us(json.as_bytes()) {
                prop_assert_eq!(Some(read), by_serde(json.as_bytes()));
            }
        }
    }
}
