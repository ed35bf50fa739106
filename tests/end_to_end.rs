//! End to end: the built programs against real runtimes, a real Kinesis API, a real S3 API and AWS's own clients.
//! `make test` installs the parts and says where they are; a part that is not there fails the test that needs it.

#![allow(unreachable_pub, reason = "one binary of many files: `pub` means for the other files")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "all of it is test code, also what is not inside a #[test]"
)]

mod support;

mod exactly_once;
mod kill;
mod disk_full;
mod foreign_clients;
mod foreign_extension;
mod emulator;
mod kinesis_api;
mod s3_api;
mod companion_function;
mod bad_input;
mod readme;
mod demo;
mod replay;
mod modes;
mod functions_file;
mod auto_instrumentation;
mod faults;
