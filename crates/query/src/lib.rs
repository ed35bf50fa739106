#![doc = include_str!("../README.md")]

pub mod diagnostic;
pub mod time;
pub mod zone;
pub mod pattern;
pub mod column;
pub mod envelope;
pub mod calculation;
pub mod arithmetic;
pub mod formula;
pub mod heatmap;
pub mod ast;
mod operation;
mod check;
mod draft;
mod lexer;
mod parser;
mod text;
mod json;
pub mod yaml;
pub mod sql;
pub mod plan;
pub mod answer;
pub mod runner;

pub use answer::{
    Aggregate, Answer, Bucket, Explanation, Field, Figures, GroupFigures, Groups, HeatmapColumn,
    HeatmapFigures, Statement, Statistics,
};
pub use arithmetic::{Arithmetic, Function, Sign};
pub use ast::{
    Comparison, Condition, Fact, FactKind, Filter, Group, Key, Literal, Needle, Order, OrderBy, Query, Test,
    Timeframe, View, Whole,
};
pub use calculation::{Calculation, Operator};
pub use column::{Column, ColumnKind};
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use envelope::Envelope;
pub use formula::{Derived, Formula, Having, Relation, Term};
pub use heatmap::{Heatmap, Scale};
pub use plan::{GroupValue, Plan, Table};
pub use runner::{RunError, Runner};
pub use zone::Zone;

use model::Timestamp;

/// Reads the one-line text form; times relative to now are resolved with `now`.
///
/// # Errors
/// Everything that is wrong with the text, each with its place and, where one is known, a hint.
pub fn parse_text(text: &str, now: Timestamp) -> Result<Query, Diagnostics> {
    parser::parse(text, now)
}

/// Reads the JSON forms: a query run (`{"parameters": {…}, "timeframe": …}`), a query's parameters at the root, or
/// `{"text": "<one line>"}`.
///
/// # Errors
/// Everything that is wrong with it, each with the key it stands under.
pub fn from_json(json: &serde_json::Value, now: Timestamp) -> Result<Query, Diagnostics> {
    read_json(json, now).map(|(query, _)| query)
}

/// As [`from_json`], and what is spelled as it was in earlier years of the language, with today's spelling: for whoever
/// keeps the text and can change it.
///
/// # Errors
/// As [`from_json`].
pub fn read_json(json: &serde_json::Value, now: Timestamp) -> Result<(Query, Vec<Diagnostic>), Diagnostics> {
    json::read(json, now)
}
