//! What the behaviours share: the built programs, the parts that we did not write, and a running `limelight dev`,
//! and faults on purpose.

pub mod programs;
pub mod parts;
pub mod namespace;
pub mod small_disk;
pub mod dev;
pub mod lines;
pub mod stream;
pub mod processes;
pub mod emulator;
pub mod seed;
pub mod fault_proxy;
