//! X-Ray's header on its way through an invocation: the caller's span is the parent, the invocation's own span is
//! what the function passes on.

use std::time::SystemTime;

use lambda_api::telemetry::Tracing;
use uuid::Uuid;

use super::epoch_ms;

pub(crate) const TRACE_TYPE: &str = "X-Amzn-Trace-Id";

/// See the module.
pub(crate) struct Trace {
    pub(crate) incoming: String,
    span_id: String,
}

impl Trace {
    /// Of the caller's header; a new one without, or if it names no root.
    pub(crate) fn of(header: Option<&str>, now: SystemTime) -> Self {
        let span_id = Uuid::new_v4().simple().to_string()[..16].to_owned();
        let incoming = match header {
            Some(header) if header.contains("Root=") => header.to_owned(),
            _ => {
                let seconds = epoch_ms(now) / 1_000;
                let unique = &Uuid::new_v4().simple().to_string()[..24];
                format!("Root=1-{seconds:08x}-{unique};Sampled=1")
            }
        };
        Self { incoming, span_id }
    }

    /// As records carry it.
    pub(crate) fn record(&self) -> Tracing {
        Tracing {
            span_id: Some(self.span_id.clone()),
            kind: TRACE_TYPE.to_owned(),
            value: self.incoming.clone(),
        }
    }

    /// What the runtime gets, and passes on to whom it calls.
    pub(crate) fn outgoing(&self) -> String {
        let parts = self.incoming.split(';').map(str::trim).filter(|part| !part.starts_with("Parent="));
        let mut parts: Vec<String> = parts.filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        let after_root = parts.iter().position(|part| part.starts_with("Root=")).map_or(0, |index| index + 1);
        parts.insert(after_root, format!("Parent={}", self.span_id));
        parts.join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_becomes_the_parent_of_what_it_calls() {
        let header = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1";
        let trace = Trace::of(Some(header), SystemTime::UNIX_EPOCH);
        assert_eq!(
            trace.outgoing(),
            format!("Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent={};Sampled=1", trace.span_id)
        );
        assert!(trace.record().value.contains("2be948a625588e32"));
    }

    #[test]
    fn a_trace_is_made_where_there_is_none() {
        for header in [None, Some("nonsense")] {
            let trace = Trace::of(header, SystemTime::UNIX_EPOCH);
            assert!(trace.incoming.starts_with("Root=1-00000000-") && trace.incoming.ends_with(";Sampled=1"));
            assert_eq!(trace.incoming.len(), "Root=1-".len() + 33 + ";Sampled=1".len());
        }
    }
}
