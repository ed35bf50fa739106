//! `limelight store export`: events as lines of JSON.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use ::store::{Span, Store, event_to_json};
use api::Problem;
use model::Timestamp;

use crate::args::TimeArgs;
use crate::command::question;
use crate::exit::Refused;
use crate::render::json;
use crate::terminal::{note, print, say};

pub(super) async fn run(
    store: &Store,
    dataset: &str,
    output: Option<PathBuf>,
    time: &TimeArgs,
) -> anyhow::Result<()> {
    let Some(mut export) = store.export(dataset, span(dataset, time)?).await? else {
        return Err(Refused::not_found(format!("there is no dataset {dataset}")).into());
    };
    let mut file = match &output {
        Some(path) => Some(BufWriter::new(File::create(path)?)),
        None => None,
    };
    let (mut events, mut damaged) = (0_u64, 0_u64);
    loop {
        let found = match export.next().await {
            Ok(Some(found)) => found,
            Ok(None) => break,
            // A file that is damaged costs itself.
            Err(error @ ::store::StoreError::Damaged { .. }) => {
                note(&error.to_string());
                damaged += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let mut lines = String::new();
        for event in found {
            lines.push_str(&json::text(&event_to_json(&event))?);
            lines.push('\n');
            events += 1;
        }
        match &mut file {
            Some(file) => file.write_all(lines.as_bytes())?,
            None => print(&lines)?,
        }
    }
    file.as_mut().map_or(Ok(()), BufWriter::flush)?;
    say(&format!("{events} events written"));
    anyhow::ensure!(damaged == 0, "{damaged} files are damaged; their events are missing");
    Ok(())
}

/// The time that was typed, as the API reads it; without one all time.
fn span(dataset: &str, time: &TimeArgs) -> anyhow::Result<Span> {
    let Some(timeframe) = question::timeframe(time) else { return Ok(Span::default()) };
    let body = serde_json::json!({"parameters": {"datasets": [dataset]}, "timeframe": timeframe});
    let now = Timestamp::from(std::time::SystemTime::now());
    match query::from_json(&body, now) {
        Ok(query) => Ok(Span { from: query.timeframe.from, to: query.timeframe.to }),
        Err(faults) => Err(Problem::from(&faults).into()),
    }
}
