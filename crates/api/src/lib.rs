#![doc = include_str!("../README.md")]

pub mod problem;
pub mod query_run;
pub mod trace;
pub mod dataset;
pub mod health;

pub use dataset::{Dataset, Datasets};
pub use health::Health;
pub use problem::{CONTENT_TYPE, Fault, Problem};
pub use query_run::{
    Aggregate, Bucket, Calculations, Field, GroupFigures, QueryData, QueryResponse, QueryRun, Statistics,
};
pub use trace::{TraceLog, TraceResponse, TraceSpan};
