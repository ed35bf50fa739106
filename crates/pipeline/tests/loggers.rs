//! What the parser makes of real lines of each logger. A fixture's first line says where its lines come from; its
//! snapshot is what queries find, one entry for each line.

use model::{Level, Metric, Value};
use pipeline::parse::{self, Line};

macro_rules! loggers {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let fixture = include_str!(concat!("fixtures/lines/", stringify!($name), ".txt"));
            let shown: Vec<_> = fixture.lines().skip(1).map(|printed| shown(&parse::line(printed))).collect();
            insta::assert_json_snapshot!(stringify!($name), shown);
        }
    )*};
}

loggers! {
    powertools_python powertools_typescript python_logging python_json_logger structlog
    pino bunyan winston
    slog zap java dotnet rust_tracing ruby
    lambda_runtimes semi_structured other
    emf emf_powertools
}

/// What is known of the line, without what is not.
fn shown(line: &Line) -> serde_json::Value {
    let certainty = if line.request_id_certain { "certain" } else { "possible" };
    let known = [
        ("level", line.level.map(Level::as_str).map(serde_json::Value::from)),
        ("time", line.time.map(|time| time.to_string().into())),
        ("request", line.request_id.as_ref().map(|id| format!("{id} ({certainty})").into())),
        ("trace", line.trace_id.map(|id| id.to_string().into())),
        ("span", line.span_id.map(|id| id.to_string().into())),
        ("duration_ms", line.duration_ms.map(serde_json::Value::from)),
        ("error", line.error.clone().map(serde_json::Value::from)),
        ("metrics", (!line.metrics.is_empty()).then(|| line.metrics.iter().map(point).collect())),
        ("body", Some(serde_json::Value::from(Value::from(line.body.clone())))),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn point(metric: &Metric) -> serde_json::Value {
    let attributes = serde_json::Value::from(Value::from(metric.attributes.clone()));
    format!("{} {:?} {} {attributes}", metric.name, metric.kind, metric.unit).into()
}
