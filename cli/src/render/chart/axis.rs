//! The axis of times below a picture: a line, and its first, middle and last moment.

use crate::render::number::tick;

/// Two lines for a picture of so many columns behind a margin; nothing without times. Times are milliseconds since the
/// epoch, in order.
pub(in crate::render) fn of_times(times_ms: &[i64], margin: usize, columns: usize) -> String {
    let (Some(first), Some(last)) = (times_ms.first(), times_ms.last()) else {
        return String::new();
    };
    let span = last - first;
    let labels = [*first, first + span / 2, *last].map(|time| tick(time, span));
    let wide = labels.iter().map(|label| label.len()).max().unwrap_or(0);
    let line = format!("{}└{}", " ".repeat(margin), "─".repeat(columns));
    // The zone stands behind the last one.
    let between = columns.saturating_sub(3 * wide + 4) / 2;
    let gap = " ".repeat(between);
    let start = " ".repeat(margin + 1);
    if span == 0 || columns < 3 * wide + 6 {
        return format!("{line}\n{start}{} UTC", labels[0]);
    }
    format!("{line}\n{start}{}{gap}{}{gap}{} UTC", labels[0], labels[1], labels[2])
}
