//! What a metric point holds → the words and the value that its event has. Called by `event`; the same words as
//! `foreign` gives to points that never were ours.

use model::{Buckets, ExponentialCounts, Histogram, Map, MetricKind, Temporality, Value};

use crate::event::{object, whole};

/// `metric.type`, `metric.temporality` where it says something, and `value`.
pub(crate) fn of(kind: MetricKind) -> (&'static str, Option<&'static str>, Value) {
    match kind {
        MetricKind::Gauge(value) => ("gauge", None, Value::Float(value)),
        MetricKind::Sum(value) => ("sum", None, Value::Float(value)),
        MetricKind::Summary { count, sum, min, max } => {
            ("summary", None, totals(count, Some(sum), Some(min), Some(max)).into())
        }
        MetricKind::Counter(counter) => ("sum", Some(word(counter.temporality)), Value::Float(counter.value)),
        MetricKind::Histogram(histogram) => {
            let kind = match histogram.buckets {
                Buckets::Explicit { .. } => "histogram",
                Buckets::Exponential { .. } => "exponential_histogram",
            };
            (kind, Some(word(histogram.temporality)), distribution(*histogram))
        }
    }
}

fn word(temporality: Temporality) -> &'static str {
    match temporality {
        Temporality::Delta => "delta",
        Temporality::Cumulative => "cumulative",
    }
}

/// count, and sum, min and max where they are known.
fn totals(count: u64, sum: Option<f64>, min: Option<f64>, max: Option<f64>) -> Map {
    let known = [("sum", sum), ("min", min), ("max", max)];
    let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::Float(value?))));
    let mut totals: Map = known.collect();
    totals.insert("count".to_owned(), whole(count));
    totals
}

fn distribution(histogram: Histogram) -> Value {
    let mut value = totals(histogram.count, histogram.sum, histogram.min, histogram.max);
    match histogram.buckets {
        Buckets::Explicit { counts, .. } if counts.is_empty() => {}
        Buckets::Explicit { bounds, counts } => {
            let bounds = bounds.into_iter().map(Value::Float).collect();
            value.insert("bounds".to_owned(), Value::Array(bounds));
            value.insert("buckets".to_owned(), wholes(counts));
        }
        Buckets::Exponential { scale, zero_count, positive, negative } => {
            value.insert("scale".to_owned(), Value::Int(scale.into()));
            value.insert("zeroCount".to_owned(), whole(zero_count));
            for (key, ExponentialCounts { offset, counts }) in
                [("positive", positive), ("negative", negative)]
            {
                if !counts.is_empty() {
                    let offset = ("offset", Value::Int(offset.into()));
                    value.insert(key.to_owned(), object([offset, ("buckets", wholes(counts))]));
                }
            }
        }
    }
    value.into()
}

fn wholes(numbers: Vec<u64>) -> Value {
    Value::Array(numbers.into_iter().map(whole).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Counter, Timestamp};

    #[test]
    fn a_counter_says_what_it_counts_from() {
        let counter = Counter {
            value: 7.0,
            temporality: Temporality::Cumulative,
            monotonic: false,
            since: Timestamp::EPOCH,
        };
        assert_eq!(of(MetricKind::Counter(counter)), ("sum", Some("cumulative"), Value::Float(7.0)));
    }

    #[test]
    fn a_histogram_shows_its_totals_and_its_buckets() {
        let histogram = Histogram {
            temporality: Temporality::Delta,
            since: Timestamp::EPOCH,
            count: 3,
            sum: Some(6.0),
            min: None,
            max: Some(5.0),
            buckets: Buckets::Explicit { bounds: vec![1.0], counts: vec![2, 1] },
        };
        let (kind, temporality, value) = of(MetricKind::Histogram(Box::new(histogram)));
        let text = serde_json::Value::from(value).to_string();
        assert_eq!((kind, temporality), ("histogram", Some("delta")));
        assert_eq!(text, r#"{"bounds":[1.0],"buckets":[2,1],"count":3,"max":5.0,"sum":6.0}"#);
    }
}
