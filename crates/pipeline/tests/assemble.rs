//! Whole sequences of platform records, and everything that they become. The snapshots are the data format that
//! queries are written against: a change of one is a change for users.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's helpers fail the test")]

#[path = "assemble/support.rs"]
mod support;
#[path = "assemble/course.rs"]
mod course;
#[path = "assemble/start_up.rs"]
mod start_up;
#[path = "assemble/restore.rs"]
mod restore;
#[path = "assemble/failure.rs"]
mod failure;
#[path = "assemble/lines.rs"]
mod lines;
#[path = "assemble/overlap.rs"]
mod overlap;
