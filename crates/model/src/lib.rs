#![doc = include_str!("../README.md")]

pub mod id;
pub mod time;
pub mod value;
pub mod path;
pub mod resource;
pub mod span;
pub mod log;
pub mod metric;
pub mod event;

pub use event::{Event, Kind};
pub use id::{BatchId, EventId, SpanId, TraceId};
pub use log::{Level, LogRecord};
pub use metric::{Buckets, Counter, ExponentialCounts, Histogram, Metric, MetricKind, Temporality};
pub use path::Path;
pub use resource::Resource;
pub use span::{Span, SpanEvent, SpanKind, SpanLink, SpanStatus, TraceContext};
pub use time::Timestamp;
pub use value::{Map, Value};
