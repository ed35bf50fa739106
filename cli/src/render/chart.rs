//! Time series as lines in a terminal: braille dots, an axis of figures, an axis of times, a legend; and sparklines.

pub(super) mod axis;
mod canvas;

use canvas::Canvas;

use super::number::figure;
use super::text::{Colour, Paint, fit, right, visible, width};
use super::times::Times;

/// Rows of the plot: odd, so that one is in the middle.
const HEIGHT: usize = 13;
/// More lines than this cannot be told apart.
pub const LINES_MAX: usize = 5;
const COLOURS: [Colour; LINES_MAX] =
    [Colour::Cyan, Colour::Yellow, Colour::Magenta, Colour::Green, Colour::Red];
/// What tells lines apart where there are no colours.
const MARKS: [char; LINES_MAX] = ['●', '○', '■', '□', '▲'];
/// Columns of a legend's name.
const NAME_MAX: usize = 60;

/// What to draw: every line has one figure for each time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// What is drawn, as `P99(@duration)`.
    pub title: String,
    /// The beginning of each bucket.
    pub times: Times,
    /// The lines, the most important first; what is over [`LINES_MAX`] is only counted.
    pub lines: Vec<Line>,
}

/// One line of a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Its group; empty if there is only one.
    pub name: String,
    /// Its figures.
    pub points: Vec<f64>,
}

impl Chart {
    /// Draws it in at most `columns`.
    pub fn draw(&self, columns: usize, paint: Paint) -> String {
        let shown = &self.lines[..self.lines.len().min(LINES_MAX)];
        let (low, high) = bounds(shown);
        let labels: Vec<String> = (0..HEIGHT).map(|row| axis_label(row, low, high)).collect();
        let margin = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let plot_columns = columns.saturating_sub(margin + 2).max(10);

        let mut canvas = Canvas::new(plot_columns, HEIGHT);
        for (at, line) in shown.iter().enumerate().rev() {
            canvas.line(&line.points, low, high, at);
        }
        let single = shown.len() == 1;
        let mut text = format!("{}\n", visible(&self.title));
        for (row, label) in labels.iter().enumerate() {
            let tickmark = if label.is_empty() { '│' } else { '┤' };
            let axis = paint.colour(Colour::Dim, &format!("{}{tickmark}", right(label, margin)));
            let cells = canvas.row(row, |at, braille| match (single, paint.colours()) {
                (true, false) => braille.to_string(),
                (_, true) => paint.colour(COLOURS[at % LINES_MAX], &braille.to_string()),
                (false, false) => MARKS[at % LINES_MAX].to_string(),
            });
            text.push_str(&format!("{axis}{}\n", cells.trim_end()));
        }
        text.push_str(&paint.colour(Colour::Dim, &axis::of_times(&self.times, margin, plot_columns)));
        text.push('\n');
        text.push_str(&self.legend(shown, paint));
        text
    }

    fn legend(&self, shown: &[Line], paint: Paint) -> String {
        let mut text = String::new();
        if shown.len() > 1 || shown.first().is_some_and(|line| !line.name.is_empty()) {
            for (at, line) in shown.iter().enumerate() {
                let mark = MARKS[if paint.colours() { 0 } else { at }].to_string();
                let mark = paint.colour(COLOURS[at], &mark);
                let peak = line.points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let name = visible(&line.name).into_owned();
                text.push_str(&format!("  {mark} {} (peak {})\n", fit(&name, NAME_MAX), figure(peak)));
            }
        }
        let hidden = self.lines.len() - shown.len();
        if hidden > 0 {
            text.push_str(&format!("  … and {hidden} more; --format table shows them all\n"));
        }
        text
    }
}

/// Eight heights in one line, for a column of a table; nothing for no figures.
pub fn sparkline(points: &[f64], columns: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let points = shortened(points, columns);
    let high = points.iter().copied().fold(0.0, f64::max);
    points
        .iter()
        .map(|point| if high > 0.0 { BARS[step(point / high, BARS.len())] } else { BARS[0] })
        .collect()
}

/// At most `columns` figures: the highest of each stretch, so that no peak is lost.
fn shortened(points: &[f64], columns: usize) -> Vec<f64> {
    if points.len() <= columns || columns == 0 {
        return points.to_vec();
    }
    (0..columns)
        .map(|column| {
            let stretch = &points[column * points.len() / columns..(column + 1) * points.len() / columns];
            stretch.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        })
        .collect()
}

/// Which of `steps` a share from 0 to 1 falls on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped"
)]
fn step(share: f64, steps: usize) -> usize {
    let last = steps.saturating_sub(1);
    ((share.clamp(0.0, 1.0) * last as f64).round() as usize).min(last)
}

/// How many of `parts` a share from 0 to 1 takes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped"
)]
pub(super) fn share_of(share: f64, parts: usize) -> usize {
    ((share.clamp(0.0, 1.0) * parts as f64).round() as usize).min(parts)
}

/// The axis: from zero (or below, if a figure is) to a round figure above all.
fn bounds(lines: &[Line]) -> (f64, f64) {
    let points =
        || lines.iter().flat_map(|line| line.points.iter().copied()).filter(|point| point.is_finite());
    let high = points().fold(0.0, f64::max);
    let low = points().fold(0.0, f64::min);
    let high = if high > low { round_up(high) } else { low + 1.0 };
    (if low < 0.0 { -round_up(-low) } else { 0.0 }, high)
}

/// 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten.
fn round_up(number: f64) -> f64 {
    if number <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(number.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let share = number / power;
    steps.into_iter().find(|step| *step >= share - 1e-9).unwrap_or(10.0) * power
}

/// Labels at the top, the bottom and in the middle.
#[expect(clippy::cast_precision_loss, reason = "a row of a dozen")]
fn axis_label(row: usize, low: f64, high: f64) -> String {
    let last = HEIGHT - 1;
    if row != 0 && row != last && row != last / 2 {
        return String::new();
    }
    figure(high - (high - low) * row as f64 / last as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(lines: &[(&str, &[f64])]) -> Chart {
        let count = lines.first().map_or(0, |(_, points)| points.len());
        Chart {
            title: "COUNT".to_owned(),
            times: Times {
                starts_ms: (0..count)
                    .map(|at| 1_763_640_000_000 + 60_000 * i64::try_from(at).unwrap())
                    .collect(),
                zone: query::Zone::default(),
            },
            lines: lines
                .iter()
                .map(|(name, points)| Line { name: (*name).to_owned(), points: points.to_vec() })
                .collect(),
        }
    }

    #[test]
    fn one_line_rises_from_zero_to_its_peak() {
        let drawn = chart(&[("", &[0.0, 5.0, 10.0])]).draw(30, Paint::none());
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[0], "COUNT");
        assert!(lines[1].starts_with("10┤"), "{drawn}");
        assert!(lines[7].starts_with(" 5┤") && lines[13].starts_with(" 0┤"), "{drawn}");
        assert!(lines[1].ends_with(|last: char| last >= '\u{2800}'), "the peak is at the top right: {drawn}");
        assert_eq!(lines.last().unwrap().trim(), "12:00:00 UTC", "no room for three times: {drawn}");
        assert!(drawn.lines().all(|line| width(line) <= 30), "{drawn}");
    }

    #[test]
    fn several_lines_are_told_apart_without_colours() {
        let drawn = chart(&[("checkout", &[1.0, 2.0, 3.0]), ("pay\x1bment", &[3.0, 2.0, 1.0])])
            .draw(60, Paint::none());
        assert!(drawn.contains('●') && drawn.contains('○'), "{drawn}");
        assert!(drawn.contains("○ pay\\x1bment (peak 3)"), "{drawn}");
        assert!(!drawn.contains('\x1b'));
    }

    #[test]
    fn times_are_those_of_the_querys_clocks() {
        let mut chart = chart(&[("", &[0.0, 5.0, 10.0])]);
        chart.times.zone = query::Zone::named("Asia/Kolkata").unwrap();
        let drawn = chart.draw(80, Paint::none());
        assert!(drawn.contains("17:30:00") && drawn.trim_end().ends_with("17:32:00 Asia/Kolkata"), "{drawn}");
    }

    #[test]
    fn what_cannot_be_told_apart_is_counted() {
        let lines: Vec<(String, [f64; 2])> = (0..8).map(|at| (format!("group {at}"), [1.0, 2.0])).collect();
        let lines: Vec<(&str, &[f64])> =
            lines.iter().map(|(name, points)| (name.as_str(), &points[..])).collect();
        assert!(chart(&lines).draw(80, Paint::always()).contains("and 3 more"));
    }

    #[test]
    fn odd_figures_do_no_harm() {
        for points in [&[][..], &[f64::NAN, 1.0], &[f64::INFINITY], &[-5.0, 5.0], &[0.0], &[1e300, -1e300]] {
            chart(&[("", points)]).draw(50, Paint::none());
        }
    }

    #[test]
    fn a_sparkline_keeps_its_peaks() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 4.0, 8.0], 10), "▁▂▃▅█");
        assert_eq!(sparkline(&[1.0, 1.0, 9.0, 1.0, 1.0, 1.0], 3).chars().nth(1), Some('█'));
        assert_eq!(sparkline(&[0.0, 0.0], 5), "▁▁");
        assert_eq!(sparkline(&[], 5), "");
    }

    #[test]
    fn the_axis_ends_at_a_round_figure() {
        assert_eq!([0.7, 11.0, 999.0, 42.0].map(round_up), [0.8, 15.0, 1000.0, 50.0]);
    }
}
