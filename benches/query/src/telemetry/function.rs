//! The functions: who they are, how busy, when they fail.

use model::{Map, Resource};

use chance::mixed;

/// Services, and what the lines of each are about: the word under which a function's own keys stand.
pub(super) const SERVICES: [(&str, &str); 8] = [
    ("checkout", "payment"),
    ("catalogue", "search"),
    ("fulfilment", "shipping"),
    ("stock", "inventory"),
    ("accounts", "auth"),
    ("notifications", "email"),
    ("media", "image"),
    ("insights", "report"),
];
const TASKS: [&str; 5] = ["api", "worker", "stream", "cron", "webhook"];

const MINUTE_US: i64 = 60_000_000;
/// One minute in so many a function's dependency is down, if it is one of those that have such.
const BURST_EVERY: u64 = 97;

/// One function with one sandbox's counters.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) service: &'static str,
    pub(super) family: &'static str,
    /// Its part of all invocations.
    pub(super) share: f64,
    pub(super) memory_mb: i64,
    pub(super) batches: u64,
    pub(super) records: u64,
    pub(super) invocations: u64,
}

impl Function {
    /// All forty; the first has a fourth of the load, the last a hundredth of that.
    pub(super) fn all() -> Vec<Self> {
        let weight = |rank: usize| 1.0 / (rank as f64 + 1.0);
        let count = SERVICES.len() * TASKS.len();
        let all: f64 = (0..count).map(weight).sum();
        let function = |number: usize| {
            let (service, family) = SERVICES[number % SERVICES.len()];
            let task = TASKS[number / SERVICES.len()];
            Self {
                number: number as u64,
                name: format!("{service}-{task}"),
                service,
                family,
                share: weight(number) / all,
                memory_mb: [128, 256, 512, 1_024, 1_769][number % 5],
                batches: 0,
                records: 0,
                invocations: 0,
            }
        };
        (0..count).map(function).collect()
    }

    pub(super) fn resource(&self) -> Resource {
        Resource {
            namespace: self.name.clone(),
            service: self.service.to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            attributes: Map::from([("faas.version".to_owned(), "$LATEST".into())]),
        }
    }

    /// How often an invocation fails at this time.
    pub(super) fn failing(&self, at_us: i64) -> f64 {
        let minute = at_us.div_euclid(MINUTE_US).unsigned_abs();
        let burst = mixed(minute ^ (self.number << 40)).is_multiple_of(BURST_EVERY);
        if burst { 0.4 } else { 0.004 }
    }
}
