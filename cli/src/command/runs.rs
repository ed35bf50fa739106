//! `limelight runs`: answers that were kept, and queries that run.

use api::QueryRuns;
use serde_json::Value;

use super::{print_json, query};
use crate::args::{Format, QueryFormat, RunsAction, RunsArgs};
use crate::client::Client;
use crate::render::number::bytes;
use crate::render::table::{Align, Table};
use crate::terminal::{Terminal, note, print, say};

/// Runs it.
///
/// # Errors
/// When nobody can be asked, or there is no such run.
pub async fn run(arguments: RunsArgs) -> anyhow::Result<()> {
    match arguments.action {
        RunsAction::List { limit, format, place } => {
            let runs = Client::open(&place).await?.runs(limit).await?;
            list(&runs, format)
        }
        RunsAction::Show { id, format, place } => {
            let response = Client::open(&place).await?.run(&id).await?;
            if response.data.query_run.status == RUNNING && format != QueryFormat::Json {
                note("the query runs still: ask again, or `limelight runs delete` stops it");
                return Ok(());
            }
            // What was asked does not stand in the answer; its own order is good enough.
            query::show(&response, &Value::Null, format)
        }
        RunsAction::Delete { id, place } => {
            say(&Client::open(&place).await?.end_run(&id).await?.message);
            Ok(())
        }
    }
}

/// The API's word for a run without an answer yet.
const RUNNING: &str = "STARTED";

fn list(runs: &QueryRuns, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return print_json(runs);
    }
    if runs.query_runs.is_empty() {
        say("no answers are kept: `limelight query --save` keeps one");
        return Ok(());
    }
    let terminal = Terminal::stdout();
    print(&table(runs).draw(terminal.width, terminal.paint))?;
    if runs.next.is_some() {
        note("there are more: --limit shows them");
    }
    Ok(())
}

fn table(runs: &QueryRuns) -> Table {
    let mut table =
        Table::new().column("id", Align::Left).column("kept at", Align::Left).column("size", Align::Right);
    for run in &runs.query_runs {
        table.row(vec![run.id.clone(), run.kept_at.clone(), bytes(run.bytes)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::Paint;

    #[test]
    fn each_answer_is_one_row() {
        let run = api::KeptRun {
            id: "3f0c9a".to_owned(),
            kept_at: "2026-11-20T12:00:00.000Z".to_owned(),
            bytes: 1_500,
            ..api::KeptRun::default()
        };
        let drawn = table(&QueryRuns { query_runs: vec![run], next: None }).draw(100, Paint::none());
        assert_eq!(drawn.lines().nth(1), Some("3f0c9a  2026-11-20T12:00:00.000Z  1.5 KB"));
    }
}
