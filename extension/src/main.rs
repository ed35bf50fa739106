//! The extension program.
fn main() {}
