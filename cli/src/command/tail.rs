//! `limelight tail`: events oldest first, and with `-f` those that come after.

mod cursor;

use std::time::Duration;

use api::Problem;
use model::Timestamp;
use serde_json::{Map, Value, json};

use self::cursor::{Cursor, Event};
use super::question;
use crate::args::{Format, TailArgs};
use crate::client::Client;
use crate::render::event::{self, Shown};
use crate::terminal::{Terminal, note, print};

/// Between two looks: half of what a person notices, and one query at a time.
const POLL: Duration = Duration::from_millis(500);
/// Between two looks while the API does not answer.
const POLL_FAILING: Duration = Duration::from_secs(2);
/// How far back `-f` begins if nobody says.
const FOLLOW_FROM: Duration = Duration::from_secs(60);
/// How far back a tail without `-f` looks if nobody says.
const TAIL_FROM: Duration = Duration::from_secs(3_600);
/// Events whose batch arrives later than this after they happened are not followed; each look reads this much time.
const LATE_MAX: Duration = Duration::from_secs(3_600);
/// Clocks that run ahead.
const AHEAD_MAX: Duration = Duration::from_secs(3_600);
/// Events of one look; the API's limit.
const PAGE: usize = 10_000;

/// Runs it.
///
/// # Errors
/// When nobody can be asked, or what is asked makes no sense. A tail that follows outlives a restart of the API.
pub async fn run(arguments: TailArgs) -> anyhow::Result<()> {
    let client = Client::open(&arguments.place).await?;
    let tail = Tail { client, terminal: Terminal::stdout(), arguments };
    if !tail.arguments.follow {
        return tail.newest().await;
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

/// What one look asks for.
struct Look {
    timeframe: Value,
    ingested_from: Option<Timestamp>,
    order: &'static str,
    limit: u64,
}

impl Tail {
    async fn newest(&self) -> anyhow::Result<()> {
        let default = || json!({"from": before_now(TAIL_FROM)});
        let timeframe = question::timeframe(&self.arguments.time).unwrap_or_else(default);
        let look = Look { timeframe, ingested_from: None, order: "DESC", limit: self.arguments.limit };
        let response = self.client.query(&self.body(&look)).await?;
        response.data.notes.iter().for_each(|text| note(text));
        let mut events = response.data.events;
        events.reverse();
        self.show(&events)
    }

    async fn follow(&self) -> anyhow::Result<()> {
        let begin = self.begin().await?;
        let mut cursor = Cursor::default();
        let mut first = true;
        let mut failing = false;
        loop {
            match self.page_through(&mut cursor, begin).await {
                Ok(mut events) => {
                    if first {
                        let hidden = events.len().saturating_sub(usize::try_from(self.arguments.limit)?);
                        events.drain(..hidden);
                    }
                    self.show(&events)?;
                    (first, failing) = (false, false);
                }
                Err(error) if lasts(&error) || first && !is_missing(&error) => return Err(error),
                Err(error) => {
                    if !failing {
                        note(&format!("{error:#}; waiting"));
                    }
                    failing = true;
                }
            }
            tokio::time::sleep(if failing { POLL_FAILING } else { POLL }).await;
        }
    }

    /// Where following begins. The API reads what was typed, so that a time means the same in all commands.
    async fn begin(&self) -> anyhow::Result<Timestamp> {
        let Some(timeframe) = question::timeframe(&self.arguments.time) else {
            return Ok(before_now_time(FOLLOW_FROM));
        };
        let look = Look { timeframe, ingested_from: None, order: "DESC", limit: 1 };
        let body = self.body(&look);
        match query::from_json(&body, before_now_time(Duration::ZERO)) {
            Ok(query) => Ok(query.timeframe.from),
            Err(faults) => Err(Problem::from(&faults).into()),
        }
    }

    /// Everything that was ingested since the cursor and not shown yet, in the order of time.
    async fn page_through(&self, cursor: &mut Cursor, begin: Timestamp) -> anyhow::Result<Vec<Event>> {
        let floor = cursor.floor();
        let mut from = floor.map_or(begin, |floor| floor.minus(LATE_MAX).max(begin));
        let to = before_now_time(Duration::ZERO).plus(AHEAD_MAX);
        let mut found = Vec::new();
        loop {
            let timeframe = json!({"from": from.to_string(), "to": to.to_string()});
            let look = Look { timeframe, ingested_from: floor, order: "ASC", limit: PAGE as u64 };
            let page = self.client.query(&self.body(&look)).await?.data.events;
            let full = page.len() >= PAGE;
            let last = page.last().and_then(|event| Shown(event).timestamp());
            found.extend(cursor.take(page));
            let Some(last) = last.filter(|_| full) else { break };
            // A page of one and the same microsecond cannot be paged by time: go past it rather than stand still.
            from = if last > from { last } else { from.plus(Duration::from_micros(1)) };
        }
        cursor.forget();
        found.sort_by_key(|event| Shown(event).timestamp());
        Ok(found)
    }

    fn body(&self, look: &Look) -> Value {
        let arguments = &self.arguments;
        let mut filters: Vec<Value> = arguments.filters.iter().map(|filter| filter.as_str().into()).collect();
        let mut equals = |key: &str, operation: &str, value: &str| {
            filters.push(json!({"key": key, "operation": operation, "value": value, "type": "string"}));
        };
        if let Some(service) = &arguments.service {
            equals("$limelight.service", "=", service);
        }
        if let Some(namespace) = &arguments.namespace {
            equals("$limelight.namespace", "=", namespace);
        }
        if let Some(ingested_from) = look.ingested_from {
            equals("$limelight.ingestedAt", ">=", &ingested_from.to_string());
        }
        let mut parameters = Map::new();
        if !arguments.datasets.is_empty() {
            parameters.insert("datasets".to_owned(), json!(arguments.datasets));
        }
        parameters.insert("filters".to_owned(), filters.into());
        if let Some(needle) = arguments.regex.as_ref().or(arguments.needle.as_ref()) {
            let needle = json!({"value": needle, "isRegex": arguments.regex.is_some(), "matchCase": arguments.match_case});
            parameters.insert("needle".to_owned(), needle);
        }
        parameters
            .insert("orderBy".to_owned(), json!({"value": "$limelight.timestamp", "order": look.order}));
        parameters.insert("limit".to_owned(), look.limit.into());
        json!({"parameters": parameters, "timeframe": look.timeframe, "view": "events"})
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
                    text.push_str(&serde_json::to_string(found)?);
                    text.push('\n');
                }
                (None, Format::Table) => text.push_str(&event::line(found, self.terminal.paint)),
            }
        }
        Ok(print(&text)?)
    }
}

fn before_now_time(duration: Duration) -> Timestamp {
    Timestamp::from(std::time::SystemTime::now()).minus(duration)
}

fn before_now(duration: Duration) -> String {
    before_now_time(duration).to_string()
}

/// The dataset is not there yet: with `-f` it is waited for.
fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Problem>().is_some_and(|problem| problem.status == 404)
}

/// Waiting would not help: the query itself is wrong, or nobody reads what is shown.
fn lasts(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Problem>() {
        Some(problem) => matches!(problem.status, 400 | 413 | 415 | 422),
        None => error.downcast_ref::<std::io::Error>().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_asked_can_be_read_by_the_query_language() {
        let arguments = TailArgs {
            datasets: vec!["lambda-logs".to_owned()],
            service: Some("it's \"mine\"".to_owned()),
            namespace: Some("checkout".to_owned()),
            filters: vec!["@type = REPORT".to_owned()],
            regex: Some("a.c".to_owned()),
            ..TailArgs::default()
        };
        let place =
            crate::args::PlaceArgs { endpoint: Some("http://127.0.0.1:1".to_owned()), ..Default::default() };
        let tail = Tail {
            client: Client::open(&place).await.unwrap(),
            terminal: Terminal { width: 80, paint: crate::render::text::Paint::none() },
            arguments,
        };
        let now = Timestamp::from_millis(1_763_640_000_000);
        let look = Look {
            timeframe: json!({"from": now.minus(LATE_MAX).to_string(), "to": now.to_string()}),
            ingested_from: Some(now),
            order: "ASC",
            limit: PAGE as u64,
        };
        let query = query::from_json(&tail.body(&look), now).unwrap();
        assert_eq!(query.filter.conditions().len(), 4);
        assert_eq!(query.limit, 10_000);
        assert!(query.needle.is_some_and(|needle| needle.is_regex));
    }
}
