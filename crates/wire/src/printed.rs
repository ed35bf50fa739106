//! A line that was shipped as it was printed, and what a reader makes of it. How lines are understood is not this
//! crate's to know: whoever decodes brings a [`ReadLine`].

use model::{LogRecord, Map};

use crate::error::DecodeError;
use crate::limits::Limits;

/// What a line says. The rest of what is known of it (time, level, request, trace) was shipped beside it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Printed {
    /// Its keys; a text's is `message`.
    pub keys: Map,
    /// How long what it tells of took, milliseconds.
    pub duration_ms: Option<f64>,
    /// What makes it an error, if anything does.
    pub error: Option<String>,
}

/// Understands a line; never fails.
pub type ReadLine = fn(&str) -> Printed;

/// For who needs no keys: the text under `message`.
pub fn as_text(text: &str) -> Printed {
    Printed { keys: Map::from([("message".to_owned(), text.into())]), ..Printed::default() }
}

/// Puts what the line says into the record. What was added to the record on its way stands before the line's own.
pub fn take_apart(log: &mut LogRecord, read_line: ReadLine) {
    let Some(text) = log.line.take() else { return };
    let mut printed = read_line(&text);
    printed.keys.append(&mut log.body);
    log.body = printed.keys;
    log.duration_ms = log.duration_ms.or(printed.duration_ms);
    log.error = log.error.take().or(printed.error);
}

/// JSON in lines becomes values as protobuf does; each has a comma or an opening bracket before it.
///
/// # Errors
/// When there may be more of them than the limits allow.
pub(crate) fn check<'a>(lines: impl Iterator<Item = &'a str>, limits: &Limits) -> Result<(), DecodeError> {
    let values = |line: &str| line.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if lines.map(values).sum::<usize>() > limits.values_max {
        return Err(DecodeError::TooManyValues { max: limits.values_max });
    }
    Ok(())
}
