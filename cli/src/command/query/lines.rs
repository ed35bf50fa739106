//! An answer as lines of JSON, one for each row of it, as `jq` and `wc -l` want them.

use api::{Heatmap, QueryData};
use serde_json::{Value, json};

use super::whole;
use crate::render::json::text;

/// One object a line: events, wholes, groups, or the cells of a heatmap that have events.
pub(super) fn of(data: &QueryData) -> serde_json::Result<String> {
    let wholes = whole::rows(data).map(|(_, rows)| rows).unwrap_or_default();
    let rows = data.events.iter().chain(wholes).map(text);
    let groups = data.calculations.aggregates.iter().map(text);
    let cells = data.heatmap.iter().flat_map(cells).map(|cell| text(&cell));
    let mut lines = String::new();
    for line in rows.chain(groups).chain(cells) {
        lines.push_str(&line?);
        lines.push('\n');
    }
    Ok(lines)
}

/// Every bucket of time and number that has events, by time and from the lowest.
fn cells(heatmap: &Heatmap) -> impl Iterator<Item = Value> {
    heatmap.columns.iter().flat_map(|column| {
        let counted = heatmap.rows.iter().zip(&column.counts).filter(|(_, count)| **count > 0.0);
        counted
            .map(|(row, count)| json!({"time": column.time, "from": row.from, "to": row.to, "count": count}))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heatmap_has_a_line_for_each_cell_with_events() {
        let data: QueryData = serde_json::from_value(json!({"heatmap": {
            "key": "d", "scale": "log", "width": 10.0,
            "rows": [{"from": null, "to": 1.0}, {"from": 1.0, "to": 10.0}],
            "columns": [{"time": 60_000, "counts": [0.0, 3.0]}, {"time": 120_000, "counts": [1.0, 2.0]}],
        }}))
        .unwrap();
        let lines = of(&data).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0], json!({"time": 60_000, "from": 1.0, "to": 10.0, "count": 3.0}));
        assert_eq!((lines.len(), &lines[1]["from"]), (3, &Value::Null));
    }
}
