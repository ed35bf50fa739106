#![doc = include_str!("../README.md")]

pub mod problem;
pub mod page;
pub mod heatmap;
pub mod query_run;
pub mod trace;
pub mod tail;
pub mod sql;
pub mod dataset;
pub mod catalogue;
pub mod health;
pub mod openapi;

pub use catalogue::{KeySet, Keys, ValueCount, Values};
pub use dataset::{Dataset, Datasets};
pub use health::Health;
pub use heatmap::Heatmap;
pub use page::{Cursor, LIMIT_DEFAULT, LIMIT_MAX, page};
pub use problem::{CONTENT_TYPE, Fault, Problem};
pub use query_run::{
    Aggregate, Bucket, Calculations, Explanation, Field, GroupFigures, KeptRun, QueryData, QueryResponse,
    QueryRun, QueryRuns, Statement, Statistics,
};
pub use sql::{SqlColumn, SqlRequest, SqlResponse};
pub use tail::TailPage;
pub use trace::{CriticalPath, PathShare, TraceLog, TraceResponse, TraceSpan};
