//! Takes out of signals what must not leave the sandbox. Runs before anything is batched, journalled or sent.

use model::{LogRecord, Metric, Span, SpanStatus};
use obfuscation::{Counts, Rule};

use crate::{Signals, parse};

/// Applies one obfuscation rule to everything that is shipped; or nothing, if a team wants that.
#[derive(Debug, Clone)]
pub struct Scrubber {
    rule: Option<Rule>,
}

impl Default for Scrubber {
    /// With the default rule: nobody has to ask for protection.
    fn default() -> Self {
        Self::new(Some(Rule::default()))
    }
}

impl Scrubber {
    /// A scrubber for `rule`; without one it leaves everything as it is.
    pub fn new(rule: Option<Rule>) -> Self {
        Self { rule }
    }

    /// Scrubs in place; returns how many values were taken out or masked, by reason.
    pub fn scrub(&self, signals: &mut Signals) -> Counts {
        let mut counts = Counts::default();
        let Some(rule) = &self.rule else { return counts };
        for log in &mut signals.logs {
            scrub_log(rule, log, &mut counts);
        }
        for span in &mut signals.spans {
            scrub_span(rule, span, &mut counts);
        }
        for Metric { attributes, .. } in &mut signals.metrics {
            counts.add(&rule.scrub(attributes));
        }
        counts
    }
}

/// The error is often a copy of a part of the body; it is counted again, because it is there twice.
fn scrub_log(rule: &Rule, log: &mut LogRecord, counts: &mut Counts) {
    if let Some(line) = &mut log.line {
        let json = parse::json_range(line);
        counts.add(&rule.scrub_line(line, json));
    }
    counts.add(&rule.scrub(&mut log.body));
    if let Some(error) = &mut log.error {
        counts.add(&rule.scrub_text(error));
    }
}

fn scrub_span(rule: &Rule, span: &mut Span, counts: &mut Counts) {
    counts.add(&rule.scrub(&mut span.attributes));
    counts.add(&rule.scrub_text(&mut span.name));
    if let SpanStatus::Error(message) = &mut span.status {
        counts.add(&rule.scrub_text(message));
    }
    for event in &mut span.events {
        counts.add(&rule.scrub(&mut event.attributes));
    }
    for link in &mut span.links {
        counts.add(&rule.scrub(&mut link.attributes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_api::telemetry::Record;
    use model::{Map, Timestamp, Value};
    use obfuscation::{MASK, Reason};

    use crate::{Assembler, FunctionContext};

    fn signals(line: &str) -> Signals {
        let mut assembler = Assembler::new(FunctionContext {
            initialization_type: "provisioned-concurrency".into(),
            ..FunctionContext::default()
        });
        let record = Record {
            time: String::new(),
            kind: "function".into(),
            record: serde_json::Value::from(line.replace('\n', " ")),
        };
        assembler.accept(record, Timestamp::EPOCH)
    }

    #[test]
    fn logs_and_metrics_are_scrubbed_and_counted() {
        let line = r#"{"message":"login with password=hunter2","author":"Ada","headers":{"Authorization":"Bearer x"},
            "sourceIp":"192.0.2.1",
            "_aws":{"CloudWatchMetrics":[{"Dimensions":[["apiKey"]],"Metrics":[{"Name":"n"}]}]},"apiKey":"k","n":1}"#;
        let mut signals = signals(line);
        let counts = Scrubber::default().scrub(&mut signals);
        assert_eq!((counts.total(), counts.of(Reason::Key), counts.of(Reason::Assignment)), (5, 4, 1));
        let body = parse::line(signals.logs[0].line.as_deref().unwrap()).body;
        assert_eq!(body["author"], Value::from("Ada"));
        assert_eq!(body["message"], Value::from("login with password=[scrubbed]"));
        assert_eq!(body["headers"], Value::Object(Map::from([("Authorization".to_owned(), MASK.into())])));
        assert_eq!(signals.metrics[0].attributes["apiKey"], Value::from(MASK));
        assert_eq!(Scrubber::default().scrub(&mut signals).total(), 0);
    }

    #[test]
    fn an_errors_text_is_scrubbed_wherever_it_went() {
        let mut signals = signals(r#"{"level":"error","error":"refused postgres://app:hunter2@db/x"}"#);
        Scrubber::default().scrub(&mut signals);
        assert!(!format!("{signals:?}").contains("hunter2"), "{signals:?}");
    }

    #[test]
    fn it_can_be_off() {
        let mut signals = signals(r#"{"password":"hunter2"}"#);
        assert_eq!(Scrubber::new(None).scrub(&mut signals).total(), 0);
        assert_eq!(signals.logs[0].line.as_deref(), Some(r#"{"password":"hunter2"}"#));
    }
}
