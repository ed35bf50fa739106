//! The times that loggers write: RFC 3339 and its relatives, and numbers since the epoch.

use model::{Map, Timestamp, Value};

/// Where loggers put the time, most telling name first.
const KEYS: [&str; 8] = ["timestamp", "@timestamp", "time", "ts", "asctime", "@t", "datetime", "Timestamp"];

/// What is looked for at a line's root, for [`super::telling`].
pub(super) const ROOT_KEYS: &[&[&str]] = &[&KEYS, &["instant"]];

/// The time a JSON line says it was printed.
pub(super) fn of(body: &Map) -> Option<Timestamp> {
    KEYS.iter().filter_map(|key| body.get(*key)).find_map(value).or_else(|| log4j(body))
}

/// log4j's JSON layout: `"instant": {"epochSecond": 1795182720, "nanoOfSecond": 123000000}`.
fn log4j(body: &Map) -> Option<Timestamp> {
    let instant = body.get("instant")?.as_object()?;
    match (instant.get("epochSecond")?, instant.get("nanoOfSecond")?) {
        (Value::Int(seconds), Value::Int(nanos)) => {
            let moment = whole(*seconds)?;
            Some(moment.plus(std::time::Duration::from_nanos(u64::try_from(*nanos).ok()?)))
        }
        _ => None,
    }
}

fn value(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => self::text(text),
        Value::Int(number) => whole(*number),
        Value::Float(seconds) => fraction(*seconds),
        _ => None,
    }
}

/// `2026-11-20T13:52:00.123Z`, also with a space between date and time, a comma before the fraction, an offset
/// without colon, or no offset at all: Lambda's clocks are UTC.
pub(super) fn text(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    if !date.starts_with(|first: char| first.is_ascii_digit()) || clock.len() < 8 || clock.len() > 40 {
        return None;
    }
    let zone_at = clock.find(['Z', 'z', '+', '-', ' ']).unwrap_or(clock.len());
    let (clock, zone) = (clock.get(..zone_at)?, clock.get(zone_at..)?.trim());
    let mut written = String::with_capacity(text.len() + 2);
    written.extend([date, "T"]);
    written.extend(clock.chars().map(|letter| if letter == ',' { '.' } else { letter }));
    match (zone.len(), zone) {
        (_, "" | "z" | "UTC") => written.push('Z'),
        (5, offset) if offset.is_ascii() => written.extend([&offset[..3], ":", &offset[3..]]),
        _ => written.push_str(zone),
    }
    written.parse().ok()
}

/// Seconds, milliseconds, microseconds or nanoseconds since the epoch: their ranges for the years 2001 to 5138 do not
/// overlap.
pub(super) fn whole(number: i64) -> Option<Timestamp> {
    match number {
        1_000_000_000..100_000_000_000 => Some(Timestamp::from_millis(number * 1_000)),
        100_000_000_000..100_000_000_000_000 => Some(Timestamp::from_millis(number)),
        100_000_000_000_000..100_000_000_000_000_000 => Some(Timestamp::from_micros(number)),
        100_000_000_000_000_000.. => Some(Timestamp::from_nanos(number)),
        _ => None,
    }
}

/// As [`whole`], with a fraction (zap's and Python's seconds, some loggers' milliseconds).
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates; both ranges are far below i64's")]
fn fraction(number: f64) -> Option<Timestamp> {
    match number {
        1e9..1e11 => Some(Timestamp::from_micros((number * 1e6).round() as i64)),
        1e11..1e14 => Some(Timestamp::from_micros((number * 1e3).round() as i64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_in_many_writings() {
        let moment: Timestamp = "2026-11-20T13:52:00.123Z".parse().unwrap();
        for written in [
            "2026-11-20T13:52:00.123Z",
            "2026-11-20 13:52:00,123+0000",
            "2026-11-20 13:52:00.123",
            "2026-11-20 13:52:00.123 UTC",
            "2026-11-20T14:52:00.123+01:00",
            "2026-11-20T08:52:00.123-0500",
        ] {
            assert_eq!(text(written), Some(moment), "{written}");
        }
        let millis = moment.as_millis();
        assert_eq!(whole(millis), Some(moment));
        assert_eq!(whole(millis * 1_000), Some(moment));
        assert_eq!(whole(moment.as_nanos()), Some(moment));
        assert_eq!(whole(millis / 1_000), Some(Timestamp::from_millis(millis / 1_000 * 1_000)));
        assert_eq!(fraction(moment.as_micros() as f64 / 1e6), Some(moment));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for nonsense in
            ["", "yesterday", "2026-11-20", "12:00:00", "2026-99-99T00:00:00Z", "20261120T135200Zäöü"]
        {
            assert_eq!(text(nonsense), None, "{nonsense}");
        }
        assert_eq!(whole(42), None);
        assert_eq!(fraction(f64::NAN), None);
    }
}
