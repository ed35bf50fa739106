//! End to end with the built programs.
