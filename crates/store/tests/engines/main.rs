//! The store's tables and our answers beside engines that we did not write.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::print_stdout,
    reason = "a test's own steps may fail it; its numbers are small"
)]

/// The language's own generator of filters.
#[path = "../../../query/tests/language/generate.rs"]
mod generate;
#[path = "../../src/engine/tests/drawn.rs"]
mod drawn;
mod tables;
mod questions;
mod comparison;
mod peer;
mod beside;
mod oracle;
mod athena;
mod readers;
