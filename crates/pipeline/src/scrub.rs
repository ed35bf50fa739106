//! Takes out of signals what must not leave the sandbox. Runs before anything is batched, journalled or sent.

use obfuscation::Rule;

use crate::Signals;

/// Applies one obfuscation rule to everything that is shipped.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    rule: Rule,
}

impl Scrubber {
    /// A scrubber for `rule`.
    pub fn new(rule: Rule) -> Self {
        Self { rule }
    }

    /// Scrubs in place; returns how many values were taken out or masked.
    pub fn scrub(&self, signals: &mut Signals) -> u64 {
        let mut count = 0;
        for log in &mut signals.logs {
            count += self.rule.apply(&mut log.body);
        }
        for span in &mut signals.spans {
            count += self.rule.apply(&mut span.attributes);
            for event in &mut span.events {
                count += self.rule.apply(&mut event.attributes);
            }
            for link in &mut span.links {
                count += self.rule.apply(&mut link.attributes);
            }
        }
        for metric in &mut signals.metrics {
            count += self.rule.apply(&mut metric.attributes);
        }
        count
    }
}
