//! The envelope's columns: what `$limelight.<key>` (alias `$baselime.<key>`) names in every dataset.

use crate::column::ColumnKind;

/// One field of the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// The table itself: a constant, not a column.
    Dataset,
    /// When it happened.
    Timestamp,
    /// When the store took it.
    IngestedAt,
    /// The event's id; also `baselimeId`.
    Id,
    /// Log, span, metric, platform or event.
    Kind,
    /// Who emitted it.
    Namespace,
    /// The team's unit.
    Service,
    /// AWS account.
    Account,
    /// AWS region.
    Region,
    /// Gravity.
    Level,
    /// A span's or metric's name.
    Name,
    /// The text at the root key `message`.
    Message,
    /// Milliseconds.
    Duration,
    /// The invocation.
    RequestId,
    /// The trace.
    TraceId,
    /// The span.
    SpanId,
    /// The span's parent.
    ParentId,
    /// What makes it an error.
    Error,
    /// How it ended.
    Status,
}

impl Envelope {
    /// All fields. `message` is the only one that is also reached without prefix.
    pub const ALL: [Self; 19] = [
        Self::Dataset,
        Self::Timestamp,
        Self::IngestedAt,
        Self::Id,
        Self::Kind,
        Self::Namespace,
        Self::Service,
        Self::Account,
        Self::Region,
        Self::Level,
        Self::Name,
        Self::Message,
        Self::Duration,
        Self::RequestId,
        Self::TraceId,
        Self::SpanId,
        Self::ParentId,
        Self::Error,
        Self::Status,
    ];

    /// The field that a key below the prefix names.
    pub fn named(key: &str) -> Option<Self> {
        match key {
            "baselimeId" => Some(Self::Id),
            _ => Self::ALL.into_iter().find(|field| field.key() == key),
        }
    }

    /// The key below the prefix.
    pub fn key(self) -> &'static str {
        self.names().0
    }

    /// The column's name in the table; `dataset` is no column.
    pub fn physical(self) -> &'static str {
        self.names().1
    }

    /// What the column's values are.
    pub fn kind(self) -> ColumnKind {
        match self {
            Self::Timestamp | Self::IngestedAt => ColumnKind::Timestamp,
            Self::Duration => ColumnKind::Float,
            _ => ColumnKind::Text,
        }
    }

    /// Whether tables have an empty text where nothing is known, instead of none.
    pub(crate) fn is_empty_if_unset(self) -> bool {
        matches!(self, Self::Namespace | Self::Service | Self::Account | Self::Region)
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Dataset => ("dataset", "dataset"),
            Self::Timestamp => ("timestamp", "timestamp"),
            Self::IngestedAt => ("ingestedAt", "ingested_at"),
            Self::Id => ("id", "id"),
            Self::Kind => ("kind", "kind"),
            Self::Namespace => ("namespace", "namespace"),
            Self::Service => ("service", "service"),
            Self::Account => ("account", "account"),
            Self::Region => ("region", "region"),
            Self::Level => ("level", "level"),
            Self::Name => ("name", "name"),
            Self::Message => ("message", "message"),
            Self::Duration => ("duration", "duration_ms"),
            Self::RequestId => ("requestId", "request_id"),
            Self::TraceId => ("traceId", "trace_id"),
            Self::SpanId => ("spanId", "span_id"),
            Self::ParentId => ("parentId", "parent_id"),
            Self::Error => ("error", "error"),
            Self::Status => ("status", "status"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_model_is_a_field() {
        for key in model::Event::ENVELOPE_KEYS {
            assert!(Envelope::named(key).is_some(), "{key}");
        }
    }
}
