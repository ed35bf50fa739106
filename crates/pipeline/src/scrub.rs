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

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_api::telemetry::Record;
    use model::{Map, Timestamp, Value};
    use obfuscation::MASK;

    use crate::{Assembler, FunctionContext};

    #[test]
    fn logs_and_metrics_are_scrubbed_and_counted() {
        let line = r#"{"message":"login","author":"Ada","headers":{"Authorization":"Bearer x"},"sourceIp":"192.0.2.1",
            "_aws":{"CloudWatchMetrics":[{"Dimensions":[["apiKey"]],"Metrics":[{"Name":"n"}]}]},"apiKey":"k","n":1}"#;
        let mut assembler = Assembler::new(FunctionContext {
            initialization_type: "provisioned-concurrency".into(),
            ..FunctionContext::default()
        });
        let record =
            Record { time: String::new(), kind: "function".into(), record: line.replace('\n', " ").into() };
        let mut signals = assembler.accept(record, Timestamp::EPOCH);
        assert_eq!(Scrubber::default().scrub(&mut signals), 4);
        let body = &signals.logs[0].body;
        assert_eq!(body["author"], Value::from("Ada"));
        assert_eq!(body["headers"], Value::Object(Map::from([("Authorization".to_owned(), MASK.into())])));
        assert_eq!(signals.metrics[0].attributes["apiKey"], Value::from(MASK));
        assert_eq!(Scrubber::default().scrub(&mut signals), 0);
    }
}
