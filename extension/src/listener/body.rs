//! A POST's body in, its records out, one array element at a time: an element that cannot be read costs itself and
//! never its neighbours. Called by the collector; pure.

use lambda_api::telemetry::Record;

/// What a body held.
#[derive(Debug, Default, PartialEq)]
pub struct Body {
    /// The readable elements, in order.
    pub records: Vec<Record>,
    /// How many elements could not be read (broken JSON, not an object, cut off at the body's end).
    pub unreadable: u64,
    /// False if this is no array at all: then nobody knows how many records are gone.
    pub is_array: bool,
}

/// Reads whatever can be read.
pub fn read(bytes: &[u8]) -> Body {
    let Some(mut rest) = bytes.trim_ascii_start().strip_prefix(b"[") else {
        return Body::default();
    };
    let mut body = Body { is_array: true, ..Body::default() };
    loop {
        rest = rest.trim_ascii_start();
        match rest.first() {
            None | Some(b']') => return body,
            Some(b',') => rest = &rest[1..],
            Some(_) => {
                let (element, after) = rest.split_at(element_bytes(rest));
                match record(element) {
                    Some(record) => body.records.push(record),
                    None => body.unreadable += 1,
                }
                rest = after;
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

    fn kinds(body: &Body) -> Vec<&str> {
        body.records.iter().map(|record| record.kind.as_str()).collect()
    }

    #[test]
    fn all_elements_of_a_good_body_are_read_in_order() {
        let body = read(
            br#" [ {"type":"platform.start","time":"t","record":{"a":[1,"]"]}} ,
                   {"type":"function","time":"t","record":"a \"quoted\" { line\\"} ] "#,
        );
        assert_eq!((kinds(&body), body.unreadable), (vec!["platform.start", "function"], 0));
    }

    #[test]
    fn an_empty_array_is_a_body_without_records() {
        assert_eq!(read(b"[]"), Body { is_array: true, ..Body::default() });
    }

    #[test]
    fn a_bad_element_costs_itself_only() {
        let body = read(br#"[{"type":"a"},{"type":},{"type":"b"},17,{"type":"c"}]"#);
        assert_eq!((kinds(&body), body.unreadable), (vec!["a", "b", "c"], 2));
    }

    #[test]
    fn a_body_that_was_cut_keeps_what_is_whole() {
        let body = read(br#"[{"type":"a"},{"type":"function","record":"half a li"#);
        assert_eq!((kinds(&body), body.unreadable), (vec!["a"], 1));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_kept() {
        let body = read(b"[{\"type\":\"function\",\"record\":\"caf\xe9\"}]");
        assert_eq!(body.records[0].record, serde_json::Value::from("caf\u{fffd}"));
    }

    #[test]
    fn what_is_no_array_is_told() {
        for bytes in [&b""[..], b"{}", b"null", b"\xff\xfe", b"hello"] {
            assert_eq!(read(bytes), Body::default());
        }
    }

    #[test]
    fn stray_brackets_do_not_hold_it_up() {
        let body = read(br#"[}{"type":"a"},{"type":"b"}]"#);
        assert!(kinds(&body).contains(&"b"), "{body:?}");
    }
}
