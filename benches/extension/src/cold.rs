//! What the extension adds to a sandbox's first invocation, and to its end when something is left to send.

use std::path::Path;

use crate::kinesis::Kinesis;
use crate::sample::Sample;
use crate::shipped::{self, Printed, Weights};
use crate::stage::{Stage, millis};
use crate::subject::{Pair, Subject};
use figure::Figure;

/// Two invocations of `starts` sandboxes each, in turn. The first invocation's time goes up to the moment at which
/// the second, which waits for it, begins.
pub(crate) async fn measure(
    pair: &Pair,
    function: &Path,
    kinesis: &Kinesis,
    starts: usize,
) -> anyhow::Result<Vec<Figure>> {
    let [mut ours, mut floor, mut end, mut floor_end] = [(); 4].map(|()| Sample::default());
    let mut weights = Weights::default();
    for _ in 0..starts {
        run(&pair.floor, function, &mut floor, &mut floor_end).await?;
        kinesis.take();
        let printed = run(&pair.ours, function, &mut ours, &mut end).await?;
        let batches = shipped::batches(&kinesis.take())?;
        weights.add(shipped::weigh(&batches, &printed, batches.len())?);
    }
    let added = ours.median() - floor.median();
    Ok(vec![
        Figure::at_most("overhead of the first invocation, median", added, "ms", 15.0),
        Figure::told("first invocation, median, floor", floor.median(), "ms"),
        Figure::at_most("SHUTDOWN → exit, last report pending, median", end.median(), "ms", 1_500.0),
        Figure::told("SHUTDOWN → exit, in the sandbox, median, floor", floor_end.median(), "ms"),
        Figure::told(
            "bytes of the log lines / gzip -6, flushes of one or two invocations",
            weights.ratio(),
            "",
        ),
    ])
}

async fn run(
    subject: &Subject,
    function: &Path,
    first: &mut Sample,
    end: &mut Sample,
) -> anyhow::Result<Printed> {
    let mut stage = Stage::set(subject, function, 11).await?;
    stage.invoke(2).await?;
    let (took, notes) = stage.end().await;
    end.add(millis(took));
    first.add(notes.first.unwrap_or_default());
    Ok(notes.printed)
}
