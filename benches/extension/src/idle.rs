//! What the extension costs before and after any work: its size, its start, its exit.

use crate::platform;
use crate::sample::Sample;
use crate::stage::millis;
use crate::subject::Pair;
use figure::Figure;

/// Starts both programs `lives` times, in turn.
pub(crate) async fn measure(pair: &Pair, lives: usize) -> anyhow::Result<Vec<Figure>> {
    let [mut start, mut exit] = [Times::default(), Times::default()];
    // The first life of each brings its file into memory.
    platform::live(&pair.floor).await?;
    platform::live(&pair.ours).await?;
    for _ in 0..lives {
        let floor = platform::live(&pair.floor).await?;
        let ours = platform::live(&pair.ours).await?;
        start.add(millis(ours.start), millis(floor.start));
        exit.add(millis(ours.exit), millis(floor.exit));
    }
    let floor_start = start.floor.median();
    Ok(vec![
        Figure::at_most("stripped binary", megabytes(pair.ours.bytes()?), "MB", 5.0),
        Figure::told("stripped binary, floor", megabytes(pair.floor.bytes()?), "MB"),
        Figure::at_most("spawn → first /next, median", start.ours.median(), "ms", floor_start + 3.0),
        Figure::told("spawn → first /next, median, floor", floor_start, "ms"),
        Figure::at_most("SHUTDOWN → exit, nothing pending, median", exit.ours.median(), "ms", 100.0),
        Figure::told("SHUTDOWN → exit, median, floor", exit.floor.median(), "ms"),
    ])
}

#[derive(Default)]
struct Times {
    ours: Sample,
    floor: Sample,
}

impl Times {
    fn add(&mut self, ours: f64, floor: f64) {
        self.ours.add(ours);
        self.floor.add(floor);
    }
}

#[expect(clippy::cast_precision_loss, reason = "files are smaller than 2^53 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
