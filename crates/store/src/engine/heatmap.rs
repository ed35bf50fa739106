//! Heatmaps: how far the number goes, then how many events each bucket has; two queries of figures.

use query::heatmap::{RANGE, Rows};
use query::{Answer, Bucket, Figures, Heatmap, HeatmapColumn, HeatmapFigures, Plan, Query, RunError, Table};
use serde_json::Value;

use super::execute::Execution;
use super::figure;

pub(super) async fn answer(
    query: &Query,
    heatmap: &Heatmap,
    tables: &[Table<'_>],
    execution: &mut Execution,
) -> Result<Answer, RunError> {
    let range = query.heatmap_range(heatmap);
    let found = figure::answer(&range, &Plan::new(&range, tables), execution).await?;
    let values = found.aggregates.first().map(|aggregate| &aggregate.values);
    let Some(rows) = values.and_then(|values| rows(heatmap, values)) else {
        return Ok(Answer { heatmap: Some(figures(heatmap, None, &[])), ..Answer::default() });
    };
    let cells = query.heatmap_cells(heatmap, &rows);
    let counted = figure::answer(&cells, &Plan::new(&cells, tables), execution).await?;
    let heatmap = figures(heatmap, Some(&rows), &counted.series);
    Ok(Answer { heatmap: Some(heatmap), notes: counted.notes, ..Answer::default() })
}

/// The buckets of the number; none if no event has one.
fn rows(heatmap: &Heatmap, range: &Figures) -> Option<Rows> {
    let [least, greatest, least_positive] = RANGE.map(|name| range.get(name).and_then(Value::as_f64));
    Some(Rows::of(heatmap.scale, least?, greatest?, least_positive))
}

fn figures(heatmap: &Heatmap, rows: Option<&Rows>, series: &[Bucket]) -> HeatmapFigures {
    let column = |bucket: &Bucket| {
        let mut counts = vec![0.0; rows.map_or(0, Rows::count)];
        for cell in &bucket.data {
            let row = rows.and_then(|rows| rows.place(cell.groups.values().next().and_then(Value::as_f64)));
            let count = cell.aggregates.get("COUNT").and_then(Value::as_f64).unwrap_or(0.0);
            if let Some(sum) = row.and_then(|row| counts.get_mut(row)) {
                *sum += count;
            }
        }
        HeatmapColumn { time: bucket.time, counts }
    };
    let scale = rows.map(|rows| rows.scale).or(heatmap.scale);
    HeatmapFigures {
        key: heatmap.key.as_str().to_owned(),
        scale: if scale == Some(query::Scale::Log) { "log" } else { "linear" },
        width: rows.map_or(0.0, |rows| rows.width),
        rows: rows.map(Rows::edges).unwrap_or_default(),
        columns: series.iter().map(column).collect(),
    }
}
