//! What the behaviours share: the built programs, the parts that we did not write, and a running `limelight dev`.

pub mod programs;
pub mod parts;
pub mod dev;
pub mod lines;
pub mod stream;
pub mod processes;
pub mod emulator;
