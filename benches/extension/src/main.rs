//! Measures the extension beside a floor that only drains, in alternation: see the README. Usage: `bench_extension
//! --extension PROGRAM --floor PROGRAM --function PROGRAM --results FILE [--long]`.

mod lines;
mod sample;
mod figure;
mod subject;
mod process;
mod kinesis;
mod platform;
mod stage;
mod shipped;
mod idle;
mod cold;
mod busy;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use kinesis::Kinesis;
use subject::{Pair, Subject};

/// How much is run.
struct Extent {
    lives: usize,
    cold_starts: usize,
    rounds: usize,
}

/// About two minutes: 1,000 invocations and the next 10,000.
const SHORT: Extent = Extent { lives: 41, cold_starts: 9, rounds: 11 };
/// About twenty minutes.
const LONG: Extent = Extent { lives: 201, cold_starts: 51, rounds: 101 };

fn main() -> anyhow::Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    // As little as possible beside what is measured: one thread for the sandbox, one for the rest.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let figures = runtime.block_on(measure(&options))?;
    figure::report(&figures, &options.results)
}

async fn measure(options: &Options) -> anyhow::Result<Vec<figure::Figure>> {
    let kinesis = Kinesis::start().await?;
    let pair = Pair {
        ours: Subject::new(&options.extension, &kinesis.url())?,
        floor: Subject::new(&options.floor, &kinesis.url())?,
    };
    let function: &Path = &options.function;
    let Extent { lives, cold_starts, rounds } = options.extent;
    let mut figures = idle::measure(&pair, lives).await?;
    figures.extend(cold::measure(&pair, function, &kinesis, cold_starts).await?);
    figures.extend(busy::measure(&pair, function, &kinesis, rounds).await?);
    Ok(figures)
}

struct Options {
    extension: PathBuf,
    floor: PathBuf,
    function: PathBuf,
    results: PathBuf,
    extent: Extent,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let [mut extension, mut floor, mut function, mut results] = [None, None, None, None];
        let mut extent = SHORT;
        while let Some(name) = arguments.next() {
            let place = match name.as_str() {
                "--extension" => &mut extension,
                "--floor" => &mut floor,
                "--function" => &mut function,
                "--results" => &mut results,
                "--long" => {
                    extent = LONG;
                    continue;
                }
                _ => anyhow::bail!("unknown argument {name}"),
            };
            *place = arguments.next();
        }
        let path = |value: Option<String>, name| {
            value.map(PathBuf::from).with_context(|| format!("--{name} is missing"))
        };
        Ok(Self {
            extension: path(extension, "extension")?,
            floor: path(floor, "floor")?,
            function: path(function, "function")?,
            results: path(results, "results")?,
            extent,
        })
    }
}
