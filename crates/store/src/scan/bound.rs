//! Conditions on time that the log can decide for whole files: whether all of a file's events fulfil one, or none, or
//! who knows. Where all do, nobody has to look at the times of single rows.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::days;
use crate::files::DataFile;
use crate::schema::DATE;

/// The time of an event.
const TIME: &str = "timestamp";
/// Other writers cut times to milliseconds: a greatest time may be so much too low.
const CUT_US: i64 = 999;

/// `column operator constant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    of: Of,
    operator: Operator,
    value: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Days since the epoch, of all events of a file.
    Day,
    /// Microseconds since the epoch.
    Time,
}

/// What is known of a file's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fulfil {
    All,
    Some,
    None,
}

impl Bound {
    /// None for any other expression.
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return None };
        let (column, value, operator) = match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => (column, value, *op),
            (Expr::Literal(value, _), Expr::Column(column)) => (column, value, op.swap()?),
            _ => return None,
        };
        let (of, value) = match (column.name.as_str(), value) {
            (DATE, ScalarValue::Date32(Some(day))) => (Of::Day, i64::from(*day)),
            (TIME, ScalarValue::TimestampMicrosecond(Some(micros), _)) => (Of::Time, *micros),
            _ => return None,
        };
        let known =
            matches!(operator, Operator::Eq | Operator::Gt | Operator::GtEq | Operator::Lt | Operator::LtEq);
        known.then_some(Self { of, operator, value })
    }

    /// Whether single events may have to be looked at.
    pub(super) fn is_of_time(self) -> bool {
        self.of == Of::Time
    }

    pub(super) fn holds_for(&self, file: &DataFile) -> Fulfil {
        let Some((least, greatest)) = self.range(file) else {
            // A file of no day is of none of those that are asked for.
            return if self.of == Of::Day { Fulfil::None } else { Fulfil::Some };
        };
        let holds = |value: i64| match self.operator {
            Operator::Gt => value > self.value,
            Operator::GtEq => value >= self.value,
            Operator::Lt => value < self.value,
            Operator::LtEq => value <= self.value,
            _ => value == self.value,
        };
        match (holds(least), holds(greatest)) {
            (true, true) => Fulfil::All,
            // The one value may lie between two that differ from it.
            (false, false) if self.operator != Operator::Eq || !(least..=greatest).contains(&self.value) => {
                Fulfil::None
            }
            _ => Fulfil::Some,
        }
    }

    /// The least and the greatest value in a file; none if the log does not say it of every event.
    fn range(&self, file: &DataFile) -> Option<(i64, i64)> {
        if self.of == Of::Day {
            let day = i64::from(days(&file.date)?);
            return Some((day, day));
        }
        let nulls = file.statistics.null_count.get(TIME)?.as_u64()?;
        let (from, to) = file.span();
        let (from, to) = (from?.as_micros(), to?.as_micros().saturating_add(CUT_US));
        (nulls == 0).then_some((from, to))
    }
}

/// What all of some bounds say of a file's events.
pub(super) fn all_hold_for(bounds: &[Bound], file: &Arc<DataFile>) -> Fulfil {
    let mut all = Fulfil::All;
    for bound in bounds {
        match bound.holds_for(file) {
            Fulfil::All => {}
            Fulfil::Some => all = Fulfil::Some,
            Fulfil::None => return Fulfil::None,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};
    use serde_json::json;

    use super::*;
    use crate::files::Statistics;

    const MINUTE_US: i64 = 60_000_000;

    /// Of the first ten minutes of a day.
    fn file(nulls: u64) -> DataFile {
        let values = |time: &str| [("timestamp".to_owned(), json!(time))].into();
        DataFile {
            path: String::new(),
            bytes: 0,
            modified_ms: 0,
            date: "2026-11-20".to_owned(),
            statistics: Statistics {
                num_records: Some(9),
                min_values: values("2026-11-20T00:00:00.000Z"),
                max_values: values("2026-11-20T00:10:00.000Z"),
                null_count: [("timestamp".to_owned(), json!(nulls))].into(),
            },
            checksum: None,
        }
    }

    fn time(minutes: i64) -> Expr {
        let start: model::Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        let micros = start.as_micros() + minutes * MINUTE_US;
        lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
    }

    fn said(expr: &Expr) -> Option<Fulfil> {
        Bound::of(expr).map(|bound| bound.holds_for(&file(0)))
    }

    #[test]
    fn a_file_is_inside_outside_or_at_an_edge() {
        let times = || col("timestamp");
        assert_eq!(said(&times().gt_eq(time(0))), Some(Fulfil::All));
        assert_eq!(said(&times().gt(time(0))), Some(Fulfil::Some));
        assert_eq!(said(&times().lt(time(11))), Some(Fulfil::All));
        // The greatest time may have been cut.
        assert_eq!(said(&times().lt_eq(time(10))), Some(Fulfil::Some));
        assert_eq!(said(&times().lt(time(0))), Some(Fulfil::None));
        assert_eq!(said(&time(5).lt(times())), Some(Fulfil::Some));
        assert_eq!(said(&times().eq(time(5))), Some(Fulfil::Some));
        assert_eq!(said(&times().eq(time(15))), Some(Fulfil::None));
    }

    #[test]
    fn days_are_known_for_certain_and_other_conditions_are_nobodys_business() {
        let day = |date: &str| lit(ScalarValue::Date32(days(date)));
        assert_eq!(said(&col("date").eq(day("2026-11-20"))), Some(Fulfil::All));
        assert_eq!(said(&col("date").gt(day("2026-11-20"))), Some(Fulfil::None));
        for other in
            [col("level").eq(lit("error")), col("timestamp").is_null(), col("date").not_eq(day("2026-11-20"))]
        {
            assert_eq!(Bound::of(&other), None, "{other}");
        }
    }

    #[test]
    fn an_event_without_a_time_is_in_no_time() {
        let bound = Bound::of(&col("timestamp").gt_eq(time(0))).unwrap();
        assert_eq!(bound.holds_for(&file(1)), Fulfil::Some);
        let unknown = DataFile { statistics: Statistics::default(), ..file(0) };
        assert_eq!(bound.holds_for(&unknown), Fulfil::Some);
    }
}
