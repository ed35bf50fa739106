//! Seeds that a person may choose: a run that failed is had again with its seed.

/// `LIMELIGHT_FAULT_SEED`, or this one.
pub fn of_run(default: u64) -> u64 {
    setting("LIMELIGHT_FAULT_SEED", default)
}

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a whole number: {text}")),
        Err(_) => default,
    }
}
