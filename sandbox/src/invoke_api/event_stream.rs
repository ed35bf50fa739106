//! A streamed answer → the events of `InvokeWithResponseStream`, each a message of AWS's event stream encoding.
//!
//! A message: its length and its headers' length (4 bytes each), the CRC-32 of these eight, headers, payload, the
//! CRC-32 of all that. Source: "Event stream encoding" in the Amazon Transcribe developer guide, where AWS documents
//! it, and <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use crate::Outcome;

/// What `Content-Type` says of such a body.
pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// A header's value that is text.
const TEXT: u8 = 7;
/// Two lengths and their checksum, and the message's own.
const FRAME_BYTES: usize = 16;

/// A piece of the payload.
pub(super) fn chunk(payload: &[u8]) -> Bytes {
    message("PayloadChunk", "application/octet-stream", payload)
}

/// The end: how the function failed, if it did, and the log's tail.
pub(super) fn complete(outcome: &Outcome) -> Bytes {
    let mut end = json!({});
    if let Some(error) = outcome.error {
        end["ErrorCode"] = json!(error.as_str());
        let details = serde_json::from_slice(&outcome.payload).unwrap_or(Value::Null);
        end["ErrorDetails"] = json!(details.to_string());
    }
    if let Some(tail) = &outcome.log_tail {
        end["LogResult"] = json!(STANDARD.encode(tail));
    }
    message("InvokeComplete", "application/json", end.to_string().as_bytes())
}

fn message(event: &str, content: &str, payload: &[u8]) -> Bytes {
    let mut headers = BytesMut::new();
    for (name, value) in [(":message-type", "event"), (":event-type", event), (":content-type", content)] {
        headers.put_slice(&wire(name.len()).to_be_bytes()[3..]);
        headers.put_slice(name.as_bytes());
        headers.put_u8(TEXT);
        headers.put_slice(&wire(value.len()).to_be_bytes()[2..]);
        headers.put_slice(value.as_bytes());
    }
    let mut message = BytesMut::with_capacity(FRAME_BYTES + headers.len() + payload.len());
    message.put_u32(wire(FRAME_BYTES + headers.len() + payload.len()));
    message.put_u32(wire(headers.len()));
    message.put_u32(crc32fast::hash(&message));
    message.put_slice(&headers);
    message.put_slice(payload);
    message.put_u32(crc32fast::hash(&message));
    message.freeze()
}

/// A length in the bytes that it has on the wire. Names and values are ours and short, and a chunk is what a socket
/// gave at once.
#[allow(clippy::cast_possible_truncation, reason = "see above")]
const fn wire(length: usize) -> u32 {
    length as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionError;

    fn number(bytes: &[u8]) -> u32 {
        u32::from_be_bytes(bytes[..4].try_into().unwrap())
    }

    #[test]
    fn a_message_says_how_long_it_is_and_sums_it_up() {
        let message = chunk(b"hello");
        assert_eq!(number(&message) as usize, message.len());
        assert_eq!(number(&message[8..]), crc32fast::hash(&message[..8]));
        let end = message.len() - 4;
        assert_eq!(number(&message[end..]), crc32fast::hash(&message[..end]));
        assert!(message[..end].ends_with(b"hello"));
        let text = String::from_utf8_lossy(&message);
        assert!(text.contains(":event-type") && text.contains("PayloadChunk"));
    }

    #[test]
    fn the_end_tells_of_the_error() {
        let outcome = Outcome {
            request_id: "r".to_owned(),
            payload: Bytes::from_static(br#"{"errorType":"Runtime.ExitError"}"#),
            error: Some(FunctionError::Unhandled),
            executed_version: "$LATEST".to_owned(),
            log_tail: None,
        };
        let message = complete(&outcome);
        let text = String::from_utf8_lossy(&message);
        assert!(text.contains("InvokeComplete") && text.contains(r#""ErrorCode":"Unhandled""#), "{text}");
        assert!(text.contains("Runtime.ExitError"), "{text}");
    }
}
