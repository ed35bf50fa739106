//! Rows and columns that fit the terminal.

use super::text::{Colour, Paint, left, right, visible, width};

/// Between two columns.
const GAP: &str = "  ";
/// A text column is not cut below this; a table that is still too wide wraps.
const COLUMN_MIN: usize = 10;

/// A table; cells are made safe when it is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    align: Align,
}

/// Where a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text; cut if there is no room.
    Left,
    /// Numbers; never cut.
    Right,
}

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, align: Align) -> Self {
        self.columns.push(Column { name: name.into(), align });
        self
    }

    /// Adds a row; missing cells are empty, cells without a column are not shown.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Draws it, each line ending with a line break.
    pub fn draw(&self, columns_max: usize, paint: Paint) -> String {
        let rows: Vec<Vec<_>> =
            self.rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
        let names: Vec<_> = self.columns.iter().map(|column| visible(&column.name)).collect();
        let mut widths: Vec<usize> = names.iter().map(|name| width(name)).collect();
        for row in &rows {
            for (wide, cell) in widths.iter_mut().zip(row) {
                *wide = (*wide).max(width(cell));
            }
        }
        self.shrink(&mut widths, columns_max);
        let mut text = paint.colour(Colour::Dim, &self.line(&names, &widths));
        text.push('\n');
        for row in &rows {
            text.push_str(&self.line(row, &widths));
            text.push('\n');
        }
        text
    }

    /// Takes columns from the widest text until all fit.
    fn shrink(&self, widths: &mut [usize], columns_max: usize) {
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        loop {
            let over = (widths.iter().sum::<usize>() + gaps).saturating_sub(columns_max);
            let widest = widths
                .iter()
                .zip(&self.columns)
                .enumerate()
                .filter(|(_, (wide, column))| column.align == Align::Left && **wide > COLUMN_MIN)
                .max_by_key(|(_, (wide, _))| **wide)
                .map(|(at, _)| at);
            let (true, Some(at)) = (over > 0, widest) else { return };
            // Halving the excess lets two wide columns share the loss.
            widths[at] -= over.div_ceil(2).min(widths[at] - COLUMN_MIN);
        }
    }

    fn line<T: AsRef<str>>(&self, cells: &[T], widths: &[usize]) -> String {
        let cells: Vec<String> = self
            .columns
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(at, (column, wide))| {
                let cell = cells.get(at).map_or("", |cell| cell.as_ref());
                match column.align {
                    Align::Left => left(cell, *wide),
                    Align::Right => right(cell, *wide),
                }
            })
            .collect();
        cells.join(GAP).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new().column("function", Align::Left).column("p99", Align::Right);
        table.row(vec!["checkout".to_owned(), "1,234".to_owned()]);
        table.row(vec!["a-very-long-function-name-indeed".to_owned(), "5".to_owned()]);
        table
    }

    #[test]
    fn numbers_stand_under_each_other() {
        let expected = [
            "function                            p99",
            "checkout                          1,234",
            "a-very-long-function-name-indeed      5",
            "",
        ];
        assert_eq!(table().draw(100, Paint::none()), expected.join("\n"));
    }

    #[test]
    fn text_is_cut_to_fit_and_numbers_are_not() {
        let drawn = table().draw(24, Paint::none());
        let expected =
            ["function             p99", "checkout           1,234", "a-very-long-func…      5", ""]
                .join("\n");
        assert_eq!(drawn, expected, "{drawn}");
    }

    #[test]
    fn a_cell_cannot_speak_to_the_terminal() {
        let mut table = Table::new().column("key\x1b[0m", Align::Left);
        table.row(vec!["value\x1b]0;title\x07\nsecond".to_owned()]);
        let drawn = table.draw(80, Paint::none());
        assert_eq!(drawn, "key\\x1b[0m\nvalue\\x1b]0;title\\x07\\nsecond\n");
    }
}
