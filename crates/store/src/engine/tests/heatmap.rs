//! Heatmaps: every event with a number is in one cell, and it is the right one.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query::HeatmapFigures;
use serde_json::json;

use super::{ask, event, store, wait};

fn drawn(numbers: &[(i64, Option<f64>)], text: &str) -> HeatmapFigures {
    let event = |(at, (age_ms, number)): (usize, &(i64, Option<f64>))| {
        event(
            "logs",
            at,
            *age_ms,
            number.map_or_else(|| json!({"n": "none"}), |number| json!({ "n": number })),
        )
    };
    wait(async {
        let store = store(&[numbers.iter().enumerate().map(event).collect()]).await;
        ask(&store, text).await.heatmap.unwrap()
    })
}

#[test]
fn a_few_numbers_are_where_they_belong() {
    let map = drawn(
        &[(90_000, Some(12.0)), (80_000, Some(14.0)), (10_000, Some(480.0)), (9_000, None)],
        "HEATMAP n FROM logs EVERY 1m LAST 1h",
    );
    assert_eq!((map.scale, map.width), ("linear", 25.0));
    assert_eq!(map.rows[19], (Some(475.0), 500.0));
    let counts: Vec<(usize, f64)> = map
        .columns
        .iter()
        .flat_map(|column| column.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0.0))
        .collect();
    assert_eq!(counts, [(0, 2.0), (19, 1.0)]);
    assert_eq!(map.columns[1].time - map.columns[0].time, 60_000);
}

#[test]
fn what_has_no_logarithm_stands_below_all_others() {
    let map = drawn(&[(10, Some(0.0)), (10, Some(-5.0)), (10, Some(1_000.0))], "HEATMAP n LOG FROM logs");
    assert_eq!((map.rows[0].0, map.columns[0].counts[0]), (None, 2.0));
    assert_eq!(map.columns[0].counts.iter().sum::<f64>(), 3.0);
}

#[test]
fn derived_numbers_are_drawn_too_and_no_number_is_an_empty_picture() {
    let map = drawn(&[(10, Some(3_000.0))], "HEATMAP seconds FROM logs DERIVE seconds = n / 1000");
    assert_eq!(map.rows, [(Some(0.0), 5.0)]);
    assert!(drawn(&[(10, None)], "HEATMAP n FROM logs").columns.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_number_is_in_one_cell_and_between_its_edges(
        numbers in vec((0..3_000_000_i64, option::of(prop_oneof![-1e3..1e6_f64, (-20..20_i32).prop_map(f64::from)])), 1..40),
        scale in prop_oneof![Just(""), Just("LOG"), Just("LINEAR")],
    ) {
        let map = drawn(&numbers, &format!("HEATMAP n {scale} FROM logs EVERY 5m LAST 1h"));
        let mut expected = vec![0.0; map.rows.len()];
        for number in numbers.iter().filter_map(|(_, number)| *number) {
            // The lowest row of a log scale has what has no logarithm, and nothing that has one.
            let inside = |(from, to): &(Option<f64>, f64)| match from {
                Some(from) => *from <= number && number < *to,
                None => number <= 0.0,
            };
            // Where floats put an edge itself is the engine's business.
            let Some(row) = map.rows.iter().rposition(inside) else { continue };
            expected[row] += 1.0;
        }
        let sum = |row: usize| map.columns.iter().map(|column| column.counts[row]).sum::<f64>();
        let all: f64 = (0..map.rows.len()).map(sum).sum();
        prop_assert_eq!(all, numbers.iter().filter(|(_, number)| number.is_some()).count() as f64);
        for (row, expected) in expected.into_iter().enumerate() {
            let edges = map.rows[row];
            let at_edge = numbers.iter().filter_map(|(_, number)| *number).filter(|number| {
                let near = |edge: f64| (number - edge).abs() <= 1e-9 * edge.abs().max(1.0);
                edges.0.is_some_and(near) || near(edges.1)
            });
            prop_assert!((sum(row) - expected).abs() <= at_edge.count() as f64, "row {row} of {map:?}");
        }
    }
}
