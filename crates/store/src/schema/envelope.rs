//! The columns that every dataset has, whatever its events hold.

use arrow::datatypes::{DataType, Field, TimeUnit};
use deltalake_core::kernel::{DataType as DeltaType, PrimitiveType};

/// The partition column: the UTC day of `timestamp`.
pub(crate) const DATE: &str = "date";
/// What found no column of its own, as a JSON object with the event's nesting.
pub(crate) const OVERFLOW: &str = "attributes_json";

/// What an envelope column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Microseconds since the epoch, UTC.
    Time,
    /// Text.
    Text,
    /// A 64-bit float.
    Float,
}

/// The envelope in the table's order. The names are the file format: they never change, and none begins with the
/// dynamic columns' prefix.
pub(crate) const ENVELOPE: [(&str, Kind); 19] = [
    ("timestamp", Kind::Time),
    ("ingested_at", Kind::Time),
    ("id", Kind::Text),
    ("kind", Kind::Text),
    ("namespace", Kind::Text),
    ("service", Kind::Text),
    ("account", Kind::Text),
    ("region", Kind::Text),
    ("level", Kind::Text),
    ("name", Kind::Text),
    ("message", Kind::Text),
    ("duration_ms", Kind::Float),
    ("request_id", Kind::Text),
    ("trace_id", Kind::Text),
    ("span_id", Kind::Text),
    ("parent_id", Kind::Text),
    ("error", Kind::Text),
    ("status", Kind::Text),
    (OVERFLOW, Kind::Text),
];

impl Kind {
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Text => DataType::Utf8,
            Self::Float => DataType::Float64,
        }
    }

    pub(crate) fn delta(self) -> DeltaType {
        DeltaType::Primitive(match self {
            Self::Time => PrimitiveType::Timestamp,
            Self::Text => PrimitiveType::String,
            Self::Float => PrimitiveType::Double,
        })
    }
}

/// The envelope's Arrow fields.
pub(crate) fn fields() -> impl Iterator<Item = Field> {
    ENVELOPE.iter().map(|(name, kind)| Field::new(*name, kind.arrow(), true))
}
