//! The times along a picture: the beginnings of its buckets, and the zone whose clocks name them.

use model::Timestamp;
use query::Zone;

use super::number::tick;

/// Beginnings of buckets and their zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    /// Milliseconds since the epoch, in order.
    pub starts_ms: Vec<i64>,
    /// Where days begin.
    pub zone: Zone,
}

impl Times {
    /// The first and the last; none without times.
    pub(super) fn ends_ms(&self) -> Option<(i64, i64)> {
        Some((*self.starts_ms.first()?, *self.starts_ms.last()?))
    }

    /// A moment as the zone's clocks show it, as exactly as a picture of `span_ms` needs.
    pub(super) fn label(&self, time_ms: i64, span_ms: i64) -> String {
        tick(self.zone.on_clocks(Timestamp::from_millis(time_ms)).as_millis(), span_ms)
    }
}
