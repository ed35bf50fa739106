//! Time zones by their names in the IANA database, which is compiled in: a query means the same on every machine.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::Timestamp;

/// A time zone; UTC if nobody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of that name, as `Europe/Berlin`; none if there is none.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Whether it is UTC.
    pub fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC
    }

    /// What the zone's clocks show at a moment, as if it were UTC.
    #[must_use]
    pub fn on_clocks(&self, moment: Timestamp) -> Timestamp {
        let offset =
            jiff::Timestamp::from_microsecond(moment.as_micros()).map(|at| self.0.to_offset(at).seconds());
        Timestamp::from_micros(moment.as_micros() + i64::from(offset.unwrap_or(0)) * 1_000_000)
    }

    /// The moment of a local day (its beginning) or a local time without offset. Of a time that the clocks show twice
    /// the first; of one that they skip the moment of the skip or after.
    pub(crate) fn moment(&self, text: &str) -> Option<Timestamp> {
        self.of_local(text.parse::<DateTime>().ok()?)
    }

    /// Local microseconds (as if they were UTC's) as the moment that has them on its clocks.
    pub(crate) fn of_local_micros(&self, micros: i64) -> Option<Timestamp> {
        let local = TimeZone::UTC.to_datetime(jiff::Timestamp::from_microsecond(micros).ok()?);
        self.of_local(local)
    }

    /// How far the local clocks are ahead of UTC, microseconds, in each stretch of a time: from its first moment on.
    pub(crate) fn offsets(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, i64)> {
        let Ok(start) = jiff::Timestamp::from_microsecond(from.as_micros()) else { return Vec::new() };
        let micros = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1_000_000;
        let mut offsets = vec![(from, micros(self.0.to_offset(start)))];
        for change in self.0.following(start) {
            let at = Timestamp::from_micros(change.timestamp().as_microsecond());
            if at >= to {
                break;
            }
            offsets.push((at, micros(change.offset())));
        }
        offsets
    }

    fn of_local(&self, local: DateTime) -> Option<Timestamp> {
        let moment = self.0.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(Timestamp::from_micros(moment.as_microsecond()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        Zone::named("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_day_begins_where_the_zone_is() {
        assert_eq!(berlin().moment("2026-11-20"), "2026-11-19T23:00:00Z".parse().ok());
        assert_eq!(berlin().moment("2026-07-01T12:30"), "2026-07-01T10:30:00Z".parse().ok());
        assert_eq!(Zone::default().moment("2026-11-20"), "2026-11-20T00:00:00Z".parse().ok());
        assert_eq!(berlin().moment("noon"), None);
        assert_eq!(Zone::named("Europe/Atlantis"), None);
    }

    #[test]
    fn clocks_show_their_own_time() {
        let shown = |moment: &str| berlin().on_clocks(moment.parse().unwrap()).to_string();
        assert_eq!(shown("2026-07-01T22:30:00Z"), "2026-07-02T00:30:00.000Z");
        assert_eq!(shown("2026-11-20T22:30:00Z"), "2026-11-20T23:30:00.000Z");
    }

    #[test]
    fn clocks_change_within_a_time() {
        let (from, to) = ("2026-10-24T00:00:00Z".parse().unwrap(), "2026-10-27T00:00:00Z".parse().unwrap());
        let hour = 3_600_000_000;
        assert_eq!(
            berlin().offsets(from, to),
            [(from, 2 * hour), ("2026-10-25T01:00:00Z".parse().unwrap(), hour)]
        );
    }
}
