//! `GET /v1/tail`: the events that come, as server-sent events, or one page of them. Whoever comes back with the id of
//! the last event that it saw goes on right behind it: without gaps, without seeing one twice.

use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::{Problem, TailPage};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use model::Timestamp;
use query::{Query, View};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{Cursor, TailError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::answer::{json, problem, stopped};
use super::parameters::Parameters;
use crate::companion::Companion;

/// Between two looks: half of what a person notices.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A line now and then, so that nobody on the way takes the connection for dead.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(15);
/// Connections do not live for ever; browsers come back on their own, with the id of the last event.
const TAIL_TIME_MAX: Duration = Duration::from_hours(1);
const EVENT_STREAM: &str = "text/event-stream";

/// What stands behind the `?`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct About {
    /// The conditions, in ORL.
    text: String,
    /// Where to go on: the cursor of a page, or the id of an event.
    cursor: Option<String>,
}

/// Where somebody stands: so many events behind one cursor, of those up to another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    after: Cursor,
    until: Option<Cursor>,
    seen: usize,
}

pub(super) async fn get(
    State(companion): State<Companion>,
    Parameters(about): Parameters<About>,
    headers: HeaderMap,
) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let query = match query::parse_text(&about.text, Timestamp::from(SystemTime::now())) {
        Ok(query) if query.view == View::Events => query,
        Ok(_) => {
            let wrong = Problem::bad_request("a tail shows events");
            return problem(
                &wrong.hint("leave calculations and views out: /v1/tail?text=WHERE level = error"),
            );
        }
        Err(faults) => return problem(&Problem::from(&faults)),
    };
    let from = text(header::HeaderName::from_static("last-event-id")).or(about.cursor.as_deref());
    let place = match from.filter(|from| !from.is_empty()) {
        Some(from) => from.parse::<Place>(),
        None => match companion.store().tail_start(&query).await {
            Ok(after) => Ok(Place { after, ..Place::default() }),
            Err(error) => return super::answer::run_error(&error),
        },
    };
    let place = match place {
        Ok(place) => place,
        Err(wrong) => return problem(&wrong),
    };
    let tail = Tail { companion, query: Arc::new(query), place };
    let streams = text(header::ACCEPT).is_some_and(|accepted| accepted.contains(EVENT_STREAM));
    if streams { tail.stream().await } else { tail.page().await }
}

struct Tail {
    companion: Companion,
    query: Arc<Query>,
    place: Place,
}

impl Tail {
    /// The events from its place on, and the place behind them.
    async fn look(&mut self) -> Result<Vec<Map<String, Value>>, Box<Response>> {
        let (store, query, place) =
            (self.companion.store().clone(), Arc::clone(&self.query), self.place.clone());
        let work = async move { store.tail(&query, &place.after, place.until.as_ref()).await };
        let looked = self.companion.runs().in_turn(work).await.map_err(|why| Box::new(stopped(&why)))?;
        let (answer, reached) = looked.map_err(|error| Box::new(failed(&error)))?;
        let seen = self.place.seen.min(answer.events.len());
        let events = answer.events.into_iter().skip(seen).collect();
        let until = self.place.until.take().unwrap_or(reached);
        self.place = Place { after: until, ..Place::default() };
        Ok(events)
    }

    async fn page(mut self) -> Response {
        match self.look().await {
            Ok(events) => json(&TailPage { events, cursor: self.place.after.to_string() }),
            Err(refused) => *refused,
        }
    }

    async fn stream(self) -> Response {
        let Some(permit) = self.companion.tail_permit() else {
            return problem(&Problem::too_many("as many tails as there may be are open", 30));
        };
        let now = Instant::now();
        let mut feed = Feed {
            tail: self,
            pending: VecDeque::new(),
            began: now,
            said: now,
            over: false,
            _permit: permit,
        };
        // Before anything is said: whoever comes back to a place that is gone is told so by the status.
        if let Err(refused) = feed.look().await {
            return *refused;
        }
        let events = stream::unfold(feed, |mut feed| async move {
            feed.next().await.map(|event| (Ok::<_, std::convert::Infallible>(event), feed))
        });
        let mut response = Response::new(Body::from_stream(events));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What goes to one connection.
struct Feed {
    tail: Tail,
    pending: VecDeque<Bytes>,
    began: Instant,
    said: Instant,
    /// Whether there is nothing to wait for.
    over: bool,
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    /// The next thing to say; none when the connection is to end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.said = Instant::now();
                return Some(event);
            }
            if self.over || self.began.elapsed() > TAIL_TIME_MAX {
                return None;
            }
            if self.said.elapsed() > SIGN_OF_LIFE_EVERY {
                self.pending.push_back(Bytes::from_static(b": nothing new\n\n"));
                continue;
            }
            match self.look().await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(LOOK_EVERY).await,
                // It is told why when it comes back with its place.
                Err(_) => self.over = true,
            }
        }
    }

    /// Whether something came; the refusal if there is nothing to wait for.
    async fn look(&mut self) -> Result<bool, Box<Response>> {
        let (after, skipped) = (self.tail.place.after.clone(), self.tail.place.seen);
        let events = match self.tail.look().await {
            Ok(events) => events,
            // What is wrong with the question, or kept no longer, stays so.
            Err(refused) if is_final(refused.status()) => return Err(refused),
            // A busy moment or a store that does not answer now is waited out; the place stays.
            Err(_) => return Ok(false),
        };
        let until = self.tail.place.after.clone();
        for (at, event) in events.into_iter().enumerate() {
            let place = Place { after: after.clone(), until: Some(until.clone()), seen: skipped + at + 1 };
            let event = Value::Object(event);
            self.pending.push_back(format!("id: {place}\ndata: {event}\n\n").into());
        }
        Ok(!self.pending.is_empty())
    }
}

fn is_final(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS
}

fn failed(error: &TailError) -> Response {
    match error {
        TailError::Gone { .. } => problem(
            &Problem::gone(error.to_string())
                .hint("begin anew, without a cursor; POST /v1/query has what was"),
        ),
        TailError::NoLook { .. } => problem(
            &Problem::bad_request(error.to_string()).hint("go on with an id or a cursor as it was given"),
        ),
        TailError::Run(error) => super::answer::run_error(error),
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.until {
            Some(until) => write!(f, "{}/{until}/{}", self.after, self.seen),
            None => self.after.fmt(f),
        }
    }
}

impl FromStr for Place {
    type Err = Box<Problem>;

    fn from_str(text: &str) -> Result<Self, Box<Problem>> {
        let cursor = |text: &str| {
            text.parse::<Cursor>().map_err(|error| Box::new(Problem::bad_request(error.to_string())))
        };
        match text.split('/').collect::<Vec<_>>().as_slice() {
            [after] => Ok(Self { after: cursor(after)?, ..Self::default() }),
            [after, until, seen] => {
                let seen = seen
                    .parse()
                    .map_err(|_| Box::new(Problem::bad_request(format!("{text:?} is no event's id"))))?;
                Ok(Self { after: cursor(after)?, until: Some(cursor(until)?), seen })
            }
            _ => Err(Problem::bad_request(format!("{text:?} is neither a cursor nor an event's id")).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text() {
        for text in ["", "logs:3", "a.b:1,otel:2/a.b:3,otel:2/17", "/logs:0/1"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in ["logs", "logs:1/2", "a:1/b:2/x", "a:1/b:2/3/4"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
