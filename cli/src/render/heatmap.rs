//! A heatmap in a terminal: times from left to right, numbers from below, and the more events the fuller the cell.

use api::Heatmap;

use super::chart::axis;
use super::number::figure;
use super::text::{Colour, Paint, right, visible, width};
use super::times::Times;

/// From few events to many; none is a blank.
const SHADES: [char; 4] = ['░', '▒', '▓', '█'];
/// The same in colours, for terminals that have them.
const COLOURS: [Colour; 4] = [Colour::Blue, Colour::Cyan, Colour::Yellow, Colour::Red];
const COLUMNS_MIN: usize = 10;

/// Draws it in at most `columns`; `times` are those of all buckets of time, also of those without events.
pub fn draw(heatmap: &Heatmap, times: &Times, columns: usize, paint: Paint) -> String {
    let labels: Vec<String> =
        heatmap.rows.iter().map(|row| row.from.map_or_else(|| "≤ 0".to_owned(), edge)).collect();
    let margin = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    let room = columns.saturating_sub(margin + 2).max(COLUMNS_MIN);
    let cells = cells(heatmap, &times.starts_ms, room);
    let most = cells.iter().flatten().copied().fold(0.0, f64::max);
    let mut text = heading(heatmap, most);
    if cells.is_empty() {
        return text;
    }
    for (row, label) in labels.iter().enumerate().rev() {
        let axis = paint.colour(Colour::Dim, &format!("{}┤", right(label, margin)));
        let drawn: String = cells.iter().map(|column| shade(column.get(row).copied(), most, paint)).collect();
        text.push_str(&format!("{axis}{}\n", drawn.trim_end()));
    }
    text.push_str(&paint.colour(Colour::Dim, &axis::of_times(times, margin, cells.len())));
    text.push('\n');
    text
}

fn heading(heatmap: &Heatmap, most: f64) -> String {
    let key = visible(&heatmap.key);
    if heatmap.columns.is_empty() {
        return format!("no event has a number at {key}\n");
    }
    let rows = match heatmap.scale.as_str() {
        "log" => format!("log scale, each row ends at {} × its beginning", edge(heatmap.width)),
        _ => format!("each row is {} wide", edge(heatmap.width)),
    };
    format!("{key} · {rows} · {} is {} events\n", SHADES[SHADES.len() - 1], figure(most))
}

/// One column for each bucket of time, or for several that are next to each other where there are more than fit.
fn cells(heatmap: &Heatmap, times_ms: &[i64], room: usize) -> Vec<Vec<f64>> {
    let per_column = times_ms.len().div_ceil(room).max(1);
    let mut cells = vec![vec![0.0; heatmap.rows.len()]; times_ms.len().div_ceil(per_column)];
    for column in &heatmap.columns {
        let Ok(at) = times_ms.binary_search(&column.time) else { continue };
        for (sum, count) in cells[at / per_column].iter_mut().zip(&column.counts) {
            *sum += count;
        }
    }
    cells
}

fn shade(count: Option<f64>, most: f64, paint: Paint) -> String {
    let Some(count) = count.filter(|count| *count > 0.0 && most > 0.0) else { return " ".to_owned() };
    // A single event must be seen beside thousands: shades follow the logarithm.
    let share = (1.0 + count).ln() / (1.0 + most).ln();
    let at = super::chart::share_of(share, SHADES.len()).clamp(1, SHADES.len()) - 1;
    paint.colour(COLOURS[at], &SHADES[at].to_string())
}

/// An edge with as many digits as a person reads.
fn edge(number: f64) -> String {
    let digits = if number.abs() >= 100.0 { 0 } else { 2 };
    let rounded = format!("{number:.digits$}");
    match rounded.contains('.') {
        true => rounded.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => rounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(starts_ms: &[i64]) -> Times {
        Times { starts_ms: starts_ms.to_vec(), ..Times::default() }
    }

    fn heatmap(value: serde_json::Value) -> Heatmap {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_greatest_numbers_stand_on_top_and_the_most_events_are_full() {
        let map = heatmap(json!({
            "key": "@duration", "scale": "linear", "width": 50.0,
            "rows": [{"from": 0.0, "to": 50.0}, {"from": 50.0, "to": 100.0}],
            "columns": [{"time": 0, "counts": [9.0, 0.0]}, {"time": 120_000, "counts": [1.0, 9.0]}],
        }));
        let drawn = draw(&map, &of(&[0, 60_000, 120_000]), 40, Paint::none());
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[0], "@duration · each row is 50 wide · █ is 9 events");
        assert_eq!(lines[1], "50┤  █");
        assert_eq!(lines[2], " 0┤█ ░");
        assert!(lines[3].starts_with("  └───"), "{drawn}");
    }

    #[test]
    fn more_times_than_columns_are_drawn_together() {
        let times: Vec<i64> = (0..100).collect();
        let columns: Vec<serde_json::Value> =
            times.iter().map(|time| json!({"time": time, "counts": [1.0]})).collect();
        let map = heatmap(json!({
            "key": "k", "scale": "log", "width": 1.584_893_192_461_113_6, "rows": [{"from": null, "to": 10.0}], "columns": columns,
        }));
        let drawn = draw(&map, &of(&times), 30, Paint::none());
        assert!(drawn.starts_with("k · log scale, each row ends at 1.58 × its beginning"), "{drawn}");
        assert!(drawn.lines().all(|line| width(line) <= 80), "{drawn}");
        assert_eq!(drawn.lines().nth(1), Some("≤ 0┤█████████████████████████"));
    }

    #[test]
    fn without_numbers_there_is_a_word_and_no_picture() {
        assert_eq!(
            draw(
                &heatmap(
                    json!({"key": "a\u{1b}b", "scale": "linear", "width": 0.0, "rows": [], "columns": []})
                ),
                &Times::default(),
                40,
                Paint::none()
            ),
            "no event has a number at a\\x1bb\n"
        );
    }
}
