//! `limelight store`: a store's files, seen, looked after, proved and written out.

mod export;

use std::time::Duration;

use ::store::{Compaction, Health, Store, Vacuum, Vacuumed, Verified};
use companion::Companion;
use companion::settings::Retentions;
use serde_json::{Value, json};

use super::{place, print_json};
use crate::args::{Format, StoreAction, StoreArgs};
use crate::exit::Refused;
use crate::render::number::{bytes, figure};
use crate::render::table::{Align, Table};
use crate::terminal::{Terminal, print, say};

/// Runs it.
///
/// # Errors
/// When there is no such store or dataset, when the store fails, or when something is not as it should be.
pub async fn run(arguments: StoreArgs) -> anyhow::Result<()> {
    match arguments.action {
        StoreAction::Stats { format, place } => stats(place::open(&place).await?.store(), format).await,
        StoreAction::Compact { datasets, retention, place } => {
            let retentions = Retentions::parse(&retention).map_err(Refused::usage)?;
            compact(&place::open(&place).await?, datasets, &retentions).await
        }
        StoreAction::Vacuum { hours, place } => vacuum(place::open(&place).await?.store(), hours).await,
        StoreAction::Verify { format, place } => verify(place::open(&place).await?.store(), format).await,
        StoreAction::Export { dataset, output, time, place } => {
            export::run(place::open(&place).await?.store(), &dataset, output, &time).await
        }
    }
}

async fn stats(store: &Store, format: Format) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for dataset in store.datasets().await? {
        if let Some(health) = store.health(&dataset.name, &Compaction::default()).await? {
            found.push((dataset.name, health));
        }
    }
    if format == Format::Json {
        let datasets: Vec<Value> = found.iter().map(|(name, health)| shown(name, health)).collect();
        return print_json(&json!({ "datasets": datasets }));
    }
    let terminal = Terminal::stdout();
    Ok(print(&table(&found).draw(terminal.width, terminal.paint))?)
}

fn shown(name: &str, health: &Health) -> Value {
    json!({
        "name": name, "version": health.version, "events": health.rows, "days": health.days,
        "files": health.files, "bytes": health.bytes, "smallFiles": health.small_files,
        "columns": health.columns, "overflowingFiles": health.overflowing_files,
        "outsideFiles": health.outside_files, "outsideBytes": health.outside_bytes,
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown in groups of three digits; exact up to 2^53")]
fn table(found: &[(String, Health)]) -> Table {
    let names = ["events", "days", "files", "small", "size", "columns", "outside"];
    let table = Table::new().column("dataset", Align::Left);
    let mut table = names.iter().fold(table, |table, name| table.column(*name, Align::Right));
    for (name, health) in found {
        let count = |count: u64| figure(count as f64);
        table.row(vec![
            name.clone(),
            count(health.rows),
            count(health.days),
            count(health.files),
            count(health.small_files),
            bytes(health.bytes),
            count(health.columns),
            bytes(health.outside_bytes),
        ]);
    }
    table
}

async fn compact(companion: &Companion, only: Vec<String>, retentions: &Retentions) -> anyhow::Result<()> {
    let store = companion.store();
    for dataset in named(store, only).await? {
        let went = store.retain(&dataset, &retentions.of(&dataset)).await?;
        if went.files > 0 {
            say(&format!("{dataset}: {} files ({}) are kept no longer", went.files, bytes(went.bytes)));
        }
        let mut compactor = store.compactor(&dataset, Compaction::default());
        while let Some(step) = compactor.step().await? {
            let twice = match step.duplicates {
                0 => String::new(),
                rows => format!(", {rows} rows stood twice"),
            };
            let (before, after) = (bytes(step.bytes_before), bytes(step.bytes_after));
            say(&format!("{dataset}: {} files ({before}) are one ({after}){twice}", step.files));
        }
        for file in compactor.left_alone() {
            say(&format!("{dataset}: {file} is damaged or another program's; left as it is"));
        }
    }
    Ok(())
}

/// The datasets that were named, or all.
async fn named(store: &Store, only: Vec<String>) -> anyhow::Result<Vec<String>> {
    let all: Vec<String> = store.datasets().await?.into_iter().map(|dataset| dataset.name).collect();
    match only.iter().find(|name| !all.contains(name)) {
        Some(missing) => Err(Refused::not_found(format!("there is no dataset {missing}")).into()),
        None if only.is_empty() => Ok(all),
        None => Ok(only),
    }
}

async fn vacuum(store: &Store, hours: u64) -> anyhow::Result<()> {
    let mut rules = Vacuum::default();
    rules.kept_for = Duration::from_secs(hours.saturating_mul(3_600));
    for dataset in named(store, Vec::new()).await? {
        let Vacuumed { files, bytes: size, log_files } = store.vacuum(&dataset, &rules).await?;
        say(&format!("{dataset}: {files} files ({}) and {log_files} log files removed", bytes(size)));
    }
    let letters = store.vacuum_letters(&rules).await?;
    say(&format!("dead letters: {} files ({}) removed", letters.files, bytes(letters.bytes)));
    Ok(())
}

async fn verify(store: &Store, format: Format) -> anyhow::Result<()> {
    let verified = store.verify().await?;
    match format {
        Format::Json => print_json(&proof(&verified))?,
        Format::Table => {
            for (name, looked) in &verified.datasets {
                say(&format!(
                    "{name}: {} events in {} files ({}), log entries {} to {}",
                    looked.rows,
                    looked.files,
                    bytes(looked.bytes),
                    looked.first_entry,
                    looked.version
                ));
            }
            say(&format!("{} batches of sandboxes have all their events", verified.batches));
            verified.faults.iter().for_each(|fault| say(&format!("FAULT {fault}")));
        }
    }
    let faults = verified.faults.len();
    anyhow::ensure!(faults == 0, "{faults} faults: the store is not what it says");
    Ok(())
}

fn proof(verified: &Verified) -> Value {
    let dataset = |(name, looked): (&String, &::store::Looked)| {
        json!({
            "name": name, "version": looked.version, "firstEntry": looked.first_entry,
            "files": looked.files, "bytes": looked.bytes, "events": looked.rows,
        })
    };
    json!({
        "datasets": verified.datasets.iter().map(dataset).collect::<Vec<_>>(),
        "batches": verified.batches,
        "faults": verified.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
