//! `limelight store export`: events as lines of JSON.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use ::store::{Span, Store, event_to_json};
use api::Problem;
use model::Timestamp;
use serde_json::json;

use crate::args::TimeArgs;
use crate::command::question;
use crate::exit::Refused;
use crate::terminal::{note, say};

pub(super) async fn run(
    store: &Store,
    dataset: &str,
    output: Option<PathBuf>,
    time: &TimeArgs,
) -> anyhow::Result<()> {
    let Some(mut export) = store.export(dataset, span(dataset, time)?).await? else {
        return Err(Refused::not_found(format!("there is no dataset {dataset}")).into());
    };
    let mut out: Box<dyn Write> = match &output {
        Some(path) => Box::new(BufWriter::new(File::create(path)?)),
        None => Box::new(BufWriter::new(io::stdout().lock())),
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
        for event in found {
            serde_json::to_writer(&mut out, &event_to_json(&event)).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
            events += 1;
        }
    }
    out.flush()?;
    say(&format!("{events} events written"));
    anyhow::ensure!(damaged == 0, "{damaged} files are damaged; their events are missing");
    Ok(())
}

/// The time that was typed, as the API reads it; without one all time.
fn span(dataset: &str, time: &TimeArgs) -> anyhow::Result<Span> {
    let Some(timeframe) = question::timeframe(time) else { return Ok(Span::default()) };
    let body = json!({"parameters": {"datasets": [dataset]}, "timeframe": timeframe});
    let now = Timestamp::from(std::time::SystemTime::now());
    match query::from_json(&body, now) {
        Ok(query) => Ok(Span { from: query.timeframe.from, to: query.timeframe.to }),
        Err(faults) => Err(Problem::from(&faults).into()),
    }
}
