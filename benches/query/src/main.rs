//! How fast questions are answered, beside other engines on the same files: `bench_query load FOLDER EVENTS` makes a day
//! of telemetry, `bench_query compare FOLDER PYTHON RESULTS` asks about it. `bench_query answer FOLDER` is our side of
//! the second.

mod telemetry;
mod store_at;
mod load;
mod answer;
mod shape;
mod rows;
mod engine;
mod compare;
mod apart;
mod course;

use std::path::Path;

const USAGE: &str = "usage: bench_query load FOLDER EVENTS | answer FOLDER | compare FOLDER PYTHON RESULTS";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words.as_slice() {
        ["load", folder, events] => runtime.block_on(load::load(Path::new(folder), events.parse()?)),
        ["answer", folder] => runtime.block_on(answer::serve(Path::new(folder))),
        ["compare", folder, python, results] => {
            let machine = figure::machine("before");
            let figures = runtime.block_on(course::run(Path::new(folder), python))?;
            figure::report(&figures, &machine, Path::new(results))
        }
        _ => anyhow::bail!(USAGE),
    }
}

/// Says how far it is.
#[expect(clippy::print_stderr, reason = "a program that runs for minutes tells where it is")]
fn tell(text: &str) {
    eprintln!("{text}");
}
