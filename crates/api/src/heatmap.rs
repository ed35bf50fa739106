//! A heatmap in the answer to a query: how many events each bucket of time and of a number has.

use query::{HeatmapColumn, HeatmapFigures};
use serde::{Deserialize, Serialize};

/// Counts by time and number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Heatmap {
    /// Whose number.
    pub key: String,
    /// `linear` or `log`.
    pub scale: String,
    /// How wide a row is; on a log scale, how many times its beginning its end is.
    pub width: f64,
    /// Buckets of the number, the lowest first.
    pub rows: Vec<Row>,
    /// Buckets of time, in order; one without events is not there.
    pub columns: Vec<Column>,
}

/// A bucket of the number.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its beginning; null for what is below all others (on a log scale, zero and less).
    pub from: Option<f64>,
    /// Its end, which is outside.
    pub to: f64,
}

/// A bucket of time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Column {
    /// Its beginning, milliseconds since the epoch.
    pub time: i64,
    /// How many events are in each row.
    pub counts: Vec<f64>,
}

impl From<HeatmapFigures> for Heatmap {
    fn from(figures: HeatmapFigures) -> Self {
        let column = |column: HeatmapColumn| Column { time: column.time, counts: column.counts };
        Self {
            key: figures.key,
            scale: figures.scale.to_owned(),
            width: figures.width,
            rows: figures.rows.into_iter().map(|(from, to)| Row { from, to }).collect(),
            columns: figures.columns.into_iter().map(column).collect(),
        }
    }
}
