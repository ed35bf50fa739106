//! The three fronts before a real process that speaks the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod event_source;
mod http_front;
mod invoke_api;
mod kinesis;
mod queue;
mod stage;
mod streaming;
