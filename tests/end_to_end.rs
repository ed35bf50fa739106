//! End to end: the built programs against real runtimes, a real Kinesis API, a real S3 API and AWS's own clients.
//! `make test` installs the parts and says where they are; a part that is not there fails the test that needs it.

// One binary of many files: `pub` means "for the other files".
#![allow(unreachable_pub)]

mod support;

mod exactly_once;
mod kill;
mod foreign_clients;
mod foreign_extension;
mod emulator;
mod kinesis_api;
mod s3_api;
mod companion_function;
mod bad_input;
