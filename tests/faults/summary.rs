//! Runs as a table for people, and their sums per scenario.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::run::Seen;
use super::verdict::missing;

/// One scenario's runs so far.
#[derive(Debug, Default)]
struct Row {
    runs: u64,
    broken: u64,
    printed: u64,
    found: u64,
    missing: u64,
    counted: u64,
    double: u64,
    struck: u64,
    added_ms: Vec<f64>,
}

/// All scenarios in the order in which they came.
#[derive(Debug, Default)]
pub struct Summary {
    order: Vec<&'static str>,
    rows: BTreeMap<&'static str, Row>,
}

impl Summary {
    pub fn add(&mut self, scenario: &'static str, seen: &Seen, broken: bool) {
        if !self.rows.contains_key(scenario) {
            self.order.push(scenario);
        }
        let row = self.rows.entry(scenario).or_default();
        row.runs += 1;
        row.broken += u64::from(broken);
        row.printed += seen.printed.len() as u64;
        row.found += seen.found.len() as u64;
        row.missing += missing(seen).len() as u64;
        row.counted += seen.books.iter().map(|book| book.counted()).sum::<u64>();
        row.double += seen.found.values().filter(|times| **times > 1).count() as u64;
        row.struck += seen.struck.values().sum::<u64>();
        row.added_ms.extend(seen.added_ms.values());
    }

    pub fn table(&self) -> String {
        let mut table = format!(
            "{:<36} {:>5} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>9} {:>9} {:>7}\n",
            "scenario",
            "runs",
            "faults",
            "printed",
            "found",
            "missing",
            "counted",
            "double",
            "p50 held",
            "p99 held",
            "broken",
        );
        for name in &self.order {
            let row = &self.rows[name];
            let _ = writeln!(
                table,
                "{name:<36} {:>5} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6.1} ms {:>6.1} ms {:>7}",
                row.runs,
                row.struck,
                row.printed,
                row.found,
                row.missing,
                row.counted,
                row.double,
                quantile(&row.added_ms, 50),
                quantile(&row.added_ms, 99),
                row.broken,
            );
        }
        table
    }
}

/// The smallest value that so many percent do not exceed; nought of none.
fn quantile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}
