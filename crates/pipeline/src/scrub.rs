//! Takes out of signals what must not leave the sandbox. Runs before anything is batched, journalled or sent.

use model::{LogRecord, Metric, Span, SpanStatus};
use obfuscation::{Counts, Rule};

use crate::assemble::timed;
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
        let counts = self.rule.as_ref().map(|rule| scrub(rule, signals)).unwrap_or_default();
        shorten(signals);
        counts
    }
}

fn scrub(rule: &Rule, signals: &mut Signals) -> Counts {
    let mut counts = Counts::default();
    for log in &mut signals.logs {
        scrub_log(rule, log, &mut counts);
    }
    for span in &mut signals.spans {
        scrub_span(rule, span, &mut counts);
    }
    for Metric { name, attributes, .. } in &mut signals.metrics {
        counts.add(&rule.scrub_text(name));
        counts.add(&rule.scrub(attributes));
    }
    counts
}

/// Titles are cut only now: half a secret would not be known as one.
fn shorten(signals: &mut Signals) {
    signals.logs.iter_mut().filter_map(|log| log.error.as_mut()).for_each(parse::shorten_error);
    for span in &mut signals.spans {
        timed::shorten(span);
        if let SpanStatus::Error(error) = &mut span.status {
            parse::shorten_error(error);
        }
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
        counts.add(&rule.scrub_text(&mut event.name));
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
        assembler.accept(record("function", line.replace('\n', " ").into()), Timestamp::EPOCH)
    }

    fn record(kind: &str, record: serde_json::Value) -> Record {
        Record { time: String::new(), kind: kind.into(), record }
    }

    /// With an invocation that runs.
    fn started() -> Assembler {
        let mut assembler = Assembler::new(FunctionContext::default());
        let start = record("platform.start", serde_json::json!({"requestId": "r"}));
        assembler.accept(start, Timestamp::EPOCH);
        assembler
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
    fn a_title_is_cut_only_when_its_secrets_are_out() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let line = |before: usize| {
            format!(
                r#"{{"message":"{} {token}","error":"{} {token}","duration":5}}"#,
                "x".repeat(before),
                "y".repeat(1_010)
            )
        };
        let mut started = started();
        for before in [10, 100, 120, 127, 500] {
            let mut signals = started.accept(record("function", line(before).into()), Timestamp::EPOCH);
            assert!(signals.spans[0].name.contains("ghp_"), "{signals:?}");
            Scrubber::default().scrub(&mut signals);
            let (span, log) = (&signals.spans[0], &signals.logs[0]);
            assert!(span.name.len() <= 128 && log.error.as_ref().unwrap().len() <= 1_024, "{span:?}");
            assert!(!format!("{signals:?}").contains("ghp_"), "{signals:?}");
        }
    }

    #[test]
    fn names_are_scrubbed_too() {
        let event = model::SpanEvent {
            name: "login password=hunter2".into(),
            time: Timestamp::EPOCH,
            attributes: Map::new(),
        };
        let line = r#"{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"password=hunter2"}]}]},"password=hunter2":1}"#;
        let mut assembler = started();
        let mut signals = assembler.accept(record("function", line.into()), Timestamp::EPOCH);
        signals.append(assembler.close(crate::CloseReason::Spindown, Timestamp::EPOCH));
        signals.spans[0].events.push(event);
        Scrubber::default().scrub(&mut signals);
        assert!(!format!("{:?}{:?}", signals.spans, signals.metrics).contains("hunter2"), "{signals:?}");
    }

    #[test]
    fn it_can_be_off() {
        let mut signals = signals(r#"{"password":"hunter2"}"#);
        assert_eq!(Scrubber::new(None).scrub(&mut signals).total(), 0);
        assert_eq!(signals.logs[0].line.as_deref(), Some(r#"{"password":"hunter2"}"#));
    }
}
