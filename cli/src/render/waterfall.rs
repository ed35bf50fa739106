//! One trace as a tree of spans with bars on a common time axis, and what was logged in them.

use api::{PathShare, TraceLog, TraceResponse, TraceSpan};

use super::event::{self, level_colour};
use super::number::{cell, counted, duration};
use super::text::{Colour, Paint, left, right, visible, visible_lines, width};

/// Columns of the tree at most; the rest is for bars.
const TREE_COLUMNS_MAX: usize = 46;
const DURATION_COLUMNS: usize = 10;
/// The share of the critical path, behind the duration.
const SHARE_COLUMNS: usize = 6;
const TAKEN_COLUMNS: usize = DURATION_COLUMNS + SHARE_COLUMNS;
const BAR_COLUMNS_MIN: usize = 10;
/// Parts of the critical path that its line names.
const PATH_PARTS_MAX: usize = 5;
/// Deeper spans are not indented further.
const INDENT_MAX: usize = 12;

/// Draws the trace in at most `columns`; `with_logs` shows the lines under their spans.
pub fn draw(trace: &TraceResponse, columns: usize, paint: Paint, logs: Logs) -> String {
    let mut text = heading(trace, paint);
    let names: Vec<String> =
        trace.spans.iter().enumerate().map(|(at, span)| tree_name(trace, at, span)).collect();
    let wanted = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let room = columns.saturating_sub(TAKEN_COLUMNS + BAR_COLUMNS_MIN + 3);
    let tree_columns = wanted.min(TREE_COLUMNS_MAX).min(room);
    let bar_columns = columns.saturating_sub(tree_columns + TAKEN_COLUMNS + 3).max(BAR_COLUMNS_MIN);
    for (span, name) in trace.spans.iter().zip(&names) {
        text.push_str(&span_line(trace, span, &left(name, tree_columns), bar_columns, paint));
        text.push_str(&details(span, paint));
        if logs == Logs::Shown {
            span.logs.iter().for_each(|log| text.push_str(&log_line(log, paint)));
        }
    }
    text.push_str(&critical_path(trace, paint));
    if !trace.logs.is_empty() {
        text.push_str(&format!("\n{} without a known span\n", count(trace.logs.len(), "log")));
        if logs == Logs::Shown {
            trace.logs.iter().for_each(|log| text.push_str(&log_line(log, paint)));
        }
    }
    text
}

/// Whether log lines are shown or only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// Under their spans.
    Shown,
    /// As a number.
    Counted,
}

fn heading(trace: &TraceResponse, paint: Paint) -> String {
    let logs = trace.logs.len() + trace.spans.iter().map(|span| span.logs.len()).sum::<usize>();
    let errors = match trace.errors {
        0 => paint.colour(Colour::Green, "no errors"),
        errors => paint.bold(Colour::Red, &counted(errors, "error")),
    };
    format!(
        "trace {} · {} · {} · {} · {} · {errors}\n{}\n\n",
        visible(&trace.trace_id),
        visible(&trace.start),
        duration(trace.duration_ms),
        count(trace.spans.len(), "span"),
        count(logs, "log"),
        paint.colour(Colour::Dim, &visible(&trace.services.join(", "))),
    )
}

fn count(number: usize, what: &str) -> String {
    counted(number as u64, what)
}

/// The span's name behind the branches of the tree; where the name does not say whose it is, so does the text.
fn tree_name(trace: &TraceResponse, at: usize, span: &TraceSpan) -> String {
    let name = visible(&span.name);
    let owner = if span.namespace.is_empty()
        || span.namespace == span.name
        || span.depth > 0 && same_owner(trace, at)
    {
        String::new()
    } else {
        format!(" [{}]", visible(&span.namespace))
    };
    let mark = if span.orphan { "? " } else { "" };
    if span.depth == 0 {
        return format!("{mark}{name}{owner}");
    }
    let mut branches = String::new();
    for level in 1..span.depth.min(INDENT_MAX) {
        branches.push_str(if continues(trace, at, level) { "│ " } else { "  " });
    }
    branches.push_str(if continues(trace, at, span.depth) { "├ " } else { "└ " });
    format!("{branches}{mark}{name}{owner}")
}

/// Whether a later span hangs on the same branch at this depth.
fn continues(trace: &TraceResponse, at: usize, depth: usize) -> bool {
    trace.spans[at + 1..]
        .iter()
        .map(|span| span.depth)
        .take_while(|next| *next >= depth)
        .any(|next| next == depth)
}

fn same_owner(trace: &TraceResponse, at: usize) -> bool {
    let span = &trace.spans[at];
    let parent = trace.spans[..at].iter().rev().find(|other| other.depth + 1 == span.depth);
    parent.is_some_and(|parent| parent.namespace == span.namespace)
}

fn is_error(span: &TraceSpan) -> bool {
    span.error.is_some() || span.status == "error"
}

fn span_line(trace: &TraceResponse, span: &TraceSpan, name: &str, columns: usize, paint: Paint) -> String {
    let bar = bar(span.offset_ms, span.duration_ms, trace.duration_ms, columns);
    let colour = match (is_error(span), span.name.as_str()) {
        (true, _) => Colour::Red,
        (false, "init" | "restore") => Colour::Blue,
        (false, _) => Colour::Green,
    };
    let name = if is_error(span) { paint.bold(Colour::Red, name) } else { name.to_owned() };
    let took = right(&duration(span.duration_ms), DURATION_COLUMNS);
    let share = on_path(trace, span).map(|share| paint.colour(Colour::Yellow, &right(&share, SHARE_COLUMNS)));
    format!("{name} {} {took}{}\n", paint.colour(colour, &bar), share.unwrap_or_default())
}

/// How much of the critical path the span is; none where it is not on it.
fn on_path(trace: &TraceResponse, span: &TraceSpan) -> Option<String> {
    let share = span.critical_ms / trace.duration_ms;
    (span.critical_ms > 0.0 && share.is_finite()).then(|| percent(share))
}

fn percent(share: f64) -> String {
    if share < 0.01 { "<1 %".to_owned() } else { format!("{:.0} %", share * 100.0) }
}

/// What the trace's duration is made of.
fn critical_path(trace: &TraceResponse, paint: Paint) -> String {
    let path = &trace.critical_path;
    let line = |title: &str, parts: &[PathShare]| {
        let part = |part: &PathShare| format!("{} {}", visible(&part.name), percent(part.share));
        let mut named: Vec<String> = parts.iter().take(PATH_PARTS_MAX).map(part).collect();
        let more = parts.len().saturating_sub(PATH_PARTS_MAX);
        named.extend((more > 0).then(|| format!("{more} more")));
        format!("{} {}\n", paint.colour(Colour::Dim, title), named.join(" · "))
    };
    let mut text = String::new();
    if !path.spans.is_empty() {
        text.push_str(&format!("\n{}", line("critical path:", &path.spans)));
    }
    if path.services.len() > 1 {
        text.push_str(&line("by service:", &path.services));
    }
    text
}

/// Blanks up to the start, then eighths of a block: at least one, so that nothing is invisible.
fn bar(offset_ms: f64, duration_ms: f64, total_ms: f64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = |ms: f64| super::chart::share_of(ms / total_ms, columns * 8);
    let total = columns * 8;
    let start = if total_ms > 0.0 { eighths(offset_ms).min(total - 1) / 8 } else { 0 };
    let long = if total_ms > 0.0 { eighths(duration_ms) } else { total };
    let long = long.clamp(1, (columns - start) * 8);
    left(&format!("{}{}{}", " ".repeat(start), "█".repeat(long / 8), EIGHTHS[long % 8]), columns)
}

/// What went wrong, what the platform reported, how much was logged.
fn details(span: &TraceSpan, paint: Paint) -> String {
    let mut facts = Vec::new();
    if is_error(span) {
        let why = span.error.as_deref().unwrap_or("error");
        facts.push(paint.colour(Colour::Red, &format!("✗ {}", visible(why))));
    }
    if let Some(report) = &span.report {
        let named = [
            ("@billedDuration", "billed", "ms"),
            ("@maxMemoryUsed", "memory", "MB"),
            ("@initDuration", "init", "ms"),
        ];
        for (key, name, unit) in named {
            if let Some(value) = report.get(key) {
                facts.push(paint.colour(Colour::Dim, &format!("{name} {} {unit}", visible(&cell(value)))));
            }
        }
    }
    if !span.logs.is_empty() {
        facts.push(paint.colour(Colour::Dim, &count(span.logs.len(), "log")));
    }
    if facts.is_empty() {
        String::new()
    } else {
        format!("{}{}\n", indent(span.depth + 1), facts.join(" · "))
    }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth.min(INDENT_MAX))
}

fn log_line(log: &TraceLog, paint: Paint) -> String {
    const INDENT: usize = 6;
    let level = left(&visible(&log.level).to_uppercase(), 5);
    let message = if log.message.is_empty() {
        let kind = log.attributes.get("@type").map(cell).unwrap_or_else(|| log.kind.clone());
        format!("{} {}", visible(&kind), paint.colour(Colour::Dim, &event::keys(&log.attributes)))
    } else {
        visible_lines(&log.message, INDENT + 17)
    };
    let offset = right(&format!("+{}", duration(log.offset_ms)), DURATION_COLUMNS);
    format!(
        "{}{} {} {message}\n",
        " ".repeat(INDENT),
        paint.colour(Colour::Dim, &offset),
        paint.colour(level_colour(&log.level), &level)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(depth: usize, name: &str, offset_ms: f64, duration_ms: f64) -> TraceSpan {
        TraceSpan {
            depth,
            name: name.to_owned(),
            namespace: "checkout".to_owned(),
            offset_ms,
            duration_ms,
            ..TraceSpan::default()
        }
    }

    fn trace() -> TraceResponse {
        let mut failed = span(2, "payment", 40.0, 60.0);
        failed.error = Some("Runtime.\x1b[31mExitError".to_owned());
        failed.logs.push(TraceLog {
            level: "error".to_owned(),
            message: "no\nmoney".to_owned(),
            ..TraceLog::default()
        });
        let mut root = span(0, "checkout", 0.0, 100.0);
        root.report = serde_json::json!({"@billedDuration": 100, "@maxMemoryUsed": 81}).as_object().cloned();
        TraceResponse {
            trace_id: "5840652 0".replace(' ', ""),
            start: "2026-11-20T12:00:00.000Z".to_owned(),
            duration_ms: 100.0,
            services: vec!["shop".to_owned()],
            errors: 1,
            spans: vec![root, span(1, "init", 0.0, 20.0), span(1, "call", 30.0, 70.0), failed],
            ..TraceResponse::default()
        }
    }

    #[test]
    fn the_tree_hangs_together_and_bars_stand_on_one_axis() {
        let drawn = draw(&trace(), 70, Paint::none(), Logs::Counted);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(
            lines[0],
            "trace 58406520 · 2026-11-20T12:00:00.000Z · 100 ms · 4 spans · 1 log · 1 error"
        );
        assert!(lines[3].starts_with("checkout") && lines[3].ends_with("100 ms"), "{drawn}");
        assert_eq!(lines[4].trim(), "billed 100 ms · memory 81 MB");
        assert!(lines[5].starts_with("├ init"), "{drawn}");
        assert!(lines[6].starts_with("└ call"), "{drawn}");
        assert!(lines[7].starts_with("  └ payment"), "{drawn}");
        assert!(lines[8].contains("✗ Runtime.\\x1b[31mExitError · 1 log"), "{drawn}");
        assert!(lines.iter().all(|line| width(line) <= 80), "{drawn}");
    }

    #[test]
    fn the_critical_path_is_marked_and_told() {
        let mut trace = trace();
        trace.spans[0].critical_ms = 40.0;
        trace.spans[3].critical_ms = 60.0;
        let share =
            |name: &str, share: f64| PathShare { name: name.to_owned(), share, ..PathShare::default() };
        trace.critical_path.spans = vec![share("payment", 0.6), share("check\x1bout", 0.4)];
        trace.critical_path.services = vec![share("bank", 0.6), share("shop", 0.004)];
        let drawn = draw(&trace, 80, Paint::none(), Logs::Counted);
        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines[3].ends_with("100 ms  40 %"), "{drawn}");
        assert!(lines[6].ends_with("70.0 ms"), "{drawn}");
        assert!(
            drawn.contains(
                "\ncritical path: payment 60 % · check\\x1bout 40 %\nby service: bank 60 % · shop <1 %\n"
            ),
            "{drawn}"
        );
    }

    #[test]
    fn logs_are_shown_under_their_span_on_demand() {
        let drawn = draw(&trace(), 80, Paint::none(), Logs::Shown);
        assert!(drawn.contains("ERROR no\n"), "{drawn}");
        assert!(!drawn.contains('\x1b'));
    }

    #[test]
    fn bars_start_and_end_where_their_spans_do() {
        assert_eq!(bar(0.0, 100.0, 100.0, 10), "██████████");
        assert_eq!(bar(50.0, 50.0, 100.0, 10), "     █████");
        assert_eq!(bar(99.9, 0.0, 100.0, 10), "         ▏");
        assert_eq!(bar(0.0, 0.0, 0.0, 4), "████");
        for odd in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(width(&bar(odd, odd, 100.0, 10)), 10);
        }
    }

    #[test]
    fn an_empty_trace_is_drawn_too() {
        assert!(draw(&TraceResponse::default(), 40, Paint::none(), Logs::Shown).contains("0 spans"));
    }
}
