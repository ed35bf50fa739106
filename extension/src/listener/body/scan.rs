//! Where a JSON value ends, by counting brackets outside of strings. Can stop anywhere and go on with further bytes:
//! a record may be cut over two POSTs.

/// The place inside a value that the bytes so far have led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Where in `bytes` the array element ends: at its comma or at the array's bracket. None if it goes on behind
    /// them; then the next bytes continue.
    pub(super) fn element_end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b',' | b']' | b'}' if self.depth == 0 => return Some(at),
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_ends_where_its_array_says() {
        for (text, end) in [
            (r#"{"a":[1,"]"]},x"#, Some(13)),
            (r#""\"]",2"#, Some(5)),
            ("17]", Some(2)),
            (r#"{"a":"b"#, None),
        ] {
            assert_eq!(Scan::default().element_end(text.as_bytes()), end, "{text}");
        }
    }

    #[test]
    fn it_may_stop_anywhere() {
        let text = br#"{"a":"x\"}],\\","b":[{}]},"#;
        for cut in 0..text.len() {
            let mut scan = Scan::default();
            let first = scan.element_end(&text[..cut]);
            let end = first.or_else(|| scan.element_end(&text[cut..]).map(|end| cut + end));
            assert_eq!(end, Some(text.len() - 1), "cut at {cut}");
        }
    }
}
