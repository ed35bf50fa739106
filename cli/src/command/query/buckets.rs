//! The buckets of an answer's time series, also those without events: the answer leaves them out, a chart does not.

use api::QueryData;
use model::Timestamp;
use query::Zone;
use serde_json::{Map, Value};

use crate::render::times::Times;

/// More than any terminal has columns; the API itself allows fewer.
const BUCKETS_MAX: usize = 10_000;

/// Every bucket of the timeframe; from the answer alone if it does not say its step.
pub(super) fn times(data: &QueryData) -> Times {
    let drawn = data.heatmap.iter().flat_map(|heatmap| heatmap.columns.iter().map(|column| column.time));
    let known: Vec<i64> = data.calculations.series.iter().map(|bucket| bucket.time).chain(drawn).collect();
    let step = data.query_run.granularity.and_then(|step| i64::try_from(step).ok()).filter(|step| *step > 0);
    let starts_ms = match step {
        Some(step) => filled(&known, step, data.query_run.timeframe),
        None => known,
    };
    Times { starts_ms, zone: zone(data) }
}

/// The known buckets with those between and around them. Not all are a step apart: where clocks change, a day has 23 or
/// 25 hours. So steps are counted from each known one, and none is moved.
fn filled(known: &[i64], step: i64, frame: api::query_run::Timeframe) -> Vec<i64> {
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Vec::new() };
    let before = (1..).map(|steps| first - steps * step).take_while(|time| time + step > frame.from);
    let mut times: Vec<i64> = before.take(BUCKETS_MAX).collect();
    times.reverse();
    for (at, next) in known.iter().zip(known.iter().skip(1)) {
        let steps = (next - at + step / 2) / step;
        times.extend((0..steps.max(1)).map(|steps| at + steps * step).take(BUCKETS_MAX));
    }
    times.extend(
        (0..)
            .map(|steps| last + steps * step)
            .take_while(|time| time < &frame.to.max(last + 1))
            .take(BUCKETS_MAX),
    );
    times.truncate(BUCKETS_MAX);
    times
}

/// The zone in which days of the answer begin; the query as it was run says it.
fn zone(data: &QueryData) -> Zone {
    let now = Timestamp::from_millis(data.query_run.timeframe.to);
    query::parse_text(&data.query_run.query, now).map(|query| query.zone).unwrap_or_default()
}

/// A group's figure in each bucket; one that is not there plots as 0, as the reference does.
pub(super) fn points(data: &QueryData, times: &[i64], groups: &Map<String, Value>, figure: &str) -> Vec<f64> {
    let mut points = vec![0.0; times.len()];
    for bucket in &data.calculations.series {
        let Ok(at) = times.binary_search(&bucket.time) else { continue };
        let found = bucket.data.iter().find(|entry| entry.groups == *groups);
        points[at] = found.and_then(|entry| entry.aggregates.get(figure)?.as_f64()).unwrap_or(0.0);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DAY_MS: u64 = 86_400_000;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millis()
    }

    fn data(known: &[i64], frame: (i64, i64), step: u64) -> QueryData {
        let series: Vec<Value> =
            known.iter().map(|time| json!({"time": time, "data": [{"aggregates": {"COUNT": 7}}]})).collect();
        serde_json::from_value(json!({
            "calculations": {"series": series},
            "queryRun": {
                "timeframe": {"from": frame.0, "to": frame.1}, "granularity": step,
                "query": "COUNT FROM logs TIMEZONE Europe/Berlin EVERY 1d",
            },
        }))
        .unwrap()
    }

    #[test]
    fn buckets_without_events_have_their_place() {
        let times = |known: &[i64]| times(&data(known, (0, 240_000), 60_000)).starts_ms;
        assert_eq!(times(&[60_000, 180_000]), [0, 60_000, 120_000, 180_000]);
        assert_eq!(times(&[60_000]), [0, 60_000, 120_000, 180_000]);
        assert_eq!(times(&[]), [0_i64; 0]);
    }

    #[test]
    fn no_day_is_lost_where_the_clocks_change() {
        // Days of Berlin: from the 25th of October 2026 on they begin an hour later.
        let days: Vec<i64> = (20..=31)
            .map(|day| ms(&format!("2026-10-{}T{}:00:00Z", day - 1, if day <= 25 { 22 } else { 23 })))
            .collect();
        let frame = (days[0], ms("2026-10-31T23:00:00Z"));
        let sparse = [days[1], days[4], days[8], days[11]];
        for known in [&days[..], &sparse] {
            let data = data(known, frame, DAY_MS);
            let times = times(&data);
            assert_eq!(times.starts_ms.len(), 12);
            assert_eq!(times.zone, Zone::named("Europe/Berlin").unwrap());
            let drawn = points(&data, &times.starts_ms, &Map::new(), "COUNT");
            assert_eq!(drawn.iter().filter(|point| **point > 0.0).count(), known.len());
        }
    }
}
