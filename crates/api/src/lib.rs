#![doc = include_str!("../README.md")]

pub mod problem;
pub mod query_run;
pub mod trace;
pub mod sql;
pub mod dataset;
pub mod catalogue;
pub mod health;

pub use catalogue::{KeySet, Keys, ValueCount, Values};
pub use dataset::{Dataset, Datasets};
pub use health::Health;
pub use problem::{CONTENT_TYPE, Fault, Problem};
pub use query_run::{
    Aggregate, Bucket, Calculations, Explanation, Field, GroupFigures, QueryData, QueryResponse, QueryRun,
    Statement, Statistics,
};
pub use sql::{SqlColumn, SqlRequest, SqlResponse};
pub use trace::{TraceLog, TraceResponse, TraceSpan};
