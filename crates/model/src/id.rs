//! Identities and their text forms. Bytes inside, lower-case hex outside.

use std::fmt;
use std::str::FromStr;

/// A text that is not the identity it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {expected}, got {got:?}")]
pub struct IdError {
    what: &'static str,
    expected: &'static str,
    got: String,
}

fn id_error(what: &'static str, expected: &'static str, got: &str) -> IdError {
    // What came in may be a log line: keep enough of it to be found, not all of it.
    IdError { what, expected, got: got.chars().take(80).collect() }
}

/// 16 bytes that all spans and logs of one trace share (W3C Trace Context, `trace-id`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId([u8; 16]);

/// 8 bytes that name one span inside its trace (W3C Trace Context, `parent-id`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// None for all zeroes, which W3C defines as invalid.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The bytes as OTLP carries them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads X-Ray's form `1-58406520-a006649127e371903a2de979`; the same 32 digits without version and dashes.
    ///
    /// # Errors
    /// When the text is not version 1 with 8 and 24 hexadecimal digits.
    pub fn from_xray(text: &str) -> Result<Self, IdError> {
        let wrong = || id_error("an X-Ray trace id", "1-<8 hex digits>-<24 hex digits>", text);
        let mut parts = text.split('-');
        let (Some("1"), Some(epoch), Some(unique), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        if epoch.len() != 8 || unique.len() != 24 {
            return Err(wrong());
        }
        format!("{epoch}{unique}").parse().map_err(|_| wrong())
    }

    /// X-Ray's text form of the same id.
    pub fn to_xray(self) -> String {
        let hex = self.to_string();
        format!("1-{}-{}", &hex[..8], &hex[8..])
    }
}

impl SpanId {
    /// None for all zeroes, which W3C defines as invalid.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// The bytes as OTLP carries them.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl FromStr for TraceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        hex_bytes(text)
            .and_then(Self::from_bytes)
            .ok_or_else(|| id_error("a trace id", "32 hexadecimal digits that are not all zero", text))
    }
}

impl FromStr for SpanId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        hex_bytes(text)
            .and_then(Self::from_bytes)
            .ok_or_else(|| id_error("a span id", "16 hexadecimal digits that are not all zero", text))
    }
}

fn hex_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Each event has three such ids: the digits are put together here, because formatting them one by one costs more than
/// reading the event.
fn write_hex<const N: usize>(bytes: &[u8; N], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(2 * N);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    f.write_str(&text)
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

/// Who made a batch and which of its batches it is. A producer's retry keeps it, so a reader can drop the copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchId {
    /// The sandbox (one execution environment's life), 32 lower-case hex digits chosen at its start.
    pub sandbox: String,
    /// Counts the sandbox's batches from 0 without holes: a hole at the reader is a loss that can be proved.
    pub sequence: u64,
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sandbox, self.sequence)
    }
}

impl FromStr for BatchId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.rsplit_once('-')
            .and_then(|(sandbox, sequence)| {
                let sequence = sequence.parse().ok()?;
                (!sandbox.is_empty()).then(|| Self { sandbox: sandbox.to_owned(), sequence })
            })
            .ok_or_else(|| id_error("a batch id", "<sandbox>-<sequence>", text))
    }
}

/// Names one event for ever, in all readers: `<batch id>-<number in the batch>`, or made from the stream's
/// sequence number where the producer gave no batch identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(String);

impl EventId {
    /// The event with this number (from 0) in a batch.
    pub fn in_batch(batch: &BatchId, number: u64) -> Self {
        Self(format!("{batch}-{number}"))
    }

    /// The event with this number (from 0) in a stream record whose producer gave it no identity.
    pub fn in_record(record: &str, number: usize) -> Self {
        Self(format!("{record}-{number}"))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for EventId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xray_and_w3c_forms_are_the_same_id() {
        let id = TraceId::from_xray("1-58406520-a006649127e371903a2de979").unwrap();
        assert_eq!(id.to_string(), "58406520a006649127e371903a2de979");
        assert_eq!(id.to_xray(), "1-58406520-a006649127e371903a2de979");
        assert_eq!("58406520a006649127e371903a2de979".parse(), Ok(id));
    }

    #[test]
    fn zero_short_and_foreign_texts_are_refused_with_what_was_expected() {
        for text in ["", "0", "00000000000000000000000000000000", "58406520a006649127e371903a2de97g"] {
            let error = text.parse::<TraceId>().unwrap_err().to_string();
            assert!(error.contains("32 hexadecimal digits"), "{error}");
        }
        assert!("0000000000000000".parse::<SpanId>().is_err());
        assert!(TraceId::from_xray("2-58406520-a006649127e371903a2de979").is_err());
        assert!(TraceId::from_xray("1-58406520-a006649127e371903a2de979-x").is_err());
    }

    #[test]
    fn a_batch_id_survives_its_text() {
        let id = BatchId { sandbox: "a-b".into(), sequence: 42 };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("42".parse::<BatchId>().is_err());
    }
}
