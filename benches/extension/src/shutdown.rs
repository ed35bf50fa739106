//! How long the extension takes to leave when it has something to send and the stream cannot be had: from SHUTDOWN to
//! the end of all processes, in the sandbox. The longest life counts: the promise is kept whatever happens, or it is not.
//! (The platform kills after 2 s; so does the sandbox, and a life as long as that was ended by it.)

use std::path::Path;

use crate::kinesis::{Kinesis, Mood};
use crate::sample::Sample;
use crate::stage::{Stage, millis};
use crate::subject::{Pair, Subject};
use figure::Figure;

/// Environments for each way of not being had.
const LIVES: usize = 8;
/// Invocations whose batches find no stream; the extension knows by then.
const INVOCATIONS: usize = 4;
/// What the extension has for all of it.
const LIMIT_MS: f64 = 1_500.0;

const MOODS: [(Mood, &str); 4] = [
    (Mood::Hangs, "SHUTDOWN → exit, stream hangs, longest"),
    (Mood::Down, "SHUTDOWN → exit, stream down, longest"),
    (Mood::Resets, "SHUTDOWN → exit, stream resets, longest"),
    (Mood::Throttles, "SHUTDOWN → exit, stream throttles, longest"),
];

pub(crate) async fn measure(pair: &Pair, function: &Path, kinesis: &Kinesis) -> anyhow::Result<Vec<Figure>> {
    let floor = ends(&pair.floor, function).await?;
    let mut figures = Vec::new();
    // Nothing is left to the next invocation: there is none.
    let ours = pair.ours.with("LIMELIGHT_FLUSH", "end");
    for (mood, name) in MOODS {
        kinesis.fare(mood);
        let ends = ends(&ours, function).await;
        kinesis.fare(Mood::Takes);
        figures.push(Figure::at_most(name, ends?.percentile(100), "ms", LIMIT_MS));
    }
    // The sandbox's own part, the function's end among it.
    figures.push(Figure::told(
        "SHUTDOWN → exit, in the sandbox, longest, floor",
        floor.percentile(100),
        "ms",
    ));
    kinesis.take();
    Ok(figures)
}

async fn ends(subject: &Subject, function: &Path) -> anyhow::Result<Sample> {
    let mut ends = Sample::default();
    for _ in 0..LIVES {
        let mut stage = Stage::set(subject, function, 47).await?;
        stage.invoke(INVOCATIONS).await?;
        ends.add(millis(stage.end().await.0));
    }
    Ok(ends)
}
