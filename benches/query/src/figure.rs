//! One measured number beside its target, as a line of `benches/results/query.jsonl` and for people.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::json;

/// A number with what it should be.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    at_most: Option<f64>,
}

impl Figure {
    /// One that has to be at most `target`.
    pub(crate) fn at_most(name: impl Into<String>, value: f64, unit: &'static str, target: f64) -> Self {
        Self { name: name.into(), value, unit, at_most: Some(target) }
    }

    /// One to compare with.
    pub(crate) fn told(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, at_most: None }
    }

    fn holds(&self) -> Option<bool> {
        self.at_most.map(|target| self.value <= target)
    }

    fn row(&self) -> String {
        let target = self.at_most.map(|target| format!("≤ {target}")).unwrap_or_default();
        let missed = if self.holds() == Some(false) { "  MISSED" } else { "" };
        format!("{:<74} {:>12} {:<6} {target}{missed}", self.name, rounded(self.value), self.unit)
    }
}

/// Prints all figures and appends them to the results.
#[expect(clippy::print_stdout, reason = "a program that reports to a person")]
pub(crate) fn report(figures: &[Figure], machine: &str, results: &Path) -> anyhow::Result<()> {
    let commit = commit();
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(results)
        .with_context(|| format!("cannot write {}", results.display()))?;
    for figure in figures {
        println!("{}", figure.row());
        let line = json!({
            "figure": figure.name, "value": rounded(figure.value), "unit": figure.unit, "target": figure.at_most,
            "holds": figure.holds(), "commit": commit, "machine": machine,
        });
        writeln!(file, "{line}")?;
    }
    Ok(())
}

/// Three digits after the point: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// What it runs on, and how much ran there already.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{} {cores} cores, load {load} before", std::env::consts::ARCH)
}
