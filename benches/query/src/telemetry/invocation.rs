//! One invocation: what Lambda says of it, its span, its lines; shaped as the extension ships them.

use model::{Level, LogRecord, Map, Span, SpanId, SpanKind, SpanStatus, Timestamp, TraceId, Value};

use super::function::Function;
use super::line::{self, Moment};
use chance::{Chance, mixed};

/// Lines of one invocation.
const LINES_MIN: u64 = 4;
const LINES_SPREAD: u64 = 25;
const USERS: u64 = 200_000;
const COLD_EVERY: u64 = 400;

/// What all records of an invocation share.
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) trace_id: Option<TraceId>,
    pub(super) span_id: Option<SpanId>,
    pub(super) user: u64,
    pub(super) order: u64,
    pub(super) cold: bool,
    pub(super) failed: bool,
    pub(super) duration_ms: f64,
}

impl Invocation {
    fn new(function: &Function, chance: &mut Chance, start_us: i64) -> Self {
        let unique = mixed((function.number << 48) | function.invocations);
        let (high, low) = (unique, mixed(unique));
        let failed = chance.happens(function.failing(start_us));
        // Most are quick, some are not: the fourth power of an even spread.
        let slow = chance.part().powi(4);
        let duration_ms = 3.0 + slow * 2_500.0 + if failed { 3_000.0 } else { 0.0 };
        // A third of all that happens is by one user in a hundred.
        let user = if chance.happens(0.33) { chance.below(USERS / 100) } else { chance.below(USERS) };
        Self {
            request_id: uuid(high, low),
            trace_id: TraceId::from_bytes(((u128::from(low) << 64) | u128::from(high)).to_be_bytes()),
            span_id: SpanId::from_bytes(mixed(low).to_be_bytes()),
            user,
            order: function.invocations * 41 + function.number,
            cold: function.invocations.is_multiple_of(COLD_EVERY),
            failed,
            duration_ms: (duration_ms * 100.0).round() / 100.0,
        }
    }

    fn end_us(&self, start_us: i64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "seconds")]
        let took = (self.duration_ms * 1_000.0) as i64;
        start_us + took
    }

    fn record(&self, at_us: i64) -> LogRecord {
        LogRecord {
            time: Timestamp::from_micros(at_us),
            request_id: Some(self.request_id.clone()),
            trace_id: self.trace_id,
            span_id: self.span_id,
            ..LogRecord::default()
        }
    }

    fn platform(&self, at_us: i64, kind: &str) -> LogRecord {
        let body = Map::from([
            ("@type".to_owned(), kind.into()),
            ("@requestId".to_owned(), self.request_id.as_str().into()),
        ]);
        LogRecord { platform: true, body, ..self.record(at_us) }
    }

    fn report(&self, function: &Function, chance: &mut Chance, at_us: i64) -> LogRecord {
        let mut report = self.platform(at_us, "REPORT");
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
        let billed = self.duration_ms.ceil() as i64;
        let used = function.memory_mb / 3 + super::below(chance, function.memory_mb / 3);
        let told: [(&str, Value); 6] = [
            ("@duration", self.duration_ms.into()),
            ("@billedDuration", billed.into()),
            ("@memorySize", function.memory_mb.into()),
            ("@maxMemoryUsed", used.into()),
            ("@status", if self.failed { "error" } else { "success" }.into()),
            ("@extensionOverhead", (chance.part() * 2.0).into()),
        ];
        report.body.extend(told.map(|(key, value)| (key.to_owned(), value)));
        if self.cold {
            report.body.insert("@initDuration".to_owned(), (180.0 + chance.part() * 400.0).into());
        }
        report.duration_ms = Some(self.duration_ms);
        report
    }

    fn span(&self, function: &Function, start_us: i64) -> Option<Span> {
        let attributes: [(&str, Value); 5] = [
            ("faas.invocation_id", self.request_id.as_str().into()),
            ("faas.name", function.name.as_str().into()),
            ("faas.coldstart", self.cold.into()),
            ("faas.trigger", "http".into()),
            ("cloud.region", "eu-west-1".into()),
        ];
        let failure = || SpanStatus::Error("UpstreamTimeout".to_owned());
        Some(Span {
            trace_id: self.trace_id?,
            span_id: self.span_id?,
            parent_id: None,
            name: function.name.clone(),
            kind: SpanKind::Server,
            start: Timestamp::from_micros(start_us),
            end: Timestamp::from_micros(self.end_us(start_us)),
            status: if self.failed { failure() } else { SpanStatus::Ok },
            request_id: Some(self.request_id.clone()),
            attributes: Map::from(attributes.map(|(key, value)| (key.to_owned(), value))),
            events: Vec::new(),
            links: Vec::new(),
        })
    }
}

/// Appends what an invocation leaves.
pub(super) fn run(
    function: &mut Function,
    chance: &mut Chance,
    start_us: i64,
    logs: &mut Vec<LogRecord>,
    spans: &mut Vec<Span>,
) {
    let invocation = Invocation::new(function, chance, start_us);
    function.invocations += 1;
    let end_us = invocation.end_us(start_us);
    let lines = LINES_MIN + chance.below(LINES_SPREAD);
    logs.push(invocation.platform(start_us, "START"));
    for number in 0..lines {
        let at_us = start_us + (end_us - start_us) * i64::try_from(number + 1).unwrap_or(0) / 32;
        let is_last = number + 1 == lines;
        let level = match chance.below(100) {
            _ if is_last && invocation.failed => Level::Error,
            0..8 => Level::Debug,
            8..13 => Level::Warn,
            _ => Level::Info,
        };
        let text = line::write(&invocation, function, chance, &Moment { at_us, number, level });
        logs.push(LogRecord { level: Some(level), line: Some(text), ..invocation.record(at_us) });
    }
    logs.push(invocation.platform(end_us, "END"));
    logs.push(invocation.report(function, chance, end_us + 300));
    spans.extend(invocation.span(function, start_us));
}

/// The text of a chance UUID.
pub(super) fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
