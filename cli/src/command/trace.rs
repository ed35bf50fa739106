//! `limelight trace ID`: where the time went.

use super::print_json;
use crate::args::{Format, TraceArgs};
use crate::client::Client;
use crate::exit::Refused;
use crate::render::waterfall::{self, Logs};
use crate::terminal::{Terminal, note, print};

/// Runs it.
///
/// # Errors
/// When the id is none, the trace is not there, or nobody can be asked.
pub async fn run(arguments: TraceArgs) -> anyhow::Result<()> {
    let id = trace_id(&arguments.id)?;
    let trace = Client::open(&arguments.place).await?.trace(&id).await?;
    if arguments.format == Format::Json {
        return print_json(&trace);
    }
    let terminal = Terminal::stdout();
    let logs = if arguments.logs { Logs::Shown } else { Logs::Counted };
    print(&waterfall::draw(&trace, terminal.width, terminal.paint, logs))?;
    trace.notes.iter().for_each(|text| note(text));
    Ok(())
}

/// The id in the form of the API; X-Ray's form and a whole trace header are understood too.
fn trace_id(text: &str) -> Result<String, Refused> {
    let root = text.trim().split(';').find_map(|part| part.trim().strip_prefix("Root="));
    let text = root.unwrap_or(text.trim());
    let parsed = if text.contains('-') { model::TraceId::from_xray(text) } else { text.parse() };
    parsed.map(|id| id.to_string()).map_err(|error| Refused::usage(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_id_is_understood() {
        let id = "58406520a006649127e371903a2de979";
        for text in [
            id,
            " 58406520A006649127E371903A2DE979 ",
            "1-58406520-a006649127e371903a2de979",
            "Root=1-58406520-a006649127e371903a2de979;Parent=4c721bf33e3caf8f;Sampled=1",
        ] {
            assert_eq!(trace_id(text).unwrap(), id);
        }
        assert!(trace_id("../datasets").is_err());
    }
}
