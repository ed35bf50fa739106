//! The store from outside: the same promises in every place, and a naive model beside it.
#![allow(clippy::unwrap_used, reason = "a test's own steps may fail it")]

mod support;
mod conformance;
mod reference;
mod faults;
