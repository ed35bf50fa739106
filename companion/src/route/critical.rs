//! The critical path of a trace: at each of its moments the one span that the end was waiting for. Going back from a
//! span's end, time belongs to the child that ended last, as far as it ran; where none ran, to the span itself. Making
//! anything else faster would not have made the trace any shorter.

use std::collections::BTreeMap;

use api::{CriticalPath, PathShare, TraceSpan};

/// Spans that the path names: those that matter, whatever the trace's size.
const SHARES_MAX: usize = 20;

/// A stretch of a trace, milliseconds from its start.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: f64,
    to: f64,
}

impl Stretch {
    fn of(span: &TraceSpan) -> Self {
        Self { from: span.offset_ms, to: span.offset_ms + span.duration_ms }
    }

    fn with(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

/// Writes into each span for how long the path is in it; `spans` are in the order of a waterfall.
pub(super) fn mark(spans: &mut [TraceSpan], duration_ms: f64) -> CriticalPath {
    let (roots, children) = families(spans);
    let extents = extents(spans, &children);
    let whole = Stretch { from: 0.0, to: duration_ms };
    // What of a span is on the path is known before its children are looked at: no recursion, however deep the trace.
    let mut work = Vec::new();
    let _ = descend(&extents, &roots, whole, &mut work);
    while let Some((at, stretch)) = work.pop() {
        let own_ms = descend(&extents, &children[at], stretch, &mut work);
        spans[at].critical_ms = own_ms;
    }
    shares(spans, duration_ms)
}

/// The roots, and the children of each span.
fn families(spans: &[TraceSpan]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let (mut roots, mut children) = (Vec::new(), vec![Vec::new(); spans.len()]);
    let mut above: Vec<usize> = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        above.truncate(span.depth);
        match above.last() {
            Some(parent) => children[*parent].push(at),
            None => roots.push(at),
        }
        above.push(at);
    }
    (roots, children)
}

/// What each span took with all that its own function did for it: init is over before the invocation begins, and
/// extensions go on after it.
fn extents(spans: &[TraceSpan], children: &[Vec<usize>]) -> Vec<Stretch> {
    let mut extents: Vec<Stretch> = spans.iter().map(Stretch::of).collect();
    // A child stands behind its parent.
    for at in (0..spans.len()).rev() {
        let own = children[at].iter().filter(|child| spans[**child].namespace == spans[at].namespace);
        extents[at] = own.fold(extents[at], |extent, child| extent.with(extents[*child]));
    }
    extents
}

/// Shares a stretch out among children, the last to end first; gives back what none of them takes.
fn descend(
    extents: &[Stretch],
    children: &[usize],
    stretch: Stretch,
    work: &mut Vec<(usize, Stretch)>,
) -> f64 {
    let mut by_end: Vec<(usize, Stretch)> = children.iter().map(|at| (*at, extents[*at])).collect();
    by_end
        .sort_by(|(_, left), (_, right)| right.to.total_cmp(&left.to).then(left.from.total_cmp(&right.from)));
    let (mut cursor, mut own_ms) = (stretch.to, 0.0);
    for (at, child) in by_end {
        // Clocks differ: what another function did outside its caller's time did not hold the caller up.
        let (from, to) = (child.from.max(stretch.from), child.to.min(cursor));
        if from >= to {
            continue;
        }
        own_ms += cursor - to;
        work.push((at, Stretch { from, to }));
        cursor = from;
    }
    own_ms + (cursor - stretch.from).max(0.0)
}

/// What the path is made of, the longest first.
fn shares(spans: &[TraceSpan], duration_ms: f64) -> CriticalPath {
    let share = |name: String, span: Option<&TraceSpan>, ms: f64| PathShare {
        name,
        span_id: span.map(|span| span.span_id.clone()),
        service: span.map(|span| span.service.clone()),
        namespace: span.map(|span| span.namespace.clone()),
        duration_ms: ms,
        share: if duration_ms > 0.0 { ms / duration_ms } else { 0.0 },
    };
    let on_path = || spans.iter().filter(|span| span.critical_ms > 0.0);
    let mut of_services: BTreeMap<&str, f64> = BTreeMap::new();
    on_path().for_each(|span| *of_services.entry(&span.service).or_default() += span.critical_ms);
    let mut services: Vec<PathShare> =
        of_services.into_iter().map(|(service, ms)| share(service.to_owned(), None, ms)).collect();
    let mut shares: Vec<PathShare> =
        on_path().map(|span| share(span.name.clone(), Some(span), span.critical_ms)).collect();
    for list in [&mut services, &mut shares] {
        list.sort_by(|left, right| right.duration_ms.total_cmp(&left.duration_ms));
        list.truncate(SHARES_MAX);
    }
    CriticalPath { spans: shares, services }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, depth: usize, from_ms: f64, to_ms: f64) -> TraceSpan {
        TraceSpan {
            span_id: name.to_owned(),
            name: name.to_owned(),
            service: if depth == 0 { "shop" } else { "bank" }.to_owned(),
            namespace: format!("function {depth}"),
            depth,
            offset_ms: from_ms,
            duration_ms: to_ms - from_ms,
            ..TraceSpan::default()
        }
    }

    /// For how long the path is in each span, in their order.
    fn marked(mut spans: Vec<TraceSpan>) -> Vec<f64> {
        let end = spans.iter().map(|span| span.offset_ms + span.duration_ms).fold(0.0, f64::max);
        mark(&mut spans, end);
        spans.iter().map(|span| span.critical_ms).collect()
    }

    #[test]
    fn one_call_after_the_other_leaves_the_parent_what_is_between() {
        let spans = vec![span("root", 0, 0.0, 100.0), span("a", 1, 10.0, 40.0), span("b", 1, 50.0, 90.0)];
        assert_eq!(marked(spans), [30.0, 30.0, 40.0]);
    }

    #[test]
    fn of_calls_at_once_the_last_to_end_is_waited_for() {
        let spans =
            vec![span("root", 0, 0.0, 100.0), span("long", 1, 0.0, 90.0), span("short", 1, 0.0, 80.0)];
        assert_eq!(marked(spans), [10.0, 90.0, 0.0]);
    }

    #[test]
    fn a_call_that_began_before_the_last_one_counts_until_then() {
        let spans = vec![span("root", 0, 0.0, 20.0), span("first", 1, 0.0, 10.0), span("then", 1, 9.0, 20.0)];
        assert_eq!(marked(spans), [0.0, 9.0, 11.0]);
    }

    #[test]
    fn what_another_function_did_outside_its_callers_time_is_left_out() {
        let spans = vec![
            span("root", 0, 0.0, 100.0),
            span("call", 1, 20.0, 80.0),
            span("skewed", 2, 10.0, 50.0),
            span("beyond", 2, 70.0, 200.0),
        ];
        assert_eq!(marked(spans)[1..], [20.0, 30.0, 10.0]);
    }

    #[test]
    fn init_and_what_extensions_do_after_the_answer_are_on_the_path_of_their_invocation() {
        let own = |span: TraceSpan| TraceSpan { namespace: "function 0".to_owned(), ..span };
        let spans = vec![
            span("invocation", 0, 50.0, 54.0),
            own(span("init", 1, 0.0, 48.0)),
            own(span("responseLatency", 1, 50.0, 53.0)),
            own(span("extensionOverhead", 1, 54.0, 82.0)),
        ];
        assert_eq!(marked(spans), [3.0, 48.0, 3.0, 28.0]);
    }

    #[test]
    fn what_is_on_the_path_adds_up_to_the_trace_and_has_its_shares() {
        let mut spans = vec![
            span("root", 0, 0.0, 60.0),
            span("call", 1, 0.0, 45.0),
            span("deep", 2, 5.0, 40.0),
            span("second root", 0, 60.0, 100.0),
        ];
        let path = mark(&mut spans, 100.0);
        assert!((spans.iter().map(|span| span.critical_ms).sum::<f64>() - 100.0).abs() < 1e-9);
        let shares: Vec<(&str, f64)> =
            path.spans.iter().map(|share| (share.name.as_str(), share.share)).collect();
        assert_eq!(shares, [("second root", 0.4), ("deep", 0.35), ("root", 0.15), ("call", 0.1)]);
        assert_eq!(path.services[0].name, "shop");
        assert_eq!(mark(&mut [], 0.0), CriticalPath::default());
    }
}
