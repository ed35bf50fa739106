//! The axis of times below a picture: a line, and its first, middle and last moment.

use crate::render::times::Times;

/// Two lines for a picture of so many columns behind a margin; nothing without times.
pub(in crate::render) fn of_times(times: &Times, margin: usize, columns: usize) -> String {
    let Some((first, last)) = times.ends_ms() else { return String::new() };
    let span = last - first;
    let labels = [first, first + span / 2, last].map(|time| times.label(time, span));
    let wide = labels.iter().map(|label| label.len()).max().unwrap_or(0);
    let line = format!("{}└{}", " ".repeat(margin), "─".repeat(columns));
    // The zone stands behind the last one.
    let zone = times.zone.to_string();
    let between = columns.saturating_sub(3 * wide + zone.len() + 1) / 2;
    let gap = " ".repeat(between);
    let start = " ".repeat(margin + 1);
    if span == 0 || columns < 3 * wide + zone.len() + 3 {
        return format!("{line}\n{start}{} {zone}", labels[0]);
    }
    format!("{line}\n{start}{}{gap}{}{gap}{} {zone}", labels[0], labels[1], labels[2])
}
