//! Durations and times as people write them.

use std::time::Duration;

use model::Timestamp;

use crate::zone::Zone;

const SECOND_MS: f64 = 1_000.0;
const DAY_MS: f64 = 24.0 * 3_600.0 * SECOND_MS;

/// Every duration is shorter, milliseconds. 2^53: past it a float does not count single milliseconds any more (and
/// 285,000 years are enough).
pub(crate) const DURATION_MS_BELOW: u64 = 1 << 53;

/// Units of the reference's durations (the grammar of JavaScript's `ms`), and months, which are 30 days. A year is
/// 365.25 days, as there.
const UNITS: [(&[&str], f64); 8] = [
    (&["ms", "msec", "msecs", "millisecond", "milliseconds"], 1.0),
    (&["s", "sec", "secs", "second", "seconds"], SECOND_MS),
    (&["m", "min", "mins", "minute", "minutes"], 60.0 * SECOND_MS),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600.0 * SECOND_MS),
    (&["d", "day", "days"], DAY_MS),
    (&["w", "week", "weeks"], 7.0 * DAY_MS),
    (&["month", "months"], 30.0 * DAY_MS),
    (&["y", "yr", "year", "years"], 365.25 * DAY_MS),
];

/// Whole milliseconds of `1h`, `20 mins`, `1.5 days`; none if it is no duration, or none that fits.
pub fn duration_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, unit_ms) = UNITS.iter().find(|(names, _)| names.contains(&unit.as_str()))?;
    let ms = number.parse::<f64>().ok()? * unit_ms;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of range is cut off"
    )]
    let whole = ms.round() as u64;
    (ms >= 0.0 && whole < DURATION_MS_BELOW).then_some(whole)
}

/// Whether a word alone is a unit of time, as the second word of `20 mins`.
pub(crate) fn is_unit(word: &str) -> bool {
    UNITS.iter().any(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(word)))
}

/// The shortest duration text that means exactly these milliseconds.
pub(crate) fn duration_text(ms: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    match units.iter().find(|(_, unit)| ms > 0 && ms.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    }
}

/// A point in time: RFC 3339, a day (`2026-11-20`, its beginning) or time without offset in a zone, `now`, how long ago
/// (`1h`, `20 mins ago`), or milliseconds since the epoch (at least twelve digits).
pub fn point(text: &str, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    if let Some(ms) = duration_ms(text.strip_suffix("ago").unwrap_or(text)) {
        return Some(now.minus(Duration::from_millis(ms)));
    }
    if text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Timestamp::from_millis);
    }
    text.parse().ok().or_else(|| zone.moment(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_the_reference_writes_them() {
        let read = [("1h", 3_600_000), ("20mins", 1_200_000), ("1.5 days", 129_600_000), ("250ms", 250)];
        for (text, ms) in read {
            assert_eq!(duration_ms(text), Some(ms), "{text}");
        }
        assert_eq!(duration_ms("2 months"), Some(60 * 86_400_000));
        for nonsense in ["", "h", "1", "1 fortnight", "-1h", "1.2.3h", "99999999999999999999y"] {
            assert_eq!(duration_ms(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_duration_text_reads_back() {
        for ms in [1, 999, 1_000, 90_000, 300_000, 86_400_000, 86_400_001] {
            assert_eq!(duration_ms(&duration_text(ms)), Some(ms));
        }
    }

    #[test]
    fn points_in_time_in_every_form() {
        let now: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        let hour_ago = "2026-11-20T13:00:00Z".parse().ok();
        for text in ["1h", "60 mins ago", "2026-11-20T14:00:00+01:00", "1795179600000"] {
            assert_eq!(point(text, now, &Zone::default()), hour_ago, "{text}");
        }
        assert_eq!(point("now", now, &Zone::default()), Some(now));
        assert_eq!(point("2026-11-20", now, &Zone::default()), "2026-11-20T00:00:00Z".parse().ok());
        assert_eq!(point("yesterday", now, &Zone::default()), None);
    }
}
