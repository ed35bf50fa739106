//! JSON text in, our values out, with a bound on how many. Whole numbers keep every digit.

use std::cell::Cell;

use model::Value;
use model::value::Bounded;
use serde::de::DeserializeSeed as _;

use crate::error::DecodeError;
use crate::limits::Limits;

/// Reads values that stand one after another, with or without blanks and newlines between them: a single one, and
/// JSON lines.
pub(crate) fn values(text: &[u8], limits: &Limits) -> Result<Vec<Value>, DecodeError> {
    let left = Cell::new(limits.values_max);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut values = Vec::new();
    let failed = |error: serde_json::Error| match left.get() {
        0 => DecodeError::TooManyValues { max: limits.values_max },
        _ => DecodeError::Json { line: error.line(), column: error.column(), why: reason(&error) },
    };
    // `end` fails as long as something is left.
    while deserializer.end().is_err() {
        values.push(Bounded::new(&left).deserialize(&mut deserializer).map_err(failed)?);
        if values.len() > limits.events_max {
            return Err(DecodeError::TooManyEvents { max: limits.events_max });
        }
    }
    Ok(values)
}

/// serde_json's text without the place, which stands beside it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Value>, DecodeError> {
        values(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn one_value_and_lines_of_them_are_read_alike() {
        let one = read(r#" {"a": 9007199254740993, "b": [1.5, null]} "#).unwrap();
        assert_eq!(one[0].as_object().unwrap()["a"], Value::Int(9_007_199_254_740_993));
        assert_eq!(read("{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}").unwrap().len(), 3);
        assert_eq!(read("{\"a\":1}{\"a\":2}").unwrap().len(), 2);
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let error = read("{\"a\":1}\n{\"a\":}").unwrap_err();
        assert_eq!(error.to_string(), "not JSON at line 2, column 6: expected value");
    }

    #[test]
    fn too_many_values_and_too_deep_ones_are_refused() {
        let limits = Limits { values_max: 1_000, ..Limits::default() };
        let many = format!("[{}0]", "0,".repeat(2_000));
        assert!(matches!(values(many.as_bytes(), &limits), Err(DecodeError::TooManyValues { max: 1_000 })));
        let deep = "[".repeat(100_000);
        assert!(matches!(read(&deep), Err(DecodeError::Json { .. })));
    }
}
