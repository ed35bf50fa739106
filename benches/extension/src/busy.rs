//! A function that is never idle: what each invocation waits for, what a line costs in processor time, whether memory
//! stays as it is, and how many bytes travel.

use std::path::Path;
use std::time::Duration;

use crate::kinesis::{Kinesis, Taken};
use crate::lines::LINES_PER_INVOCATION;
use crate::shipped::{self, share};
use crate::stage::{Notes, Stage, millis};
use crate::subject::{Pair, Subject};
use figure::Figure;

/// Invocations of ours in one round; after the first of them memory is looked at for the first time.
pub(crate) const ROUND: usize = 1_000;
/// Of the floor, which needs fewer: it does one thing.
const FLOOR_ROUND: usize = 250;
/// Before anything counts: the first connections, the first growth of buffers.
const WARM_UP: usize = 50;
/// Flushes whose bytes are compared with gzip's.
const FLUSHES_WEIGHED_MAX: usize = 200;
/// "Flat": what an allocator may do between two looks.
const GROWTH_MIB_MAX: f64 = 0.25;

/// Rounds of ours and of the floor in turn; while one runs, the other is frozen.
pub(crate) async fn measure(
    pair: &Pair,
    function: &Path,
    kinesis: &Kinesis,
    rounds: usize,
) -> anyhow::Result<Vec<Figure>> {
    kinesis.take();
    let mut floor = Course::begin(&pair.floor, function).await?;
    let mut ours = Course::begin(&pair.ours, function).await?;
    for _ in 0..rounds {
        floor.round(FLOOR_ROUND).await?;
        ours.round(ROUND).await?;
    }
    let mut figures = cpu(&ours, &floor);
    figures.extend(memory(&ours));
    let floor_waited = floor.stage.end().await.1.between;
    let (_, notes) = ours.stage.end().await;
    figures.extend(waits(&notes, floor_waited.percentile(50)));
    figures.extend(bytes(&kinesis.take(), &notes)?);
    Ok(figures)
}

/// One of the two on its way.
struct Course {
    stage: Stage,
    invocations: usize,
    cpu: Duration,
    /// After each round.
    resident_bytes: Vec<u64>,
}

impl Course {
    async fn begin(subject: &Subject, function: &Path) -> anyhow::Result<Self> {
        let mut stage = Stage::set(subject, function, 23).await?;
        stage.invoke(WARM_UP).await?;
        stage.listen(|notes| notes.between = crate::sample::Sample::default());
        Ok(Self { stage, invocations: 0, cpu: Duration::ZERO, resident_bytes: Vec::new() })
    }

    async fn round(&mut self, invocations: usize) -> anyhow::Result<()> {
        let child = self.stage.child()?;
        let before = child.cpu_time()?;
        self.stage.invoke(invocations).await?;
        self.cpu += child.cpu_time()?.saturating_sub(before);
        self.invocations += invocations;
        self.resident_bytes.push(child.resident_bytes()?);
        Ok(())
    }

    /// Milliseconds of processor time for 1,000 lines.
    fn cpu_per_thousand_lines(&self) -> f64 {
        let thousands = share(self.invocations * LINES_PER_INVOCATION, 1_000);
        millis(self.cpu) / thousands.max(f64::MIN_POSITIVE)
    }
}

fn cpu(ours: &Course, floor: &Course) -> Vec<Figure> {
    let (ours, floor) = (ours.cpu_per_thousand_lines(), floor.cpu_per_thousand_lines());
    vec![
        Figure::at_most("CPU per 1,000 lines / floor", ours / floor, "", 2.0),
        Figure::told("CPU per 1,000 lines", ours, "ms"),
        Figure::told("CPU per 1,000 lines, floor", floor, "ms"),
    ]
}

fn memory(ours: &Course) -> Vec<Figure> {
    let first = ours.resident_bytes.first().map_or(0.0, |bytes| mebibytes(*bytes));
    let last = ours.resident_bytes.last().map_or(0.0, |bytes| mebibytes(*bytes));
    vec![
        Figure::at_most("resident after 1,000 invocations of 20 lines", first, "MiB", 9.0),
        Figure::at_most("growth over the invocations after them", last - first, "MiB", GROWTH_MIB_MAX),
    ]
}

/// The sandbox itself needs some time between two invocations; the floor's median says how much.
fn waits(notes: &Notes, sandbox: f64) -> Vec<Figure> {
    let added = |percent| (notes.between.percentile(percent) - sandbox).max(0.0);
    vec![
        Figure::at_most("added after runtimeDone, busy function, p50", added(50), "ms", 1.0),
        Figure::at_most("added after runtimeDone, busy function, p99", added(99), "ms", 20.0),
        Figure::told("between two invocations, floor, p50", sandbox, "ms"),
    ]
}

fn bytes(taken: &Taken, notes: &Notes) -> anyhow::Result<Vec<Figure>> {
    let batches = shipped::batches(taken)?;
    let (missing, again) = shipped::account(&batches, &notes.printed);
    let weights = shipped::weigh(&batches, &notes.printed, FLUSHES_WEIGHED_MAX)?;
    let lines = notes.printed.len();
    let all: usize = taken.records.iter().map(bytes::Bytes::len).sum();
    Ok(vec![
        Figure::at_most("bytes of the log lines / gzip -6 of the same flush", weights.ratio(), "", 1.25),
        Figure::told("bytes shipped per line, spans and platform events included", share(all, lines), "B"),
        Figure::told("lines per flush", share(lines, batches.len()), ""),
        Figure::at_most("lines printed and not shipped", share(missing, 1), "", 0.0),
        Figure::at_most("lines shipped twice", share(again, 1), "", 0.0),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "memory is smaller than 2^53 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
