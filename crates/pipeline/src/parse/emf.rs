//! Embedded Metric Format: the metric points that a JSON line declares about itself. The line stays a log.
//! Source: CloudWatch user guide, "Specification: Embedded metric format".

use model::{Map, Metric, MetricKind, Timestamp, Value};

/// CloudWatch takes 100 metrics per directive; more directives than a handful are nonsense.
const POINTS_MAX: usize = 200;

/// By this key a line says that it declares metrics.
pub(super) const ROOT_KEY: &str = "_aws";

/// One point per metric and directive. Its attributes are all dimensions of the directive's sets together, and
/// `namespace`: CloudWatch counts once per dimension set, a query here groups by whichever it wants.
/// Beside the points: how many more were declared.
pub(super) fn points(body: &Map, printed_at: Option<Timestamp>) -> (Vec<Metric>, usize) {
    let none = (Vec::new(), 0);
    let Some(aws) = body.get(ROOT_KEY).and_then(Value::as_object) else { return none };
    let Some(Value::Array(directives)) = aws.get("CloudWatchMetrics") else { return none };
    let time = match aws.get("Timestamp") {
        Some(Value::Int(millis)) => Timestamp::from_millis(*millis),
        _ => printed_at.unwrap_or_default(),
    };
    let directives = || directives.iter().filter_map(Value::as_object);
    let declared: usize = directives().map(|directive| list(directive.get("Metrics")).len()).sum();
    let points = directives().flat_map(|directive| of_directive(directive, body, time));
    (points.take(POINTS_MAX).collect(), declared.saturating_sub(POINTS_MAX))
}

fn of_directive(directive: &Map, body: &Map, time: Timestamp) -> Vec<Metric> {
    let attributes = dimensions(directive, body);
    let point = |definition: &Value| {
        let definition = definition.as_object()?;
        let name = definition.get("Name")?.as_str()?;
        Some(Metric {
            name: name.to_owned(),
            unit: definition.get("Unit").and_then(Value::as_str).unwrap_or_default().to_owned(),
            time,
            kind: kind(body.get(name)?)?,
            request_id: None,
            attributes: attributes.clone(),
        })
    };
    list(directive.get("Metrics")).iter().filter_map(point).collect()
}

fn dimensions(directive: &Map, body: &Map) -> Map {
    let sets = list(directive.get("Dimensions")).iter();
    let names = sets.flat_map(|set| list(Some(set))).filter_map(Value::as_str);
    let mut attributes: Map =
        names.filter_map(|name| Some((name.to_owned(), body.get(name)?.clone()))).collect();
    if let Some(namespace) = directive.get("Namespace").and_then(Value::as_str) {
        attributes.insert("namespace".to_owned(), namespace.into());
    }
    attributes
}

/// A number, up to 100 numbers that were measured between two lines, or those with how often each was.
fn kind(value: &Value) -> Option<MetricKind> {
    match value {
        Value::Array(values) => summary(values.iter().filter_map(|value| Some((value.as_f64()?, 1)))),
        Value::Object(map) => {
            let counts = list(map.get("Counts")).iter().map(|count| match count {
                Value::Int(count) => u64::try_from(*count).unwrap_or(0),
                _ => 1,
            });
            let values = list(map.get("Values")).iter().filter_map(Value::as_f64);
            summary(values.zip(counts.chain(std::iter::repeat(1))))
        }
        number => number.as_f64().map(MetricKind::Gauge),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts between two lines")]
fn summary(values: impl Iterator<Item = (f64, u64)>) -> Option<MetricKind> {
    let (mut count, mut sum, mut min, mut max) = (0_u64, 0.0, f64::INFINITY, f64::NEG_INFINITY);
    for (value, times) in values.filter(|(_, times)| *times > 0) {
        count = count.saturating_add(times);
        sum += value * times as f64;
        min = value.min(min);
        max = value.max(max);
    }
    (count > 0).then_some(MetricKind::Summary { count, sum, min, max })
}

fn list(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}
