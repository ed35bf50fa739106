//! A saved query of a YAML file as the API's JSON. It is read whole here, so that faults are shown by file and line.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use api::Problem;
use model::Timestamp;
use query::yaml::Document;
use query::{Diagnostic, Diagnostics};
use serde_json::Value;

use crate::args::QueryArgs;
use crate::command::question;
use crate::exit::Refused;
use crate::terminal::note;

/// The body for `POST /v1/query`; notes about old spellings are said.
pub(super) fn body(file: &Path, arguments: &QueryArgs) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let (body, notes) = read(&text, arguments).map_err(|faults| Problem::from(&faults))?;
    for old in notes {
        note(&format!("{}: {}", file.display(), one_line(&old)));
    }
    Ok(body)
}

/// A file that is not there, or none that holds text, is something else to type.
fn unreadable(file: &Path, error: &io::Error) -> Refused {
    let told = format!("{} cannot be read: {error}", file.display());
    match error.kind() {
        ErrorKind::NotFound => Refused::not_found(told),
        _ => Refused::usage(told),
    }
}

fn read(text: &str, arguments: &QueryArgs) -> Result<(Value, Vec<Diagnostic>), Diagnostics> {
    let document = Document::read(text)?;
    let saved = document.query(arguments.id.as_deref()).map_err(Diagnostics::one)?;
    let (_, notes) = saved.read(Timestamp::from(SystemTime::now()))?;
    Ok((question::of_saved(saved.body.clone(), arguments), notes))
}

fn one_line(note: &Diagnostic) -> String {
    let place = note.place.as_ref().map(|place| format!("line {}, column {}: ", place.line, place.column));
    let hint = note.hint.as_ref().map(|hint| format!(" ({hint})"));
    let key = note.at.as_deref().unwrap_or_default();
    format!("{}{key} {}{}", place.unwrap_or_default(), note.message, hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_query_is_asked_as_it_stands_and_old_spellings_are_said() {
        let text = "q:\n  type: query\n  properties:\n    parameters:\n      dataset: otel\n";
        let (body, notes) = read(text, &QueryArgs::default()).unwrap();
        assert_eq!(body, serde_json::json!({"parameters": {"dataset": "otel"}}));
        assert_eq!(
            notes.iter().map(one_line).collect::<Vec<_>>(),
            [
                "line 5, column 16: parameters.dataset is a spelling of earlier years (today: datasets, a list)"
            ]
        );
    }

    #[test]
    fn a_fault_is_shown_at_its_line() {
        let faults = read("parameters:\n  limit: ten\n", &QueryArgs::default()).unwrap_err();
        let problem = Problem::from(&faults);
        assert_eq!((problem.faults[0].line, problem.faults[0].column), (Some(2), Some(10)));
    }
}
