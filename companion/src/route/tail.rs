//! `GET /v1/tail`: the events that come, as server-sent events, or one page of them. Whoever comes back with the id of
//! the last event that it saw goes on right behind it: without gaps, without seeing one twice.

mod place;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::{Problem, TailPage};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use futures::stream;
use http::{HeaderMap, HeaderValue, header};
use model::Timestamp;
use query::{Query, View};
use serde::Deserialize;
use serde_json::{Map, Value};
use store::TailError;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use self::place::Place;
use super::answer::{json, problem, run_error, stopped};
use super::parameters::Parameters;
use crate::companion::Companion;
use crate::question::Question;

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

pub(super) async fn get(
    State(companion): State<Companion>,
    Parameters(about): Parameters<About>,
    headers: HeaderMap,
) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let from = text(header::HeaderName::from_static("last-event-id")).map(str::to_owned).or(about.cursor);
    let streams = text(header::ACCEPT).is_some_and(|accepted| accepted.contains(EVENT_STREAM));
    match Tail::open(companion, about.text, from.filter(|from| !from.is_empty())).await {
        Ok(tail) if streams => tail.stream().await,
        Ok(tail) => tail.page().await,
        Err(wrong) => problem(&wrong),
    }
}

struct Tail {
    companion: Companion,
    query: Arc<Query>,
    place: Place,
}

impl Tail {
    /// From a place on that somebody was at, or from now on.
    async fn open(companion: Companion, text: String, from: Option<String>) -> Result<Self, Box<Problem>> {
        let (store, now) = (companion.store().clone(), Timestamp::from(SystemTime::now()));
        let work = async move {
            let query = events(Question::Text(text), now)?;
            let place = match from {
                Some(from) => from.parse()?,
                None => {
                    let after = store.tail_start(&query).await.map_err(|error| run_error(&error))?;
                    Place { after, ..Place::default() }
                }
            };
            Ok((query, place))
        };
        let opened = companion.runs().look(work).await.map_err(|why| stopped(&why))?;
        opened.map(|(query, place)| Self { companion, query: Arc::new(query), place })
    }

    /// The events from its place on, and the place behind them.
    async fn look(&mut self) -> Result<Vec<Map<String, Value>>, Box<Problem>> {
        let (store, query, place) =
            (self.companion.store().clone(), Arc::clone(&self.query), self.place.clone());
        let work = async move { store.tail(&query, &place.after, place.until.as_ref()).await };
        let looked = self.companion.runs().look(work).await.map_err(|why| stopped(&why))?;
        let (answer, reached) = looked.map_err(|error| failed(&error))?;
        let seen = self.place.seen.min(answer.events.len());
        let events = answer.events.into_iter().skip(seen).collect();
        let until = self.place.until.take().unwrap_or(reached);
        self.place = Place { after: until, ..Place::default() };
        Ok(events)
    }

    async fn page(mut self) -> Response {
        match self.look().await {
            Ok(events) => json(&TailPage { events, cursor: self.place.cursor() }),
            Err(wrong) => problem(&wrong),
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
            failing: false,
            over: false,
            _permit: permit,
        };
        // Before anything is said: whoever comes back to a place that is gone is told so by the status.
        if let Err(last) = feed.look().await {
            return problem(&last);
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
    /// Whether the last look failed.
    failing: bool,
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
                Ok(false) if !self.pending.is_empty() => {}
                Ok(false) => tokio::time::sleep(LOOK_EVERY).await,
                // The last word; whoever comes back to this place is told so by the status.
                Err(last) => {
                    self.tell(&last);
                    self.over = true;
                }
            }
        }
    }

    /// Whether something came; why not, if there is nothing to wait for.
    async fn look(&mut self) -> Result<bool, Box<Problem>> {
        let (after, skipped) = (self.tail.place.after.clone(), self.tail.place.seen);
        let events = match self.tail.look().await {
            Ok(events) => events,
            // What is wrong with the question, or kept no longer, stays so.
            Err(problem) if is_final(&problem) => return Err(problem),
            // A busy moment or a store that does not answer now is waited out; the place stays.
            Err(problem) => {
                if !self.failing {
                    self.tell(&problem);
                }
                self.failing = true;
                return Ok(false);
            }
        };
        self.failing = false;
        let until = self.tail.place.after.clone();
        for (at, event) in events.into_iter().enumerate() {
            let place = Place { after: after.clone(), until: Some(until.clone()), seen: skipped + at + 1 };
            let event = Value::Object(event);
            self.pending.push_back(format!("id: {place}\ndata: {event}\n\n").into());
        }
        Ok(!self.pending.is_empty())
    }

    /// What stands in the way, as an event of its own.
    fn tell(&mut self, problem: &Problem) {
        let told = serde_json::to_string(problem).unwrap_or_default();
        self.pending.push_back(format!("event: problem\ndata: {told}\n\n").into());
    }
}

fn is_final(problem: &Problem) -> bool {
    (400..500).contains(&problem.status) && problem.status != 429
}

/// The query, if it is one for events.
fn events(question: Question, now: Timestamp) -> Result<Query, Box<Problem>> {
    let query = question.read(now).map_err(|faults| Problem::from(&faults))?;
    if query.view == View::Events {
        return Ok(query);
    }
    let wrong = Problem::bad_request("a tail shows events");
    Err(wrong.hint("leave calculations and views out: /v1/tail?text=WHERE level = error").into())
}

fn failed(error: &TailError) -> Problem {
    match error {
        TailError::Gone { .. } => {
            Problem::gone(error.to_string()).hint("begin anew, without a cursor; POST /v1/query has what was")
        }
        TailError::NoLook { .. } => {
            Problem::bad_request(error.to_string()).hint("go on with an id or a cursor as it was given")
        }
        TailError::Run(error) => run_error(error),
    }
}
