//! One run of the comparison from its first question to its last: the day as its small files left it, then compacted,
//! then beside the other engines, then what is not a comparison.

use std::path::Path;

use anyhow::Context as _;
use figure::Figure;
use serde_json::json;

use crate::engine::Engine;
use crate::shape::{self, Shape, Wanted};
use crate::{apart, compare, store_at};

/// Rounds that count, after one that warms up.
const ROUNDS: usize = 5;
/// Of DuckDB's time.
const NEEDLE: f64 = 1.2;

/// Asks everything of the day in `data`; `python` is the one that has the other engines.
pub(crate) async fn run(data: &Path, python: &str) -> anyhow::Result<Vec<Figure>> {
    apart::check_tools()?;
    let mut ours = Engine::ours(data)?;
    let wanted = wanted(&mut ours)?;
    let shapes = shape::all(&wanted);
    let mut figures = uncompacted(ours, &shapes, data).await?;
    figures.extend(apart::stored(data)?);
    let mut engines = engines(data, python)?;
    let taken = compare::ask(&mut engines, &shapes, ROUNDS)?;
    figures.extend(compare::figures(&taken, &compare::names(&engines)));
    figures.extend(needle(&mut engines[..2])?);
    drop(engines);
    figures.push(apart::first_answer(data, &shapes[0])?);
    figures.extend(apart::today(data, &wanted)?);
    Ok(figures)
}

/// Compacts the day, and tells how much slower its small files were; nothing of a day that an earlier run compacted.
async fn uncompacted(mut ours: Engine, shapes: &[Shape], data: &Path) -> anyhow::Result<Vec<Figure>> {
    let of_the_day = shapes.iter().find(|shape| shape.name == "5-minute buckets");
    let first = apart::first_of_small_files(&mut ours, of_the_day.context("no shape of the whole day")?)?;
    let before = apart::medians(&mut ours, shapes)?;
    let steps = store_at::compact(store_at::open(data).await?.store()).await?;
    store_at::vacuum(data).await?;
    drop(ours);
    if steps == 0 {
        let folder = data.display();
        crate::tell(&format!("the day is compacted already: remove {folder} to see what small files cost"));
        return Ok(Vec::new());
    }
    let after = apart::medians(&mut Engine::ours(data)?, shapes)?;
    Ok(apart::uncompacted(shapes, &before, &after).into_iter().chain([first]).collect())
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

/// A text anywhere in an event; the others have no such question, so DuckDB asks all its texts.
fn needle(ours_and_duckdb: &mut [Engine]) -> anyhow::Result<[Figure; 2]> {
    let taken = compare::ask(ours_and_duckdb, &[shape::needle()], ROUNDS)?;
    let [ours, theirs] = taken[0].seconds[..] else { anyhow::bail!("two engines are compared") };
    let name = "needle over the whole event";
    Ok([
        Figure::told(format!("{name}: time"), ours * 1_000.0, "ms"),
        Figure::at_most(format!("{name}: of DuckDB's LIKE over all texts"), ours / theirs, "×", NEEDLE),
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
