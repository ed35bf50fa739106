//! How far somebody has read, as text: what a reader keeps between two looks.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The version of each dataset that was read last. Written as `lambda-logs:12,otel:7`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(pub(super) BTreeMap<String, u64>);

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cursor; it is as lambda-logs:12,otel:7")]
pub struct CursorError(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (dataset, version)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{dataset}:{version}")?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let wrong = || CursorError(text.chars().take(100).collect());
        let parts = text.split(',').filter(|part| !part.is_empty());
        let part = |part: &str| {
            let (dataset, version) = part.rsplit_once(':')?;
            Some((dataset.to_owned(), version.parse().ok()?))
        };
        parts.map(|text| part(text).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }
}
