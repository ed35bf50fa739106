//! The store from outside: the same promises in every place, and a naive model beside it.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test's own steps may fail it; its numbers are small"
)]

mod support;
mod conformance;
mod reference;
mod faults;
mod mortal;
mod storm;
mod promises;
mod upkeep;
