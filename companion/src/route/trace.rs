//! `GET /v1/traces/{id}`: everything with one trace id, put together.

use std::time::{Duration, SystemTime};

use api::Problem;
use axum::extract::State;
use axum::response::Response;
use model::{Timestamp, TraceId};
use query::{Query, Timeframe};

use super::answer::{json, problem, stopped};
use super::assemble::assemble;
use super::parameters::Named;
use super::run::RunId;
use crate::companion::Companion;
use crate::engines::Choice;
use crate::question::Question;

/// Clocks of sandboxes may run ahead.
const AHEAD: Duration = Duration::from_secs(24 * 3_600);

pub(super) async fn get(State(companion): State<Companion>, Named(text): Named) -> Response {
    let id: TraceId = match text.parse().or_else(|error| TraceId::from_xray(&text).map_err(|_| error)) {
        Ok(id) => id,
        Err(error) => {
            let hint = "as 58406520a006649127e371903a2de979, or X-Ray's 1-58406520-a006649127e371903a2de979";
            return problem(&Problem::bad_request(error.to_string()).hint(hint));
        }
    };
    let now = Timestamp::from(SystemTime::now());
    let query = Query::trace(id, Timeframe { from: Timestamp::EPOCH, to: now.plus(AHEAD) });
    let question = Question::Ready(Box::new(query));
    let run =
        companion.runs().run(RunId::new().as_str(), &companion, question, Some(Choice::Embedded), now).await;
    let (query, answer) = match run {
        Ok(answered) => answered,
        Err(why) => return problem(&stopped(&why)),
    };
    if answer.events.is_empty() {
        let detail = format!("nothing has the trace id {id}");
        let hint =
            "what was printed a moment ago may still be on its way; traces of the last hour: VIEW traces";
        return problem(&Problem::not_found(detail).hint(hint));
    }
    let whole = u64::try_from(answer.events.len()).unwrap_or(u64::MAX) < query.limit;
    let mut trace = assemble(id, answer.events);
    if !whole {
        trace.notes.push(format!("only the first {} events of the trace are shown", query.limit));
    }
    json(&trace)
}
