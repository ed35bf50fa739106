//! An extension's subscription and the limits the platform holds it to.

use serde::{Deserialize, Serialize};

/// The shape of records that a subscriber wants, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SchemaVersion {
    /// The first.
    #[serde(rename = "2022-07-01")]
    July2022,
    /// Adds runtime versions and `platform.report`'s status.
    #[serde(rename = "2022-12-13")]
    December2022,
    /// The only one on Managed Instances; not known in every region.
    #[serde(rename = "2025-01-29")]
    January2025,
}

impl SchemaVersion {
    /// Newest first, the order in which to try.
    pub const ALL: [Self; 3] = [Self::January2025, Self::December2022, Self::July2022];

    /// As in a subscription's body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::July2022 => "2022-07-01",
            Self::December2022 => "2022-12-13",
            Self::January2025 => "2025-01-29",
        }
    }
}

/// A stream of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// What the platform says about the sandbox.
    Platform,
    /// The function's lines.
    Function,
    /// All extensions' lines.
    Extension,
}

impl Category {
    /// The stream that a kind of record belongs to: `platform.start` is a platform record.
    pub fn of(kind: &str) -> Self {
        match kind {
            super::kind::FUNCTION => Self::Function,
            super::kind::EXTENSION => Self::Extension,
            _ => Self::Platform,
        }
    }
}

/// The body of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The shape of records.
    pub schema_version: SchemaVersion,
    /// What to deliver.
    pub types: Vec<Category>,
    /// When to deliver; the platform's defaults without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffering: Option<Buffering>,
    /// Where to deliver.
    pub destination: Destination,
}

/// Where the platform POSTs batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// `HTTP`.
    pub protocol: String,
    /// `http://sandbox.localdomain:PORT/path`.
    #[serde(rename = "URI", alias = "uri")]
    pub uri: String,
}

impl Destination {
    /// Plain HTTP to a port of the sandbox.
    pub fn http(port: u16) -> Self {
        Self { protocol: "HTTP".to_owned(), uri: format!("http://{}:{port}", super::DESTINATION_HOSTS[0]) }
    }
}

/// When a batch is delivered: at whichever limit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Buffering {
    /// Records, 1,000–10,000; 10,000 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Bytes, 262,144–1,048,576; 262,144 without it. A body may be twice as large and more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Milliseconds, 25–30,000; 1,000 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A limit outside what the platform allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferingError {
    /// The field's name in JSON.
    pub field: &'static str,
    /// What was asked.
    pub got: u64,
    /// Smallest and largest allowed value.
    pub allowed: (u64, u64),
}

impl std::fmt::Display for BufferingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (least, most) = self.allowed;
        write!(f, "buffering.{} must be between {least} and {most}, got {}", self.field, self.got)
    }
}

impl std::error::Error for BufferingError {}

impl Buffering {
    /// Allowed `maxItems`.
    pub const ITEMS: (u64, u64) = (1_000, 10_000);
    /// Allowed `maxBytes`.
    pub const BYTES: (u64, u64) = (262_144, 1_048_576);
    /// Allowed `timeoutMs`.
    pub const TIMEOUT_MS: (u64, u64) = (25, 30_000);

    /// Records per batch in force.
    pub fn items(&self) -> u64 {
        self.max_items.unwrap_or(10_000)
    }

    /// Bytes per batch in force.
    pub fn bytes(&self) -> u64 {
        self.max_bytes.unwrap_or(262_144)
    }

    /// Milliseconds per batch in force.
    pub fn timeout_ms(&self) -> u64 {
        self.timeout_ms.unwrap_or(1_000)
    }

    /// Whether the platform would take it.
    ///
    /// # Errors
    /// Names the first field outside its limits.
    pub fn check(&self) -> Result<(), BufferingError> {
        let within = |field, value: Option<u64>, allowed: (u64, u64)| match value {
            Some(got) if got < allowed.0 || got > allowed.1 => Err(BufferingError { field, got, allowed }),
            _ => Ok(()),
        };
        within("maxItems", self.max_items, Self::ITEMS)?;
        within("maxBytes", self.max_bytes, Self::BYTES)?;
        within("timeoutMs", self.timeout_ms, Self::TIMEOUT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_written_as_aws_reads_it() {
        let subscription = Subscription {
            schema_version: SchemaVersion::January2025,
            types: vec![Category::Platform, Category::Function],
            buffering: Some(Buffering { max_items: Some(1_000), max_bytes: None, timeout_ms: Some(25) }),
            destination: Destination::http(4243),
        };
        assert_eq!(
            serde_json::to_string(&subscription).unwrap(),
            r#"{"schemaVersion":"2025-01-29","types":["platform","function"],"buffering":{"maxItems":1000,"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:4243"}}"#
        );
    }

    #[test]
    fn limits_are_inclusive_and_named() {
        let at = |timeout_ms| Buffering { timeout_ms: Some(timeout_ms), ..Buffering::default() }.check();
        assert_eq!((at(25), at(30_000)), (Ok(()), Ok(())));
        assert_eq!(
            at(24).unwrap_err().to_string(),
            "buffering.timeoutMs must be between 25 and 30000, got 24"
        );
    }
}
