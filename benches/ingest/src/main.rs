//! What the companion takes. Usage: `bench_ingest RESULTS.jsonl [writers SECONDS]`.

mod batches;
mod pace;
mod writers;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use model::Timestamp;
use store::Location;

const USAGE: &str = "usage: bench_ingest RESULTS.jsonl [writers SECONDS]";

fn main() -> anyhow::Result<()> {
    let said: Vec<String> = std::env::args().skip(1).collect();
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let machine = figure::machine("before");
    let now = Timestamp::from(std::time::SystemTime::now());
    let (results, figures) = match said[..] {
        [results] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            (results, runtime.block_on(pace::measure(now))?)
        }
        [results, "writers", seconds] => {
            let lasting = Duration::from_secs(seconds.parse().context(USAGE)?);
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            (results, runtime.block_on(writers::measure(now, lasting))?)
        }
        _ => anyhow::bail!(USAGE),
    };
    figure::report(&figures, &machine, Path::new(results))
}

/// A store in a folder.
fn location(folder: &Path) -> anyhow::Result<Location> {
    Ok(Location::parse(folder.to_str().context("a path that is no text")?)?)
}
