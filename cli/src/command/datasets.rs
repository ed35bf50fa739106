//! `limelight datasets`: what there is to ask.

use api::Datasets;

use super::print_json;
use crate::args::{DatasetsArgs, Format};
use crate::client::Client;
use crate::render::number::{bytes, figure};
use crate::render::table::{Align, Table};
use crate::terminal::{Terminal, print, say};

/// Runs it.
///
/// # Errors
/// When nobody can be asked.
pub async fn run(arguments: DatasetsArgs) -> anyhow::Result<()> {
    let datasets = Client::open(&arguments.place).await?.datasets().await?;
    if arguments.format == Format::Json {
        return print_json(&datasets);
    }
    if datasets.datasets.is_empty() {
        say("there are no datasets yet: nothing was ingested");
        return Ok(());
    }
    let terminal = Terminal::stdout();
    Ok(print(&table(&datasets).draw(terminal.width, terminal.paint))?)
}

#[expect(clippy::cast_precision_loss, reason = "shown in groups of three digits; exact up to 2^53")]
fn table(datasets: &Datasets) -> Table {
    let mut table = Table::new()
        .column("dataset", Align::Left)
        .column("events", Align::Right)
        .column("size", Align::Right)
        .column("files", Align::Right)
        .column("from", Align::Left)
        .column("to", Align::Left);
    for dataset in &datasets.datasets {
        let time = |time: &Option<String>| time.clone().unwrap_or_else(|| "–".to_owned());
        table.row(vec![
            dataset.name.clone(),
            figure(dataset.events as f64),
            bytes(dataset.bytes),
            figure(dataset.files as f64),
            time(&dataset.from),
            time(&dataset.to),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::Paint;

    #[test]
    fn each_dataset_is_one_row() {
        let one = api::Dataset {
            name: "lambda-logs".to_owned(),
            events: 12_345,
            bytes: 1_500,
            files: 2,
            from: Some("2026-11-20T12:00:00.000Z".to_owned()),
            to: None,
            version: 7,
        };
        let drawn = table(&Datasets { datasets: vec![one], next: None }).draw(100, Paint::none());
        assert_eq!(
            drawn.lines().nth(1),
            Some("lambda-logs  12,345  1.5 KB      2  2026-11-20T12:00:00.000Z  –")
        );
    }
}
