//! Sums per scenario, and a table of them for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::run::Seen;
use super::scenario::Scenario;
use super::verdict::{self, Judged};
use crate::support::fault_proxy::plan::Tally;

/// One scenario's runs so far.
#[derive(Debug, Default)]
pub struct Row {
    pub runs: u64,
    /// Runs with a complaint.
    pub broken: u64,
    pub printed: u64,
    pub found: u64,
    /// Lines that were not found.
    pub missing: u64,
    /// Of these, lines that are neither counted nor the tail of a sandbox that was killed.
    pub unaccounted: u64,
    /// Records that accounts name as given up or never received, with a reason.
    pub counted: u64,
    pub double: u64,
    /// How often each fault struck, by its word.
    pub struck: Tally,
    /// Faults that are drawn and never struck.
    pub never_struck: Vec<&'static str>,
    /// Runs whose latency was judged by each invocation, and those in which only the middle one says something.
    pub judged_by_each: u64,
    pub judged_by_middle: u64,
    added_ms: Vec<f64>,
}

impl Row {
    /// How long sandboxes were held, milliseconds: the smallest value that so many percent do not exceed.
    pub fn held_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.added_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or_default()
    }
}

/// All scenarios in the order in which they came.
#[derive(Debug, Default)]
pub struct Summary {
    order: Vec<&'static str>,
    rows: BTreeMap<&'static str, Row>,
}

impl Summary {
    pub fn add(&mut self, scenario: &Scenario, seen: &Seen, broken: bool) {
        if !self.rows.contains_key(scenario.name) {
            self.order.push(scenario.name);
        }
        let row = self.rows.entry(scenario.name).or_default();
        row.runs += 1;
        row.broken += u64::from(broken);
        row.printed += seen.printed.len() as u64;
        row.found += seen.found.len() as u64;
        row.missing += verdict::missing(seen).len() as u64;
        row.unaccounted += verdict::unaccounted(scenario, seen);
        row.counted += seen.books.iter().map(|book| book.counted()).sum::<u64>();
        row.double += seen.found.values().filter(|times| **times > 1).count() as u64;
        for (fault, times) in &seen.struck {
            *row.struck.entry(fault).or_default() += times;
        }
        row.never_struck =
            scenario.faults().into_iter().filter(|fault| !row.struck.contains_key(fault)).collect();
        row.judged_by_each += u64::from(verdict::judged(scenario, seen) == Judged::EachInvocation);
        row.judged_by_middle += u64::from(verdict::judged(scenario, seen) == Judged::TheMiddleOne);
        row.added_ms.extend(seen.added_ms.values());
    }

    /// What the verdicts on latency are worth on this machine.
    pub fn how_latency_was_judged(&self) -> String {
        let sum = |of: fn(&Row) -> u64| self.rows.values().map(of).sum::<u64>();
        let unasked = self.rows.values().filter(|row| row.judged_by_each + row.judged_by_middle == 0).count();
        format!(
            "latency: {} runs judged by each of their invocations, {} by the middle one only (the machine stalled for \
             over {} ms); {unasked} of {} scenarios hold the sandbox up themselves and are not asked",
            sum(|row| row.judged_by_each),
            sum(|row| row.judged_by_middle),
            verdict::QUIET.as_millis(),
            self.rows.len(),
        )
    }

    /// Rows that prove nothing about a fault, in words.
    pub fn complaints(&self) -> Vec<String> {
        let never = |(name, row): (&str, &Row)| {
            let faults = row.never_struck.join(", ");
            (!faults.is_empty()).then(|| format!("{name}: never struck in {} runs: {faults}", row.runs))
        };
        self.rows().filter_map(never).collect()
    }

    /// Scenarios in order.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &Row)> {
        self.order.iter().map(|name| (*name, &self.rows[name]))
    }

    pub fn table(&self) -> String {
        let mut table = format!(
            "{:<36} {:>5} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>9} {:>9} {:>9} {:>7}\n",
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
            "by middle",
            "broken",
        );
        for (name, row) in self.rows() {
            let _ = writeln!(
                table,
                "{name:<36} {:>5} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6.1} ms {:>6.1} ms {:>9} {:>7}",
                row.runs,
                row.struck.values().sum::<u64>(),
                row.printed,
                row.found,
                row.missing,
                row.counted,
                row.double,
                row.held_ms(50),
                row.held_ms(99),
                row.judged_by_middle,
                row.broken,
            );
        }
        table
    }
}
