//! The sums of a run as data: one object per figure, as all benchmarks write them (`benches/README.md`).

use std::ops::Range;
use std::path::Path;

use figure::Figure;

use super::summary::{Row, Summary};

/// Appends the figures of all scenarios.
pub fn append(summary: &Summary, seeds: Range<u64>, results: &Path) {
    let seeds = [seeds.start, seeds.end - 1];
    let of_row = |(name, row): (&str, &Row)| {
        figures(name, row).map(|figure| figure.with("runs", row.runs).with("seeds", seeds.to_vec()))
    };
    let all: Vec<Figure> = summary.rows().flat_map(of_row).collect();
    figure::append(&all, &figure::machine("after"), results).unwrap();
}

#[allow(clippy::cast_precision_loss, reason = "counts")]
fn figures(name: &str, row: &Row) -> [Figure; 9] {
    let told = |what: &str, value: f64, unit| Figure::told(format!("{name}: {what}"), value, unit);
    let none = |what: &str, value: f64| Figure::at_most(format!("{name}: {what}"), value, "", 0.0);
    [
        told("faults that struck", row.struck.values().sum::<u64>() as f64, ""),
        told("lines printed", row.printed as f64, ""),
        told("lines found", row.found as f64, ""),
        told("records counted as lost, with a reason", row.counted as f64, ""),
        none("lines neither found, counted nor the tail of a killed sandbox", row.unaccounted as f64),
        none("lines found twice", row.double as f64),
        told("runs whose latency was judged by the middle invocation alone", row.judged_by_middle as f64, ""),
        told("held after the function was done, p50", row.held_ms(50), "ms"),
        told("held after the function was done, p99", row.held_ms(99), "ms"),
    ]
}
