//! The beginning of a record's bytes, up to its content: `{"time":…,"type":…,"record":`. The platform repeats it, byte
//! for byte, before the rest of a record that it cut.

use lambda_api::telemetry::Record;
use model::Value;

/// Time and type have some 80 bytes. What is longer is no envelope of the platform.
const ENVELOPE_BYTES_MAX: usize = 512;
const CONTENT_KEY: &[u8] = br#""record":"#;

/// How long the element's envelope is; none if it has none that ends with the content's key.
pub(super) fn length(element: &[u8]) -> Option<usize> {
    let head = &element[..element.len().min(ENVELOPE_BYTES_MAX)];
    let key_at = head.windows(CONTENT_KEY.len()).position(|window| window == CONTENT_KEY)?;
    let length = key_at + CONTENT_KEY.len();
    read(&element[..length])?;
    Some(length)
}

/// What an envelope says: a record without content.
pub(super) fn read(envelope: &[u8]) -> Option<Record<Value>> {
    let mut whole = envelope.to_vec();
    whole.extend_from_slice(b"null}");
    serde_json::from_slice::<Record<Value>>(&whole).ok().filter(|record| !record.kind.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_reaches_up_to_the_content() {
        let element = br#"{"time":"t","type":"function","record":"half a"#;
        let length = length(element).unwrap();
        assert_eq!(&element[length..], b"\"half a");
        assert_eq!(read(&element[..length]).unwrap().kind, "function");
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for element in
            [&br#"{"time":"t","record":"x""#[..], br#"{"type":"#, b"17", br#"{"type":"a""b","record":"#]
        {
            assert_eq!(length(element), None);
        }
    }
}
