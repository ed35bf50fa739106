//! Figures that are not a comparison of engines: how fresh files slow a question down, how long a new process takes to
//! its first answer, what the files take on the disk, what a team does without us.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::compare::median;
use crate::engine::Engine;
use crate::shape::{Shape, Wanted};
use crate::store_at;
use crate::telemetry::DAY;
use figure::Figure;

/// An hour in small files may slow a question down by so much.
const UNCOMPACTED: f64 = 2.0;
const FIRST_ANSWER_MS: f64 = 400.0;
/// Of `gzip -6` of the same events.
const STORED: f64 = 0.85;
const ROUNDS: usize = 5;
/// Between the first answer and the second question.
const READING: Duration = Duration::from_secs(10);

/// What the last measurement calls: a run of half an hour must not end there for want of them.
pub(crate) fn check_tools() -> anyhow::Result<()> {
    for tool in ["zcat", "grep", "jq"] {
        let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
        anyhow::ensure!(found, "`{tool}` is needed for the comparison with what is done today: install it");
    }
    Ok(())
}

/// The first question of a process over the whole day, whose last hour is small files; then so much time as a person takes
/// to read an answer, in which they may be put together.
pub(crate) fn first_of_small_files(engine: &mut Engine, shape: &Shape) -> anyhow::Result<Figure> {
    let ms = engine.ask(shape)?.seconds * 1_000.0;
    std::thread::sleep(READING);
    Ok(Figure::told("first question of a process over an hour of 5 s batches (5-minute buckets)", ms, "ms"))
}

/// An engine's time for each shape, in this order; the median of some rounds.
pub(crate) fn medians(engine: &mut Engine, shapes: &[Shape]) -> anyhow::Result<Vec<f64>> {
    let time = |shape: &Shape, engine: &mut Engine| -> anyhow::Result<f64> {
        engine.ask(shape)?;
        let times: Vec<f64> =
            (0..ROUNDS).map(|_| Ok(engine.ask(shape)?.seconds)).collect::<anyhow::Result<_>>()?;
        Ok(median(times.into_iter()))
    };
    shapes.iter().map(|shape| time(shape, engine)).collect()
}

/// How much slower an hour of small files made each shape.
pub(crate) fn uncompacted(shapes: &[Shape], before: &[f64], after: &[f64]) -> Vec<Figure> {
    let slower = |(shape, (before, after)): (&Shape, (&f64, &f64))| {
        let name = format!("{}: an hour of 5 s batches against all compacted", shape.name);
        Figure::at_most(name, before / after, "×", UNCOMPACTED)
    };
    shapes.iter().zip(before.iter().zip(after)).map(slower).collect()
}

/// From the start of a process to its first answer; the files are in the system's cache, the log is read.
pub(crate) fn first_answer(data: &Path, shape: &Shape) -> anyhow::Result<Figure> {
    let first = || -> anyhow::Result<f64> {
        let began = Instant::now();
        Engine::ours(data)?.ask(shape)?;
        Ok(began.elapsed().as_secs_f64() * 1_000.0)
    };
    let times: Vec<f64> = (0..ROUNDS).map(|_| first()).collect::<anyhow::Result<_>>()?;
    let name = format!("process start → first answer ({})", shape.name);
    Ok(Figure::at_most(name, median(times.into_iter()), "ms", FIRST_ANSWER_MS))
}

/// Bytes of the tables against gzip'd JSON lines.
pub(crate) fn stored(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let lines: Value = serde_json::from_str(&std::fs::read_to_string(data.join("lines.json"))?)?;
    let number = |key: &str| lines[key].as_f64().with_context(|| format!("no {key}"));
    let bytes: u64 = store_at::DATASETS
        .iter()
        .map(|dataset| store_at::bytes_in(&files(data, dataset)))
        .sum::<anyhow::Result<u64>>()?;
    let (events, gzip) = (number("events")?, number("gzip_bytes")?);
    Ok(vec![
        Figure::told("events", events, ""),
        Figure::told("an event as a JSON line", number("plain_bytes")? / events, "bytes"),
        Figure::told("an event stored", bytes as f64 / events, "bytes"),
        Figure::at_most("stored bytes of gzip -6 of JSON lines", bytes as f64 / gzip, "×", STORED),
    ])
}

/// A dataset's Parquet files.
pub(crate) fn files(data: &Path, dataset: &str) -> std::path::PathBuf {
    data.join("store/datasets").join(dataset).join(format!("date={DAY}"))
}

/// The same question without us: all gzip'd lines through grep, an hour of them through jq.
pub(crate) fn today(data: &Path, wanted: &Wanted) -> anyhow::Result<Vec<Figure>> {
    let lines = data.join("lines");
    let all = format!("{}/*.json.gz", lines.display());
    let hour = format!("{}/{DAY}T13.json.gz", lines.display());
    let shell = |name: &str, script: String| -> anyhow::Result<Figure> {
        let began = Instant::now();
        let output = Command::new("sh").args(["-c", &script]).output()?;
        anyhow::ensure!(!output.stdout.is_empty(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Figure::told(name, began.elapsed().as_secs_f64() * 1_000.0, "ms"))
    };
    Ok(vec![
        shell("request id, present: zcat | grep", format!("zcat {all} | grep -F {}", wanted.request_id))?,
        shell("substring: zcat | grep -c", format!("zcat {all} | grep -cF 'provider timed out'"))?,
        shell("count in an hour: zcat | jq, of that hour's file alone", {
            format!("zcat {hour} | jq -n 'reduce (inputs | select(.message != null)) as $e (0; . + 1)'")
        })?,
    ])
}
