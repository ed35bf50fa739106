//! Answers as text for a terminal: pure functions from data, a width and colours to a string.
//!
//! Invariant: whatever came from telemetry passes [`text::visible`] before it is in a string that these return; it
//! was written by whoever sent the request that was logged.

pub mod text;
pub mod json;
pub mod number;
pub mod table;
pub mod times;
pub mod chart;
pub mod heatmap;
pub mod waterfall;
pub mod event;
pub mod problem;
