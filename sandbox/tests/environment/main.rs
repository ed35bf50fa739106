//! Environments with real processes: a runtime client and an extension of a few lines of Python.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value)]

mod scene;

mod life;
mod ahead;
mod managed;
mod oracle;
mod invocation;
mod telemetry;
mod faults;
mod clients;
