//! JSON text of our own writing, read back with every digit.
//!
//! serde_json reads most floats a last digit off unless a feature is set that every crate of the program would then
//! be built with. What a file says must not depend on that; so only the shape is read here, texts are left to
//! serde_json and numbers to the standard library, which is exact.

use model::{Map, Value};

/// Deeper text is none of ours: what comes in is bounded far below (serde_json refuses 128, prost 100).
const DEPTH_MAX: usize = 512;

/// What the text says; none if it is no JSON.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_space();
        match self.rest.bytes().next()? {
            _ if depth > DEPTH_MAX => None,
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.text().map(Value::String),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        self.take('{');
        if self.take('}') {
            return Some(Value::Object(map));
        }
        loop {
            self.skip_space();
            let key = self.text()?;
            if !self.take(':') {
                return None;
            }
            map.insert(key, self.value(depth + 1)?);
            if !self.take(',') {
                return self.take('}').then_some(Value::Object(map));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.take('[');
        if self.take(']') {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.take(',') {
                return self.take(']').then_some(Value::Array(items));
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let inside = self.rest.strip_prefix('"')?;
        let mut escaped = false;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        let (quoted, rest) = self.rest.split_at(end + 2);
        self.rest = rest;
        serde_json::from_str(quoted).ok()
    }

    /// `null`, `true`, `false` or a number.
    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            // Rust would also read `inf`, `nan` and `+1`.
            _ if !word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => None,
            _ if word.ends_with(|last: char| last.is_ascii_alphabetic()) => None,
            _ => word.parse().map(Value::Int).or_else(|_| word.parse().map(Value::Float)).ok(),
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_digit_is_kept() {
        for text in
            ["9.919021718665659e-96", "-1.5624739260588065e-41", "5e-324", "1.7976931348623157e308", "0.1"]
        {
            assert_eq!(parse(text), Some(Value::Float(text.parse().unwrap())));
        }
        assert_eq!(parse("-9223372036854775808"), Some(Value::Int(i64::MIN)));
    }

    #[test]
    fn shapes_are_read_as_serde_json_reads_them() {
        for text in [
            r#" { "a" : [ 1 , { } , [ ] , "x\"\\" ] , "é\u00e9\n" : null } "#,
            "[true,false,null,-0.5]",
            "\"\"",
        ] {
            let expected = Value::from(serde_json::from_str::<serde_json::Value>(text).unwrap());
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_none() {
        let deep = "[".repeat(100_000);
        for text in
            ["", "[1,]", "{", "{\"a\"}", "[1 2]", "inf", "-inf", "NaN", "nul", "\"", "1 1", "{1:2}", &deep]
        {
            assert_eq!(parse(text), None, "{text:.20}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\]{}\",:\\\\0-9a-e.\\-é ]{0,40}") {
            let _ = parse(&text);
        }
    }
}
