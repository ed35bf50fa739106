//! `limelight tail`: events oldest first, and with `-f` those that come after.

mod follow;
mod question;

use std::time::{Duration, SystemTime};

use model::Timestamp;
use serde_json::{Map, Value, json};

use crate::args::{Format, TailArgs};
use crate::client::{Client, How};
use crate::exit::Refused;
use crate::render::{event, json as written};
use crate::terminal::{Terminal, note, print};

/// How far back `-f` begins if nobody says.
const FOLLOW_FROM: Duration = Duration::from_secs(60);
/// How far back a tail without `-f` looks if nobody says.
const TAIL_FROM: Duration = Duration::from_hours(1);

/// An event as the API shows it.
type Event = Map<String, Value>;

/// Runs it.
///
/// # Errors
/// When nobody can be asked, or what is asked makes no sense. A tail that follows outlives a restart of the API.
pub async fn run(arguments: TailArgs) -> anyhow::Result<()> {
    if arguments.follow && arguments.time.to.is_some() {
        return Err(Refused::usage("--to ends a tail and -f goes on: leave one of them out").into());
    }
    let client = Client::open(&arguments.place).await?;
    let tail = Tail { client, terminal: Terminal::stdout(), arguments };
    if !tail.arguments.follow {
        return tail.show(&tail.newest(TAIL_FROM).await?);
    }
    tokio::select! {
        result = tail.follow() => result,
        stop = super::signal() => Ok(stop?),
    }
}

struct Tail {
    client: Client,
    terminal: Terminal,
    arguments: TailArgs,
}

impl Tail {
    /// The newest events of the time that was typed, the oldest of them first; without one of the time before now.
    async fn newest(&self, before_now: Duration) -> anyhow::Result<Vec<Event>> {
        let timeframe = super::question::timeframe(&self.arguments.time).unwrap_or_else(|| {
            let from = Timestamp::from(SystemTime::now()).minus(before_now);
            json!({"from": from.to_string()})
        });
        let mut body = question::body(&self.arguments);
        body["timeframe"] = timeframe;
        let response = self.client.query(&body, &How::here()).await?;
        response.data.notes.iter().for_each(|text| note(text));
        let mut events = response.data.events;
        events.reverse();
        Ok(events)
    }

    fn show(&self, events: &[Event]) -> anyhow::Result<()> {
        let mut text = String::new();
        for found in events {
            match (&self.arguments.field, self.arguments.format) {
                (Some(path), _) => {
                    // An event without the field has nothing to show.
                    if let Some(value) = event::field(found, path) {
                        text.push_str(&value);
                        text.push('\n');
                    }
                }
                (None, Format::Json) => {
                    text.push_str(&written::text(found)?);
                    text.push('\n');
                }
                (None, Format::Table) => text.push_str(&event::line(found, self.terminal.paint)),
            }
        }
        Ok(print(&text)?)
    }
}
