//! The limelight command.
fn main() {}
