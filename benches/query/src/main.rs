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
mod figure;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use engine::Engine;
use figure::Figure;
use shape::Wanted;

/// Rounds that count, after one that warms up.
const ROUNDS: usize = 5;
const USAGE: &str = "usage: bench_query load FOLDER EVENTS | answer FOLDER | compare FOLDER PYTHON RESULTS";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words.as_slice() {
        ["load", folder, events] => runtime.block_on(load::load(Path::new(folder), events.parse()?)),
        ["answer", folder] => runtime.block_on(answer::serve(Path::new(folder))),
        ["compare", folder, python, results] => {
            let machine = figure::machine();
            let figures = measure(&runtime, &PathBuf::from(folder), python)?;
            figure::report(&figures, &machine, Path::new(results))
        }
        _ => anyhow::bail!(USAGE),
    }
}

fn measure(runtime: &tokio::runtime::Runtime, data: &Path, python: &str) -> anyhow::Result<Vec<Figure>> {
    let mut ours = Engine::ours(data)?;
    let wanted = wanted(&mut ours)?;
    let shapes = shape::all(&wanted);
    let before = apart::ours(&mut ours, &shapes)?;
    let compacted = runtime.block_on(async {
        let steps = store_at::compact(store_at::open(data).await?.store()).await?;
        store_at::vacuum(data).await?;
        anyhow::Ok(steps > 0)
    })?;
    drop(ours);
    let mut figures = apart::stored(data)?;
    let mut engines = engines(data, python)?;
    if compacted {
        let after = apart::ours(&mut engines[0], &shapes)?;
        figures.extend(apart::uncompacted(&shapes, &before, &after));
    }
    figures.extend(compare::all(&mut engines, &shapes, ROUNDS)?);
    engines.truncate(2);
    figures.extend(needle(&mut engines)?);
    drop(engines);
    figures.push(apart::first_answer(data, &shapes[0])?);
    figures.extend(apart::today(data, &wanted)?);
    Ok(figures)
}

fn engines(data: &Path, python: &str) -> anyhow::Result<Vec<Engine>> {
    let folder = |dataset: &str| apart::files(data, dataset).display().to_string();
    let tables =
        [("logs", "lambda-logs"), ("otel", "otel")].map(|(name, dataset)| (name.to_owned(), folder(dataset)));
    Ok(vec![
        Engine::ours(data)?,
        Engine::peer(python, "duckdb", &shape::DUCKDB, &tables)?,
        Engine::peer(python, "chdb", &shape::CLICKHOUSE, &tables)?,
    ])
}

/// Ours and DuckDB's time for the needle.
fn needle(engines: &mut [Engine]) -> anyhow::Result<Vec<Figure>> {
    const TARGET: f64 = 1.2;
    let shape = [shape::needle()];
    let [ours, theirs] = engines else { anyhow::bail!("two engines are compared") };
    anyhow::ensure!(
        rows::difference(&ours.ask(&shape[0])?.rows, &theirs.ask(&shape[0])?.rows).is_none(),
        "the needle is found otherwise"
    );
    let (our, their) = (apart::ours(ours, &shape)?[0], apart::ours(theirs, &shape)?[0]);
    Ok(vec![
        Figure::told("needle over the whole event: time", our * 1_000.0, "ms"),
        Figure::at_most(
            "needle over the whole event: of DuckDB's LIKE over all texts",
            our / their,
            "×",
            TARGET,
        ),
    ])
}

/// An invocation in the middle of the day, whatever the seed made of it.
fn wanted(ours: &mut Engine) -> anyhow::Result<Wanted> {
    let orl = "WHERE @type = REPORT LIMIT 1 BETWEEN 2026-11-20T15:00:00Z AND 2026-11-20T15:10:00Z";
    let answer = ours.raw(&json!({"orl": orl}))?;
    let event = &answer["answer"]["data"]["events"][0]["$limelight"];
    let text =
        |key: &str| event[key].as_str().map(str::to_owned).with_context(|| format!("no {key}: {answer}"));
    Ok(Wanted { request_id: text("requestId")?, trace_id: text("traceId")?, namespace: text("namespace")? })
}

/// Says how far it is.
#[expect(clippy::print_stderr, reason = "a program that runs for minutes tells where it is")]
fn tell(text: &str) {
    eprintln!("{text}");
}
