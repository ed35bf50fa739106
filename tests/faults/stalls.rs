//! How long this machine keeps a ready thread waiting: what a figure of time may be off by, measured beside it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// As short as sleeps get; a shared machine's stalls are tens of milliseconds.
const NAP: Duration = Duration::from_millis(1);
/// What a nap takes longer on an idle machine.
const USUAL: Duration = Duration::from_micros(500);

/// A gauge that runs until it is dropped.
pub struct Stalls {
    seen: Arc<Mutex<Vec<(Instant, Duration)>>>,
    stop: Arc<AtomicBool>,
}

impl Stalls {
    pub fn watch() -> Self {
        let stalls = Self { seen: Arc::default(), stop: Arc::default() };
        let (seen, stop) = (stalls.seen.clone(), stalls.stop.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let asleep = Instant::now();
                std::thread::sleep(NAP);
                let late = asleep.elapsed().saturating_sub(NAP);
                if late > USUAL {
                    seen.lock().unwrap().push((asleep, late));
                }
            }
        });
        stalls
    }

    /// The longest one since then.
    pub fn longest_since(&self, since: Instant) -> Duration {
        let seen = self.seen.lock().unwrap();
        seen.iter().rev().take_while(|(at, _)| *at >= since).map(|(_, late)| *late).max().unwrap_or_default()
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
