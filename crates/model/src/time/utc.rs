//! The one form of a time that platforms and loggers write nearly always, `2026-11-20T13:52:00.123Z` → nanoseconds. A
//! sandbox reads some fifty of them for each invocation, and a calendar library's generality costs ten times this.
//! Called by `time`, which asks that library where this knows no answer.

/// `2026-11-20T13:52:00`.
const SECONDS_BYTES: usize = 19;
/// Nanoseconds.
const FRACTION_DIGITS_MAX: usize = 9;
const DAY_SECONDS: i64 = 86_400;
/// From March 1st of the year 0, where the count below begins, to the epoch.
const EPOCH_DAYS: i64 = 719_468;

/// Nanoseconds since the epoch; none for every other form, for what is no time (`2026-02-30`) and for what an `i64` does
/// not hold.
pub(super) fn nanos(text: &str) -> Option<i64> {
    let (whole, rest) = text.as_bytes().split_at_checked(SECONDS_BYTES)?;
    let fraction = rest.strip_suffix(b"Z")?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = whole
    else {
        return None;
    };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    if !(1..=12).contains(&month) || !(1..=month_days(year, month)).contains(&day) {
        return None;
    }
    // A leap second is the library's to judge.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction_nanos(fraction)?)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

/// `.123`, or nothing.
fn fraction_nanos(fraction: &[u8]) -> Option<i64> {
    let Some((b'.', digits)) = fraction.split_first() else { return fraction.is_empty().then_some(0) };
    if digits.is_empty() || digits.len() > FRACTION_DIGITS_MAX {
        return None;
    }
    let missing = u32::try_from(FRACTION_DIGITS_MAX - digits.len()).ok()?;
    Some(number(digits)? * 10_i64.pow(missing))
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch. Years are counted from March on, so that a leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let months_since_march = (month + 9) % 12;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + day_of_year - EPOCH_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn library(text: &str) -> Option<i64> {
        let time: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok()
    }

    #[test]
    fn the_calendars_corners_are_where_they_should_be() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2000-02-29T23:59:59.999999999Z",
            "2026-12-31T00:00:00.5Z",
            "1900-03-01T12:00:00.000Z",
            "1678-01-01T00:00:00Z",
            "2262-04-11T23:47:16.854775807Z",
        ] {
            assert!(nanos(text).is_some_and(|nanos| library(text) == Some(nanos)), "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T13:52:00.Z",
            "2026-11-20T13:52:00.0000000001Z",
            "2262-04-11T23:47:16.854775808Z",
            "2026-11-20T13:52:00",
            "",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_it_reads_is_what_the_library_reads(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z",
        ) {
            if let Some(nanos) = nanos(&text) {
                prop_assert_eq!(library(&text), Some(nanos));
            }
        }
    }
}
