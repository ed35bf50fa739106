//! A question before anybody has read it. Reading one costs time that its text decides, so it is done in the turn and on
//! the threads of the query itself; what is wrong with it is then said as any other reason why there is no answer.

use model::Timestamp;
use query::yaml::Document;
use query::{Diagnostics, Query};
use serde_json::Value;

/// What was asked.
#[derive(Debug)]
pub(crate) enum Question {
    /// A query that we made ourselves.
    Ready(Box<Query>),
    /// One of the JSON forms.
    Json(Value),
    /// The text form.
    Text(String),
    /// A YAML document, and which of its queries.
    Document {
        /// The document.
        text: String,
        /// The query's name; the only one if it is not said.
        id: Option<String>,
    },
}

impl Question {
    /// The checked query; relative times are before `now`.
    pub(crate) fn read(self, now: Timestamp) -> Result<Query, Diagnostics> {
        match self {
            Self::Ready(query) => Ok(*query),
            Self::Json(json) => query::from_json(&json, now),
            Self::Text(text) => query::parse_text(&text, now),
            Self::Document { text, id } => {
                let document = Document::read(&text)?;
                let saved = document.query(id.as_deref()).map_err(Diagnostics::one)?;
                saved.read(now).map(|(query, _)| query)
            }
        }
    }
}
