//! What a function waits for when the stream cannot be had: the time added after `runtimeDone` until the extension
//! knows (its breaker is open, or the stream counts as slow) and from then on. Each episode is an environment of its
//! own whose stream falls ill and gets well at the end, so that what was printed meanwhile must all be there.

use std::path::Path;

use crate::kinesis::{Kinesis, Mood};
use crate::sample::Sample;
use crate::shipped::{self, share};
use crate::stage::Stage;
use crate::subject::{Pair, Subject};
use figure::Figure;

/// Environments for each illness.
const EPISODES: usize = 12;
/// Invocations before it.
const WELL: usize = 6;
/// Invocations in which the extension must have learned of it: two failures, or two budgets in vain.
const LEARNING: usize = 4;
/// Invocations after them.
const KNOWN: usize = 40;
/// Of the floor, for the sandbox's own part.
const FLOOR: usize = 400;
/// The flush budget's default.
const BUDGET_MS: f64 = 50.0;
/// Once it is known.
const KNOWN_MS: f64 = 5.0;

/// One way of not being had, and the names of its figures.
struct Illness {
    mood: Mood,
    learning: &'static str,
    known: &'static str,
}

const ILLNESSES: [Illness; 4] = [
    Illness {
        mood: Mood::Down,
        learning: "added after runtimeDone, stream down, not yet known, p99",
        known: "added after runtimeDone, stream down, known, p99",
    },
    Illness {
        mood: Mood::Hangs,
        learning: "added after runtimeDone, stream hangs, not yet known, p99",
        known: "added after runtimeDone, stream hangs, known, p99",
    },
    Illness {
        mood: Mood::Resets,
        learning: "added after runtimeDone, stream resets, not yet known, p99",
        known: "added after runtimeDone, stream resets, known, p99",
    },
    Illness {
        mood: Mood::Throttles,
        learning: "added after runtimeDone, stream throttles, not yet known, p99",
        known: "added after runtimeDone, stream throttles, known, p99",
    },
];
/// Nobody resolves it (RFC 2606).
const UNRESOLVABLE: &str = "http://stream.invalid:4567";

/// Waits in milliseconds, between two invocations.
#[derive(Default)]
struct Waits {
    learning: Sample,
    known: Sample,
}

/// Never with a bet on the next invocation: a busy sandbox would not be held in any case.
pub(crate) async fn measure(pair: &Pair, function: &Path, kinesis: &Kinesis) -> anyhow::Result<Vec<Figure>> {
    let between = floor(&pair.floor, function).await?;
    let sandbox = between.median();
    let ours = pair.ours.with("LIMELIGHT_FLUSH", "end");
    let (mut figures, mut missing, mut again) = (Vec::new(), 0, 0);
    for illness in &ILLNESSES {
        let mut waits = Waits::default();
        for _ in 0..EPISODES {
            let (lost, double) = episode(&ours, function, kinesis, illness.mood, &mut waits).await?;
            missing += lost;
            again += double;
        }
        figures.extend(figures_of(&waits, sandbox, illness.learning, illness.known));
    }
    let unresolvable = ours.with("AWS_ENDPOINT_URL_KINESIS", UNRESOLVABLE);
    let mut waits = Waits::default();
    for _ in 0..EPISODES {
        let mut stage = Stage::set(&unresolvable, function, 43).await?;
        suffer(&mut stage, &mut waits).await?;
        stage.end().await;
    }
    let names = [
        "added after runtimeDone, name unknown, not yet known, p99",
        "added after runtimeDone, name unknown, known, p99",
    ];
    figures.extend(figures_of(&waits, sandbox, names[0], names[1]));
    // What the machine adds by itself: on a quiet one far below the five milliseconds.
    let noise = between.percentile(99) - sandbox;
    figures.push(Figure::told("between two invocations, floor, p99 over its median", noise, "ms"));
    figures.push(Figure::at_most("outages that ended: lines not shipped", share(missing, 1), "", 0.0));
    figures.push(Figure::at_most("outages that ended: lines shipped twice", share(again, 1), "", 0.0));
    Ok(figures)
}

fn figures_of(waits: &Waits, sandbox: f64, learning: &'static str, known: &'static str) -> [Figure; 2] {
    let added = |sample: &Sample| (sample.percentile(99) - sandbox).max(0.0);
    [
        Figure::at_most(learning, added(&waits.learning), "ms", BUDGET_MS),
        Figure::at_most(known, added(&waits.known), "ms", KNOWN_MS),
    ]
}

/// The sandbox's own time between two invocations.
async fn floor(floor: &Subject, function: &Path) -> anyhow::Result<Sample> {
    let mut stage = Stage::set(floor, function, 41).await?;
    stage.invoke(WELL).await?;
    stage.listen(|notes| notes.between = Sample::default());
    stage.invoke(FLOOR).await?;
    Ok(stage.end().await.1.between)
}

/// Well, ill, well again; how many printed lines are not there in the end, and how many twice.
async fn episode(
    ours: &Subject,
    function: &Path,
    kinesis: &Kinesis,
    mood: Mood,
    waits: &mut Waits,
) -> anyhow::Result<(usize, usize)> {
    kinesis.take();
    let mut stage = Stage::set(ours, function, 43).await?;
    stage.invoke(WELL).await?;
    kinesis.fare(mood);
    suffer(&mut stage, waits).await?;
    kinesis.fare(Mood::Takes);
    let (_, notes) = stage.end().await;
    let batches = shipped::batches(&kinesis.take())?;
    Ok(shipped::account(&batches, &notes.printed))
}

async fn suffer(stage: &mut Stage, waits: &mut Waits) -> anyhow::Result<()> {
    for (invocations, sample) in [(LEARNING, &mut waits.learning), (KNOWN, &mut waits.known)] {
        stage.listen(|notes| notes.between = Sample::default());
        // There is one wait less than there are invocations.
        stage.invoke(invocations + 1).await?;
        sample.extend(&stage.listen(|notes| notes.between.clone()));
    }
    Ok(())
}
