//! `limelight query`: one question, one answer.

mod buckets;
mod lines;
mod saved;
mod whole;

use api::{QueryData, QueryResponse};
use model::Timestamp;
use serde_json::{Map, Value};

use super::{print_json, question};
use crate::args::{QueryArgs, QueryFormat};
use crate::client::{Client, How};
use crate::render::chart::{Chart, Line, sparkline};
use crate::render::event;
use crate::render::heatmap;
use crate::render::number::{bytes, cell, counted};
use crate::render::table::{Align, Table};
use crate::terminal::{Terminal, aside, note, print};

/// Columns of the small chart at the end of a row.
const TREND_COLUMNS: usize = 24;

/// Runs it.
///
/// # Errors
/// When nobody can be asked, or the query is refused.
pub async fn run(arguments: QueryArgs) -> anyhow::Result<()> {
    let body = match &arguments.file {
        Some(file) => saved::body(file, &arguments)?,
        None => question::of_query(&arguments)?,
    };
    let client = Client::open(&arguments.place).await?;
    let how = How { keep: arguments.save, engine: arguments.engine.clone() };
    show(&client.query(&body, &how).await?, &body, arguments.format)
}

/// Writes an answer to what was asked.
pub(super) fn show(response: &QueryResponse, asked: &Value, format: QueryFormat) -> anyhow::Result<()> {
    let order = Columns::of(asked, response);
    let terminal = Terminal::stdout();
    match format {
        QueryFormat::Json => return print_json(&response.data),
        QueryFormat::Ndjson => return Ok(print(&lines::of(&response.data)?)?),
        QueryFormat::Table => print(&table(&response.data, &order, terminal))?,
        QueryFormat::Chart => print(&charts(&response.data, &order, terminal))?,
    }
    remarks(&response.data);
    Ok(())
}

/// Notes and what the answer cost.
fn remarks(data: &QueryData) {
    data.notes.iter().for_each(|text| note(text));
    for statement in data.explanation.iter().flat_map(|explanation| &explanation.statements) {
        aside("");
        aside(&format!("{} ms · {} rows · {}", statement.elapsed_ms, statement.rows, statement.sql));
        statement.plan.iter().for_each(|line| aside(&format!("  {line}")));
    }
    if data.query_run.url.is_some() {
        aside(&format!("kept for 30 days: limelight runs show {}", data.query_run.id));
    }
    let cost = &data.statistics;
    let found = match (data.events.len(), data.calculations.aggregates.len(), whole::rows(data)) {
        (_, _, Some((name, rows))) => counted(rows.len() as u64, name),
        (0, rows, None) => counted(rows as u64, "row"),
        (events, _, None) => counted(events as u64, "event"),
    };
    let line = format!(
        "{found} · {} ms · {} and {} read from {}, {} skipped",
        cost.elapsed_ms,
        counted(cost.rows_read, "row"),
        bytes(cost.bytes_read),
        counted(cost.files_read, "file"),
        cost.files_skipped
    );
    aside(&line);
}

/// The columns of an answer in the order in which they were asked for: JSON objects do not keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Columns {
    groups: Vec<String>,
    figures: Vec<String>,
}

impl Columns {
    fn of(body: &Value, response: &QueryResponse) -> Self {
        let now = Timestamp::from(std::time::SystemTime::now());
        let aggregates = &response.data.calculations.aggregates;
        let keys = |pick: fn(&api::Aggregate) -> &Map<String, Value>| -> Vec<String> {
            let first = aggregates.first().map(pick).into_iter().flat_map(|map| map.keys());
            first.filter(|key| !key.starts_with('_')).cloned().collect()
        };
        let answered = Self { groups: keys(|row| &row.groups), figures: keys(|row| &row.values) };
        // The API may know more than this command does; then its own order is good enough.
        let Ok(asked) = query::from_json(body, now) else { return answered };
        Self {
            groups: sorted_by(
                answered.groups,
                asked.group_by.iter().map(|group| group.key.as_str().to_owned()),
            ),
            figures: sorted_by(
                answered.figures,
                asked
                    .calculations
                    .iter()
                    .map(query::Calculation::label)
                    .chain(asked.formulas.iter().map(|formula| formula.alias.clone())),
            ),
        }
    }
}

/// What was answered, first as far as it was asked for, then the rest.
fn sorted_by(answered: Vec<String>, asked: impl Iterator<Item = String>) -> Vec<String> {
    let mut sorted: Vec<String> = asked.filter(|name| answered.contains(name)).collect();
    sorted.extend(answered.into_iter().filter(|name| !sorted.contains(name)).collect::<Vec<_>>());
    sorted
}

fn table(data: &QueryData, columns: &Columns, terminal: Terminal) -> String {
    if let Some(drawn) = &data.heatmap {
        return heatmap::draw(drawn, &buckets::times(data), terminal.width, terminal.paint);
    }
    if let Some(wholes) = whole::table(data) {
        return wholes.draw(terminal.width, terminal.paint);
    }
    if data.calculations.aggregates.is_empty() {
        return data.events.iter().rev().map(|found| event::line(found, terminal.paint)).collect();
    }
    // From the first event on: hours without any would press the rest into a corner.
    let first = data.calculations.series.first().map_or(0, |bucket| bucket.time);
    let times: Vec<i64> =
        buckets::times(data).starts_ms.into_iter().skip_while(|time| *time < first).collect();
    let mut table = Table::new();
    for group in &columns.groups {
        table = table.column(group, Align::Left);
    }
    for figure in &columns.figures {
        table = table.column(figure, Align::Right);
    }
    let compared = data.calculations.aggregates.iter().any(|row| row.previous.is_some());
    let before: &[String] = if compared { &columns.figures } else { &[] };
    for figure in before {
        table = table.column(format!("{figure} before"), Align::Right);
    }
    let trend = columns.figures.first().filter(|_| times.len() > 1);
    if let Some(figure) = trend {
        table = table.column(format!("{figure} over time"), Align::Right);
    }
    for row in &data.calculations.aggregates {
        let previous = |key| row.previous.as_ref().and_then(|previous| previous.get(key));
        let figures = columns.figures.iter().map(|key| row.values.get(key));
        let figures = figures.chain(before.iter().map(previous));
        let mut cells = group_cells(row, columns);
        cells.extend(figures.map(|value| cell(value.unwrap_or(&Value::Null))));
        cells.extend(
            trend.map(|figure| sparkline(&buckets::points(data, &times, &row.groups, figure), TREND_COLUMNS)),
        );
        table.row(cells);
    }
    table.draw(terminal.width, terminal.paint)
}

/// The values of a row's group; of the others together their name.
fn group_cells(row: &api::Aggregate, columns: &Columns) -> Vec<String> {
    if row.others {
        let rest = columns.groups.len().saturating_sub(1);
        return std::iter::once("(others)".to_owned()).chain(vec![String::new(); rest]).collect();
    }
    columns.groups.iter().map(|key| cell(row.groups.get(key).unwrap_or(&Value::Null))).collect()
}

/// One chart for each figure.
fn charts(data: &QueryData, columns: &Columns, terminal: Terminal) -> String {
    let times = buckets::times(data);
    if let Some(drawn) = &data.heatmap {
        return heatmap::draw(drawn, &times, terminal.width, terminal.paint);
    }
    if times.starts_ms.is_empty() || columns.figures.is_empty() {
        return "there is no time series to draw: ask for a calculation, as COUNT EVERY 1m\n".to_owned();
    }
    let chart = |figure: &String| {
        let lines = data.calculations.aggregates.iter().map(|row| Line {
            name: group_cells(row, columns)
                .into_iter()
                .filter(|cell| !cell.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
            points: buckets::points(data, &times.starts_ms, &row.groups, figure),
        });
        Chart { title: figure.clone(), times: times.clone(), lines: lines.collect() }
    };
    let drawn: Vec<String> =
        columns.figures.iter().map(|figure| chart(figure).draw(terminal.width, terminal.paint)).collect();
    drawn.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::Paint;
    use serde_json::json;

    const TERMINAL: Terminal = Terminal { width: 80, paint: Paint::none() };

    fn data() -> QueryData {
        serde_json::from_value(json!({
            "calculations": {
                "aggregates": [
                    {"groups": {"function": "checkout"}, "values": {"p99": 12.5, "COUNT": 3, "_count": 3}},
                    {"groups": {"function": null}, "values": {"p99": null, "COUNT": 1, "_count": 1}},
                ],
                "series": [
                    {"time": 60_000, "data": [{"groups": {"function": "checkout"}, "aggregates": {"COUNT": 3}}]},
                    {"time": 180_000, "data": [{"groups": {"function": null}, "aggregates": {"COUNT": 1}}]},
                ],
            },
            "queryRun": {"status": "COMPLETED", "timeframe": {"from": 0, "to": 240_000}, "granularity": 60_000},
        }))
        .unwrap()
    }

    fn columns() -> Columns {
        Columns { groups: vec!["function".to_owned()], figures: vec!["COUNT".to_owned(), "p99".to_owned()] }
    }

    #[test]
    fn figures_stand_in_the_order_they_were_asked_for_with_their_trend() {
        let drawn = table(&data(), &columns(), TERMINAL);
        assert_eq!(
            drawn,
            "function  COUNT   p99  COUNT over time\n\
             checkout      3  12.5              █▁▁\n\
             –             1     –              ▁▁█\n"
        );
    }

    #[test]
    fn the_others_and_an_earlier_time_have_their_places() {
        let mut data = data();
        data.calculations.aggregates[0].previous = data.calculations.aggregates[1].values.clone().into();
        data.calculations.aggregates[1].others = true;
        let drawn = table(&data, &columns(), TERMINAL);
        assert!(
            drawn.starts_with("function  COUNT   p99  COUNT before  p99 before  COUNT over time\n"),
            "{drawn}"
        );
        assert!(drawn.contains("(others)      1     –             –           –"), "{drawn}");
    }

    #[test]
    fn buckets_without_events_are_drawn_as_zero() {
        let drawn = charts(&data(), &columns(), TERMINAL);
        assert!(
            drawn.contains("COUNT") && drawn.contains("p99") && drawn.contains("checkout (peak 3)"),
            "{drawn}"
        );
    }

    #[test]
    fn the_order_asked_for_survives_json() {
        let body = json!({"text": "P99(@duration) as p99, COUNT GROUP BY b, a"});
        let data = json!({"message": "", "data": {"calculations": {"aggregates": [
            {"groups": {"a": 1, "b": 2}, "values": {"COUNT": 1, "p99": 2, "_count": 1}}]}}});
        let columns = Columns::of(&body, &serde_json::from_value(data).unwrap());
        assert_eq!(columns.groups, ["b", "a"]);
        assert_eq!(columns.figures, ["p99", "COUNT"]);
    }

    #[test]
    fn without_a_series_the_chart_says_how_to_get_one() {
        assert!(charts(&QueryData::default(), &Columns::default(), TERMINAL).contains("EVERY"));
    }
}
