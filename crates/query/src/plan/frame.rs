//! The time that a statement looks at, and how its buckets are counted: from the epoch, in days of the query's zone
//! where they are whole days, and for an earlier time as if it were the one that it is compared with.

use std::fmt::Write as _;
use std::time::Duration;

use model::Timestamp;

use crate::ast::{Query, Timeframe};
use crate::sql::Dialect;
use crate::zone::Zone;

const DAY_US: i64 = 86_400_000_000;

/// Which time, and what a bucket is.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) times: Timeframe,
    /// The width of a bucket, microseconds.
    width_us: Option<i64>,
    zone: Zone,
    /// What is added to a time before its bucket is counted, from each of these moments on, microseconds.
    shifts: Vec<(Timestamp, i64)>,
    earlier_us: i64,
}

impl Frame {
    pub(super) fn of(query: &Query) -> Self {
        let width_us = query.granularity_ms.and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000));
        let mut shifts = query.zone.offsets(query.timeframe.from, query.timeframe.to);
        // Narrower buckets keep one offset: else the hour that clocks show twice would be one bucket.
        if width_us.is_none_or(|width| width % DAY_US != 0) {
            shifts.truncate(1);
        }
        Self { times: query.timeframe, width_us, zone: query.zone.clone(), shifts, earlier_us: 0 }
    }

    pub(super) fn earlier(&self, ms: u64) -> Self {
        let by = Duration::from_millis(ms);
        let times = Timeframe { from: self.times.from.minus(by), to: self.times.to.minus(by) };
        let earlier_us = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self { times, earlier_us, ..self.clone() }
    }

    /// The bucket of the time `t`; none if no series is wanted.
    pub(super) fn bucket(&self, dialect: &dyn Dialect) -> Option<String> {
        let width = self.width_us?;
        let mut micros = dialect.micros("t");
        if self.earlier_us > 0 {
            micros = format!("({micros} + {})", dialect.int(self.earlier_us));
        }
        let shifted = match self.shifts.as_slice() {
            [] | [(_, 0)] => micros,
            [(_, shift)] => format!("({micros} + {})", dialect.int(*shift)),
            several => format!("({micros} + {})", steps(several, &micros, dialect)),
        };
        Some(dialect.bucket(&shifted, width))
    }

    pub(super) fn bucket_start_ms(&self, bucket: i64) -> i64 {
        let local = bucket.saturating_mul(self.width_us.unwrap_or(1_000));
        match self.shifts.as_slice() {
            [] => local.div_euclid(1_000),
            [(_, shift)] => local.saturating_sub(*shift).div_euclid(1_000),
            _ => self.zone.of_local_micros(local).map_or(local.div_euclid(1_000), Timestamp::as_millis),
        }
    }
}

/// Which shift holds, by the time.
fn steps(shifts: &[(Timestamp, i64)], micros: &str, dialect: &dyn Dialect) -> String {
    let mut text = "CASE".to_owned();
    for (later, (_, shift)) in shifts.iter().skip(1).zip(shifts) {
        let until = dialect.int(later.0.as_micros());
        // Writing to a String cannot fail.
        let _ = write!(text, " WHEN {micros} < {until} THEN {}", dialect.int(*shift));
    }
    let last = shifts.last().map_or(0, |(_, shift)| *shift);
    let _ = write!(text, " ELSE {} END", dialect.int(last));
    text
}
