//! Figures, durations, sizes and times, short enough to compare at a glance.

use model::Timestamp;
use serde_json::Value;

/// A figure: whole numbers in groups of three digits, others with the digits that matter.
pub fn figure(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        return number.to_string();
    }
    if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        return format!("{number:.3e}");
    }
    let digits = match size {
        _ if number.fract() == 0.0 => 0,
        s if s >= 1_000.0 => 0,
        s if s >= 100.0 => 1,
        s if s >= 1.0 => 2,
        s if s >= 0.01 => 4,
        _ => 6,
    };
    let text = format!("{number:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { grouped(whole) } else { format!("{}.{fraction}", grouped(whole)) }
}

/// `1234567` → `1,234,567`.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `1,234 files`.
pub fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(&number.to_string()))
}

/// A JSON value of an answer in a cell; text is not made safe here.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => grouped(&whole.to_string()),
            None => number.as_f64().map_or_else(|| number.to_string(), figure),
        },
        other => other.to_string(),
    }
}

/// Milliseconds as `250 µs`, `12.3 ms`, `4.56 s`, `3 min 5 s`.
pub fn duration(ms: f64) -> String {
    match ms {
        _ if ms <= 0.0 || !ms.is_finite() => "0 ms".to_owned(),
        _ if ms < 1.0 => format!("{} µs", figure((ms * 1_000.0).round())),
        _ if ms < 100.0 => format!("{ms:.1} ms"),
        _ if ms < 1_000.0 => format!("{ms:.0} ms"),
        _ if ms < 60_000.0 => format!("{:.2} s", ms / 1_000.0),
        _ => format!(
            "{} min {} s",
            figure((ms / 60_000.0).floor()),
            figure(((ms % 60_000.0) / 1_000.0).floor())
        ),
    }
}

/// Bytes as `512 B`, `1.5 KB`, `3.2 GB` (powers of 1,000).
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut size = count as f64 / 1_000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if size < 1_000.0 {
            break;
        }
        size /= 1_000.0;
        unit = larger;
    }
    if size < 100.0 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
}

/// `2026-11-20 13:52:00.123`, UTC.
pub fn time(time: Timestamp) -> String {
    let text = Timestamp::from_millis(time.as_millis()).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}

/// The part of a time that changes within `span_ms`: the day and hour of weeks, the seconds of minutes.
pub fn tick(time_ms: i64, span_ms: i64) -> String {
    const DAY_MS: i64 = 86_400_000;
    let text = time(Timestamp::from_millis(time_ms));
    let part = match span_ms {
        span if span > 2 * DAY_MS => text.get(5..16),
        span if span > 600_000 => text.get(11..16),
        _ => text.get(11..19),
    };
    part.unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_the_digits_that_matter() {
        let shown = [
            (0.0, "0"),
            (1234567.0, "1,234,567"),
            (-1234.5678, "-1,235"),
            (123.456, "123.5"),
            (12.345, "12.35"),
            (0.123456, "0.1235"),
            (0.5, "0.5"),
            (1e20, "1.000e20"),
            (0.00001, "1.000e-5"),
            (f64::NAN, "NaN"),
        ];
        for (number, text) in shown {
            assert_eq!(figure(number), text);
        }
        assert_eq!(cell(&Value::from(9_007_199_254_740_993_i64)), "9,007,199,254,740,993");
    }

    #[test]
    fn durations_and_sizes_read_at_a_glance() {
        assert_eq!(
            ["250 µs", "12.3 ms", "456 ms", "4.56 s", "3 min 5 s", "0 ms"].map(String::from),
            [
                duration(0.25),
                duration(12.34),
                duration(456.2),
                duration(4_560.0),
                duration(185_000.0),
                duration(-1.0)
            ]
        );
        assert_eq!(
            ["999 B", "1.5 KB", "250 MB"].map(String::from),
            [bytes(999), bytes(1_500), bytes(250_000_000)]
        );
    }

    #[test]
    fn ticks_show_what_changes() {
        let noon = 1_763_640_000_000;
        assert_eq!(tick(noon, 60_000), "12:00:00");
        assert_eq!(tick(noon, 3_600_000), "12:00");
        assert_eq!(tick(noon, 7 * 86_400_000), "11-20 12:00");
    }
}
