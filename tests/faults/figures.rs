//! The sums of a run as data: one object per figure, as all benchmarks write them (`benches/README.md`).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::summary::{Row, Summary};

/// Appends the figures of all scenarios.
pub fn append(summary: &Summary, seeds: Range<u64>, results: &Path) {
    let (commit, machine) = (commit(), machine());
    let mut file = OpenOptions::new().create(true).append(true).open(results).unwrap();
    for (name, row) in summary.rows() {
        for (what, value, unit, target) in figures(row) {
            let line = json!({
                "figure": format!("{name}: {what}"), "value": value, "unit": unit, "target": target,
                "holds": target.map(|target| value <= target), "commit": commit, "machine": machine,
                "runs": row.runs, "seeds": [seeds.start, seeds.end - 1],
            });
            writeln!(file, "{line}").unwrap();
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts")]
fn figures(row: &Row) -> [(&'static str, f64, &'static str, Option<f64>); 9] {
    [
        ("faults on the way to the stream", row.struck as f64, "", None),
        ("lines printed", row.printed as f64, "", None),
        ("lines found", row.found as f64, "", None),
        ("records counted as lost, with a reason", row.counted as f64, "", None),
        (
            "lines neither found, counted nor the tail of a killed sandbox",
            row.unaccounted as f64,
            "",
            Some(0.0),
        ),
        ("lines found twice", row.double as f64, "", Some(0.0)),
        (
            "runs whose latency was judged by the middle invocation alone",
            row.judged_by_middle as f64,
            "",
            None,
        ),
        ("held after the function was done, p50", row.held_ms(50), "ms", None),
        ("held after the function was done, p99", row.held_ms(99), "ms", None),
    ]
}

fn commit() -> Value {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.map_or(Value::Null, |output| String::from_utf8_lossy(&output.stdout).trim().into())
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{} {cores} cores, load {load} after", std::env::consts::ARCH)
}
