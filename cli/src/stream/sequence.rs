//! A record's place in the stream: a number inside, 56 decimal digits outside, as Kinesis writes them.

use std::fmt;
use std::str::FromStr;

use model::Timestamp;

/// Increases with every record of the stream and is never given twice.
///
/// A fresh journal starts at the clock's microseconds: if somebody deletes the journal but keeps the store, new
/// records still stand above the store's watermark instead of being dropped as already seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(u64);

/// Kinesis' sequence numbers have 56 digits and start with 49; readers treat them as numbers of up to 186 bits.
const PREFIX: &str = "49";
const DIGITS: usize = 54;

/// A text that is no sequence number of this stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no sequence number of this stream: they have 56 digits and start with 49")]
pub struct SequenceError(String);

impl Sequence {
    /// From its number inside.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number inside.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Where a journal without records starts at `now`.
    pub fn first_at(now: Timestamp) -> Self {
        Self(u64::try_from(now.as_micros()).unwrap_or(0))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:0DIGITS$}", self.0)
    }
}

impl FromStr for Sequence {
    type Err = SequenceError;

    fn from_str(text: &str) -> Result<Self, SequenceError> {
        text.strip_prefix(PREFIX)
            .filter(|digits| digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| SequenceError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_keeps_the_number_and_its_order(a in any::<u64>(), b in any::<u64>()) {
            let (left, right) = (Sequence::from_number(a), Sequence::from_number(b));
            prop_assert_eq!(left.to_string().len(), 56);
            prop_assert_eq!(left.to_string().parse(), Ok(left));
            prop_assert_eq!(left.to_string().cmp(&right.to_string()), a.cmp(&b));
        }

        #[test]
        fn any_other_text_is_refused_not_guessed(text in "[0-9a-z+]{0,60}") {
            if let Ok(sequence) = text.parse::<Sequence>() {
                prop_assert_eq!(sequence.to_string(), text);
            }
        }
    }
}
