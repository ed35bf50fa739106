//! The language from the outside: what is read, what is refused and how, and the SQL that comes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's helpers fail the test")]

#[path = "language/forms.rs"]
mod forms;
#[path = "language/yaml.rs"]
mod yaml;
#[path = "language/faults.rs"]
mod faults;
#[path = "language/bounds.rs"]
mod bounds;
#[path = "language/statements.rs"]
mod statements;
#[path = "language/engines.rs"]
mod engines;
#[path = "language/generate.rs"]
mod generate;
#[path = "language/round_trip.rs"]
mod round_trip;

use model::Timestamp;
use query::{Diagnostics, Query};

/// The moment at which every test asks.
fn now() -> Timestamp {
    "2026-11-20T14:00:00Z".parse().unwrap()
}

fn text(text: &str) -> Query {
    query::parse_text(text, now()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn json(json: &serde_json::Value) -> Query {
    query::from_json(json, now()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn refused(text: &str) -> Diagnostics {
    query::parse_text(text, now()).expect_err(text)
}
