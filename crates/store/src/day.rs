//! A UTC day: what datasets are partitioned by, what retention counts in, and what dead letters lie under.

use std::fmt;
use std::str::FromStr;

use model::Timestamp;

const MICROS: i64 = 86_400_000_000;

/// Days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    /// The day of a time.
    pub(crate) fn of(time: Timestamp) -> Self {
        Self(time.as_micros().div_euclid(MICROS))
    }

    /// So many days earlier.
    pub(crate) fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub(i64::from(days)))
    }
}

/// `2026-11-20`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_micros(self.0.saturating_mul(MICROS)).to_string();
        f.write_str(midnight.split('T').next().unwrap_or_default())
    }
}

/// The text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoDay;

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let midnight: Timestamp = format!("{text}T00:00:00Z").parse().map_err(|_| NoDay)?;
        Ok(Self::of(midnight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_also_before_the_epoch() {
        for (time, day) in [
            ("2026-11-20T23:59:59.999999Z", "2026-11-20"),
            ("2026-11-21T00:00:00Z", "2026-11-21"),
            ("1969-12-31T23:00:00Z", "1969-12-31"),
        ] {
            let found = Day::of(time.parse().unwrap());
            assert_eq!(found.to_string(), day);
            assert_eq!(day.parse(), Ok(found));
        }
        assert_eq!("2026-03-01".parse::<Day>().unwrap().minus(1).to_string(), "2026-02-28");
        assert_eq!("yesterday".parse::<Day>(), Err(NoDay));
    }
}
