//! A grid of braille dots: two by four in each character, so that a line has eight times the terminal's resolution.

/// Dots of a character, by row and column (Unicode's braille patterns).
const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The grid; each character remembers which line was drawn through it last.
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<(u8, usize)>,
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, cells: vec![(0, 0); columns * rows] }
    }

    /// Draws figures from left to right, joined by straight lines.
    pub(super) fn line(&mut self, points: &[f64], low: f64, high: f64, name: usize) {
        let (dots_x, dots_y) = (self.columns * 2, self.rows * 4);
        let last = points.len().saturating_sub(1).max(1);
        let mut before: Option<(usize, usize)> = None;
        for (at, point) in points.iter().enumerate() {
            if !point.is_finite() {
                before = None;
                continue;
            }
            let x = at * (dots_x - 1) / last;
            // Halves first: the difference of two huge figures is infinite.
            let share = (point / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            let y = dots_y - 1 - super::step(share, dots_y);
            let (from_x, from_y) = before.unwrap_or((x, y));
            self.stroke((from_x, from_y), (x, y), name);
            before = Some((x, y));
        }
    }

    /// A straight line: one dot for each column, and for steep ones the dots between.
    fn stroke(&mut self, from: (usize, usize), to: (usize, usize), name: usize) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, step: usize| {
            if to >= from { from + (to - from) * step / steps } else { from - (from - to) * step / steps }
        };
        for step in 0..=steps {
            self.dot(between(from.0, to.0, step), between(from.1, to.1, step), name);
        }
    }

    fn dot(&mut self, x: usize, y: usize, name: usize) {
        if let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2) {
            *cell = (cell.0 | DOTS[y % 4][x % 2], name);
        }
    }

    /// One row; `show` gives the text for a line's number and its braille character.
    pub(super) fn row(&self, row: usize, show: impl Fn(usize, char) -> String) -> String {
        self.cells[row * self.columns..(row + 1) * self.columns]
            .iter()
            .map(|(dots, name)| match char::from_u32(0x2800 + u32::from(*dots)) {
                Some(braille) if *dots > 0 => show(*name, braille),
                _ => " ".to_owned(),
            })
            .collect()
    }
}
