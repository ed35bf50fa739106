//! One measured number beside its target, as a line of `benches/results/<name>.jsonl` and for people. All benchmarks and
//! the fault matrix write this form, so that any of their figures can be compared over time.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

/// A number with what it should be.
#[derive(Debug, Clone)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    target: Option<Target>,
    facts: Map<String, Value>,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    /// One that has to be at most `target`.
    pub fn at_most(name: impl Into<String>, value: f64, unit: &'static str, target: f64) -> Self {
        Self { target: Some(Target::AtMost(target)), ..Self::told(name, value, unit) }
    }

    /// One that has to be at least `target`.
    pub fn at_least(name: impl Into<String>, value: f64, unit: &'static str, target: f64) -> Self {
        Self { target: Some(Target::AtLeast(target)), ..Self::told(name, value, unit) }
    }

    /// One to compare with: a floor's, or a part of another.
    pub fn told(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, target: None, facts: Map::new() }
    }

    /// Adds what else is known of it (how many runs, which seeds).
    #[must_use]
    pub fn with(mut self, fact: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(fact.to_owned(), value.into());
        self
    }

    fn holds(&self) -> Option<bool> {
        self.target.map(|target| match target {
            Target::AtMost(target) => self.value <= target,
            Target::AtLeast(target) => self.value >= target,
        })
    }

    /// For people.
    fn row(&self) -> String {
        let target = match self.target {
            Some(Target::AtMost(target)) => format!("≤ {target}"),
            Some(Target::AtLeast(target)) => format!("≥ {target}"),
            None => String::new(),
        };
        let missed = if self.holds() == Some(false) { "  MISSED" } else { "" };
        format!("{:<74} {:>12} {:<8} {target}{missed}", self.name, rounded(self.value), self.unit)
    }

    fn line(&self, commit: &str, machine: &str) -> Value {
        let target = self.target.map(|(Target::AtMost(target) | Target::AtLeast(target))| target);
        let mut line = json!({
            "figure": self.name, "value": rounded(self.value), "unit": self.unit, "target": target,
            "holds": self.holds(), "commit": commit, "machine": machine,
        });
        if let Value::Object(line) = &mut line {
            line.extend(self.facts.clone());
        }
        line
    }
}

/// Appends the figures to a file of results. `machine` is [`machine`]'s word from before or after the run.
///
/// # Errors
/// When the file cannot be written.
pub fn append(figures: &[Figure], machine: &str, results: &Path) -> anyhow::Result<()> {
    let named = || format!("cannot write {}", results.display());
    let mut file = OpenOptions::new().create(true).append(true).open(results).with_context(named)?;
    let commit = commit();
    for figure in figures {
        writeln!(file, "{}", figure.line(&commit, machine)).with_context(named)?;
    }
    Ok(())
}

/// Prints the figures and [appends](append) them.
///
/// # Errors
/// As [`append`].
#[expect(clippy::print_stdout, reason = "for programs that report to a person")]
pub fn report(figures: &[Figure], machine: &str, results: &Path) -> anyhow::Result<()> {
    figures.iter().for_each(|figure| println!("{}", figure.row()));
    append(figures, machine, results)
}

/// What it runs on, and the load `when` (`before` or `after` the run): what else ran there shows in it.
pub fn machine(when: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{} {cores} cores, load {load} {when}", std::env::consts::ARCH)
}

/// Of the checkout that it is run in.
fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// Three digits after the point: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_holds_or_misses_its_target_or_has_none() {
        let holds = |figure: Figure| figure.line("c", "m")["holds"].clone();
        assert_eq!(holds(Figure::at_most("size", 5.0, "MB", 5.0)), true);
        assert_eq!(holds(Figure::at_least("pace", 4.9, "1/s", 5.0)), false);
        assert_eq!(holds(Figure::told("floor", 1.0, "MB")), Value::Null);
        assert!(Figure::at_least("pace", 4.9, "1/s", 5.0).row().ends_with("≥ 5  MISSED"));
    }

    #[test]
    fn a_line_has_the_fields_that_all_results_have_and_its_own_facts() {
        let line = Figure::at_most("size", 1.23456, "MB", 5.0).with("runs", 3).line("abc", "x86_64");
        let expected = json!({ "figure": "size", "value": 1.235, "unit": "MB", "target": 5.0, "holds": true,
            "commit": "abc", "machine": "x86_64", "runs": 3 });
        assert_eq!(line, expected);
    }
}
