//! What happens by the clock while something is awaited: memory is looked at, drawn faults strike.

use std::time::{Duration, Instant};

use super::{Environment, Failure};
use crate::fault::{Blow, Dice, Stop, word};
use crate::process::Process;
use crate::process::memory::{Memory, of_tree};
use crate::telemetry::Tempo;

/// How often memory is looked at. A look costs some 0.1 ms per process.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is due and what has been seen.
#[derive(Debug)]
pub(crate) struct Watchman {
    limit_bytes: u64,
    look_at: Instant,
    /// The most that all processes held at a time.
    pub(crate) peak_bytes: u64,
    /// A fault that will strike in this invocation.
    pub(crate) blow: Option<(Instant, Blow)>,
    /// When a fault's freeze begins that follows a message, and how long it lasts.
    stop: Option<(Instant, Duration)>,
    /// When a fault's freeze ends.
    thaw_at: Option<Instant>,
}

impl Watchman {
    pub(super) fn new(memory_mb: u32) -> Self {
        Self {
            limit_bytes: u64::from(memory_mb) << 20,
            look_at: Instant::now(),
            peak_bytes: 0,
            blow: None,
            stop: None,
            thaw_at: None,
        }
    }

    /// The peak in whole megabytes, at most the limit, as reports have it.
    pub(crate) fn peak_mb(&self) -> u64 {
        self.peak_bytes.min(self.limit_bytes).div_ceil(1 << 20)
    }
}

impl Watchman {
    /// Nothing strikes any more. Says whether a fault's freeze was going on.
    pub(crate) fn calm(&mut self) -> bool {
        (self.blow, self.stop) = (None, None);
        self.thaw_at.take().is_some()
    }
}

impl Environment {
    /// Says something to the sandbox's processes. If that is drawn, everything stops just before it or just after it.
    pub(crate) fn around(&mut self, say: impl FnOnce(&mut Self)) {
        let stop = self.dice.as_mut().and_then(Dice::stop);
        if let Some(Stop::Before(length)) = stop {
            self.stop(length, word::STOP);
        }
        say(self);
        if let Some(Stop::After { pause, length }) = stop {
            self.watchman.stop = Some((Instant::now() + pause, length));
        }
    }

    /// Everything stops for so long, if it is at work. A stop that is going on goes on as it would have.
    pub(super) fn stop(&mut self, length: Duration, fault: &'static str) {
        let is_open = self.current.is_some() || !self.serving.is_empty();
        if (is_open || !self.initialized || self.ending.is_some()) && !self.frozen {
            tracing::debug!(
                function = self.function.config.name,
                instance = self.instance,
                ?length,
                "a stop"
            );
            self.function.config.strikes.count(fault);
            self.freeze();
            self.watchman.thaw_at = Some(Instant::now() + length);
        }
    }

    /// Does what is due and says when to come again.
    pub(super) fn watch(&mut self, now: Instant) -> Option<Instant> {
        if let Some(thaw_at) = self.watchman.thaw_at {
            if now < thaw_at {
                return Some(thaw_at);
            }
            self.watchman.thaw_at = None;
            self.thaw(if self.ending.is_some() { Tempo::Closing } else { Tempo::Normal });
        }
        if let Some((_, length)) = self.watchman.stop.take_if(|(at, _)| *at <= now) {
            self.stop(length, word::STOP);
        }
        if let Some((_, blow)) = self.watchman.blow.take_if(|(at, _)| *at <= now) {
            self.strike(blow);
        }
        if now >= self.watchman.look_at {
            self.watchman.look_at = now + LOOK_EVERY;
            self.look_at_memory();
        }
        let (blow, stop) = (self.watchman.blow.map(|(at, _)| at), self.watchman.stop.map(|(at, _)| at));
        let due = [Some(self.watchman.look_at), blow, stop, self.watchman.thaw_at];
        due.into_iter().flatten().min()
    }

    fn strike(&mut self, blow: Blow) {
        tracing::info!(
            function = self.function.config.name,
            instance = self.instance,
            ?blow,
            "a fault strikes"
        );
        match blow {
            Blow::Freeze(length) => self.stop(length, word::FREEZE),
            Blow::KillFunction => {
                self.function.config.strikes.count(word::KILLED_FUNCTION);
                self.runtime.iter().for_each(Process::kill);
            }
            Blow::KillExtension => {
                self.function.config.strikes.count(word::KILLED_EXTENSION);
                self.agents.iter().filter_map(|agent| agent.process.as_ref()).take(1).for_each(Process::kill)
            }
        }
    }

    /// Updates the peak. Over the limit the runtime is killed, as the kernel usually chooses.
    pub(crate) fn look_at_memory(&mut self) {
        let held =
            self.processes().map(|process| of_tree(process.pid())).fold(Memory::default(), Memory::plus);
        self.watchman.peak_bytes = self.watchman.peak_bytes.max(held.resident_bytes).max(held.peak_bytes);
        if held.resident_bytes > self.watchman.limit_bytes && self.runtime.is_some() {
            self.runtime.iter().for_each(Process::kill);
            self.fail(Failure::new("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"));
        }
    }
}
