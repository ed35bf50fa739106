//! The three fronts before a real process that speaks the Runtime API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod event_source;
mod http_front;
mod invoke_api;
mod kinesis;
mod stage;
