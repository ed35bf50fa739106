//! Measures the extension beside a floor that only drains, in alternation: see the README. Usage: `bench_extension
//! --extension PROGRAM --floor PROGRAM --function PROGRAM --wrapper PROGRAM --results FILE [--part NAME …] [--long]`.

mod options;
mod lines;
mod sample;
mod subject;
mod process;
mod quota;
mod kinesis;
mod platform;
mod stage;
mod shipped;
mod idle;
mod cold;
mod busy;
mod pace;
mod outage;
mod shutdown;
mod payloads;

use kinesis::Kinesis;
use options::{Extent, Options, Part};
use subject::{Pair, Subject};

fn main() -> anyhow::Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let machine = figure::machine("before");
    // As little as possible beside what is measured: one thread for the sandbox, one for the rest.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(&options))?;
    figure::report(&figures, &machine, &options.results)
}

async fn measure(options: &Options) -> anyhow::Result<Vec<figure::Figure>> {
    let kinesis = Kinesis::start().await?;
    let pair = Pair {
        ours: Subject::new(&options.extension, &kinesis.url())?,
        floor: Subject::new(&options.floor, &kinesis.url())?,
    };
    let function = options.function.as_path();
    let Extent { lives, cold_starts, rounds } = options.extent;
    let mut figures = Vec::new();
    if options.wants(Part::Idle) {
        figures.extend(idle::measure(&pair, lives).await?);
    }
    if options.wants(Part::Cold) {
        figures.extend(cold::measure(&pair, function, &kinesis, cold_starts).await?);
    }
    if options.wants(Part::Busy) {
        figures.extend(busy::measure(&pair, function, &kinesis, rounds).await?);
    }
    if options.wants(Part::Pace) {
        figures.extend(pace::measure(&pair.ours, function, &kinesis).await?);
    }
    if options.wants(Part::Outage) {
        figures.extend(outage::measure(&pair, function, &kinesis).await?);
    }
    if options.wants(Part::Shutdown) {
        figures.extend(shutdown::measure(&pair, function, &kinesis).await?);
    }
    if options.wants(Part::Payloads) {
        figures.extend(payloads::measure(&pair.ours, function, &options.wrapper).await?);
    }
    Ok(figures)
}
