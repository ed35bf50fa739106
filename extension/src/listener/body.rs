//! A POST's body in, its records out, one array element at a time: an element that cannot be read costs itself and
//! never its neighbours. Called by the collector; pure.

use lambda_api::telemetry::Record;

/// The elements of a body, in order: a record, or none for one that could not be read (broken JSON, not an object, cut
/// off at the body's end). One is in memory at a time: a body's records take many times the body's room.
#[derive(Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

/// None if the body is no array at all: then nobody knows how many records are gone.
pub fn elements(body: &[u8]) -> Option<Elements<'_>> {
    body.trim_ascii_start().strip_prefix(b"[").map(|rest| Elements { rest })
}

impl Iterator for Elements<'_> {
    type Item = Option<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            match self.rest.first()? {
                b']' => return None,
                b',' => self.rest = &self.rest[1..],
                _ => {
                    let (element, after) = self.rest.split_at(element_bytes(self.rest));
                    self.rest = after;
                    return Some(record(element));
                }
            }
        }
    }
}

/// Text that is not UTF-8 inside a record is kept with replacement characters.
fn record(element: &[u8]) -> Option<Record> {
    serde_json::from_slice(element).or_else(|_| serde_json::from_str(&String::from_utf8_lossy(element))).ok()
}

/// Up to the comma or bracket that ends the element, by counting brackets outside of strings; at least one byte.
fn element_bytes(bytes: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b',' if depth == 0 => return at.max(1),
            b']' | b'}' if depth == 0 => return at.max(1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds of the readable elements, and how many were not.
    fn read(body: &[u8]) -> (Vec<String>, usize) {
        let elements: Vec<_> = elements(body).unwrap().collect();
        let unreadable = elements.iter().filter(|element| element.is_none()).count();
        (elements.into_iter().flatten().map(|record| record.kind).collect(), unreadable)
    }

    #[test]
    fn all_elements_of_a_good_body_are_read_in_order() {
        let (kinds, unreadable) = read(
            br#" [ {"type":"platform.start","time":"t","record":{"a":[1,"]"]}} ,
                   {"type":"function","time":"t","record":"a \"quoted\" { line\\"} ] "#,
        );
        assert_eq!((kinds, unreadable), (vec!["platform.start".to_owned(), "function".to_owned()], 0));
    }

    #[test]
    fn an_empty_array_is_a_body_without_records() {
        assert_eq!(read(b"[]"), (vec![], 0));
    }

    #[test]
    fn a_bad_element_costs_itself_only() {
        let (kinds, unreadable) = read(br#"[{"type":"a"},{"type":},{"type":"b"},17,{"type":"c"}]"#);
        assert_eq!((kinds.concat().as_str(), unreadable), ("abc", 2));
    }

    #[test]
    fn a_body_that_was_cut_keeps_what_is_whole() {
        let (kinds, unreadable) = read(br#"[{"type":"a"},{"type":"function","record":"half a li"#);
        assert_eq!((kinds.concat().as_str(), unreadable), ("a", 1));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_kept() {
        let mut elements = elements(b"[{\"type\":\"function\",\"record\":\"caf\xe9\"}]").unwrap();
        let record = elements.next().flatten().unwrap();
        assert_eq!(record.record, serde_json::Value::from("caf\u{fffd}"));
    }

    #[test]
    fn what_is_no_array_is_told() {
        for body in [&b""[..], b"{}", b"null", b"\xff\xfe", b"hello"] {
            assert!(elements(body).is_none());
        }
    }

    #[test]
    fn stray_brackets_do_not_hold_it_up() {
        assert_eq!(read(br#"[}{"type":"a"},{"type":"b"}]"#).0.last().map(String::as_str), Some("b"));
    }
}
