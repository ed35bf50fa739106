//! Faults on purpose, for the tests that prove what a panic costs: with `LIMELIGHT_FAULT_AT=mirror:2` the second pass
//! through that place panics, with `mirror:1-99` the first ninety-nine do. Builds without debug assertions (all that
//! ship) have nothing of it: `layer/pack.py` looks for the variable's name in what it packs.

/// Where a fault can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The collector takes a delivery.
    Collector,
    /// A record is put through its stages.
    Intake,
    /// Events become a batch.
    Seal,
    /// The exporter deals with an answer, the batches in its hands.
    Exporter,
    /// The task that sends a request.
    Request,
    /// A connection of the application's SDK.
    Otlp,
    /// The proxy's copy of an event or response.
    Copy,
    /// The mirror deals with an answer.
    Mirror,
}

#[cfg(debug_assertions)]
pub(crate) use set::pass;

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) const fn pass(_: Place) {}

#[cfg(debug_assertions)]
mod set {
    use std::ops::RangeInclusive;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Place;

    const VARIABLE: &str = "LIMELIGHT_FAULT_AT";

    /// What the environment asks for.
    struct Fault {
        place: Place,
        passes: RangeInclusive<u32>,
        passed: AtomicU32,
    }

    /// Panics if this pass is one of those that were asked for.
    #[expect(clippy::panic, reason = "that is what it is for")]
    pub(crate) fn pass(place: Place) {
        static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
        let fault = FAULT.get_or_init(|| Fault::read(&std::env::var(VARIABLE).ok()?));
        let Some(fault) = fault.as_ref().filter(|fault| fault.place == place) else { return };
        let pass = 1 + fault.passed.fetch_add(1, Ordering::Relaxed);
        if fault.passes.contains(&pass) {
            panic!("a fault on purpose");
        }
    }

    impl Fault {
        fn read(text: &str) -> Option<Self> {
            let (place, passes) = text.split_once(':')?;
            let place = match place {
                "collector" => Place::Collector,
                "intake" => Place::Intake,
                "seal" => Place::Seal,
                "exporter" => Place::Exporter,
                "request" => Place::Request,
                "otlp" => Place::Otlp,
                "copy" => Place::Copy,
                "mirror" => Place::Mirror,
                _ => return None,
            };
            let (first, last) = passes.split_once('-').unwrap_or((passes, passes));
            let passes = first.parse().ok()?..=last.parse().ok()?;
            Some(Self { place, passes, passed: AtomicU32::new(0) })
        }
    }
}
