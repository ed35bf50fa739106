//! What goes wrong on purpose, drawn from a seed so that a failure can be had again.

/// How often each fault happens. A chance is between 0 and 1 for each occasion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultPlan {
    /// The same seed draws the same faults at the same occasions.
    pub seed: u64,
    /// The chances.
    pub odds: Odds,
}

/// The chance of each fault at each of its occasions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Odds {
    /// During an invocation: everything is stopped for a while, as under CPU pressure.
    pub freeze: f64,
    /// After a telemetry POST that was answered: the same body again.
    pub redeliver: f64,
    /// Of a record: cut over two POSTs although it is smaller than `maxBytes`.
    pub cut: f64,
    /// During an invocation: the function is killed.
    pub kill_function: f64,
    /// During an invocation: an extension is killed.
    pub kill_extension: f64,
    /// At a thaw: the stop lasted long, so that all clocks have jumped forward.
    pub clock_jump: f64,
}

impl FaultPlan {
    /// No fault until odds are set.
    pub fn new(seed: u64) -> Self {
        Self { seed, odds: Odds::default() }
    }
}
