//! How often each fault struck: what was drawn may find nothing to strike. A test that asks for faults looks here whether
//! it had any.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts that all environments of a function share.
#[derive(Debug, Clone, Default)]
pub struct Strikes(Arc<Mutex<BTreeMap<&'static str, u64>>>);

/// A fault's word in the counts.
pub mod word {
    /// Everything stopped in mid-invocation.
    pub const FREEZE: &str = "freeze";
    /// Everything stopped around a message.
    pub const STOP: &str = "stop around a message";
    /// A POST came twice.
    pub const REDELIVERY: &str = "redelivery";
    /// A record was cut over two POSTs.
    pub const CUT: &str = "cut";
    /// The function was killed.
    pub const KILLED_FUNCTION: &str = "killed function";
    /// An extension was killed.
    pub const KILLED_EXTENSION: &str = "killed extension";
    /// Clocks jumped, or everything stopped for seconds.
    pub const CLOCK_JUMP: &str = "clock jump";
}

impl Strikes {
    pub(crate) fn count(&self, fault: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(fault).or_default() += 1;
    }

    /// So far, by [word].
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
