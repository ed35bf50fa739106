//! What is asked: the list that people wrote, and as many questions again that are drawn.

use proptest::collection::vec;
use proptest::option;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use query::{Arithmetic, Calculation, Derived, Filter, Formula, Group, Key, Operator, Query, Term, View};

use crate::drawn;
use crate::generate;
use crate::tables::now;

const WRITTEN: &str = include_str!("questions.orl");
/// Questions for events, and as many for figures; more with `LIMELIGHT_ORACLE_QUESTIONS`.
const DRAWN: usize = 50;

/// The questions of the list.
pub(crate) fn written() -> Vec<Query> {
    let lines = WRITTEN.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(read).collect()
}

fn read(text: &str) -> Query {
    query::parse_text(text, now()).unwrap_or_else(|faults| panic!("{text}: {faults}"))
}

/// The same questions in every run.
pub(crate) fn drawn() -> Vec<Query> {
    let mut runner = TestRunner::deterministic();
    let mut draw = |strategy: &dyn Fn(&mut TestRunner) -> Query| strategy(&mut runner);
    let events = |runner: &mut TestRunner| {
        let dataset = one(select(vec!["logs", "crowded"]), runner);
        let filter = one(drawn::parts().filter(3, 8), runner);
        // In the overflow a needle finds the names of keys as well, as each engine writes them.
        let needle = one(option::of(drawn::parts().needle()), runner).filter(|_| dataset == "logs");
        Query { filter, needle, limit: 50, ..read(&format!("FROM {dataset} LAST 2h")) }
    };
    let figures = |runner: &mut TestRunner| {
        let condition = one(drawn::parts().filter(2, 4), runner);
        Query {
            calculations: calculations(condition),
            formulas: one(vec(formula(), 1), runner).into_iter().enumerate().map(named).collect(),
            derived: vec![Derived {
                name: Key::new("derived"),
                arithmetic: one(generate::arithmetic(drawn::key().boxed()), runner),
            }],
            group_by: one(vec(drawn::key(), 1..3), runner).into_iter().map(|key| Group { key }).collect(),
            having: one(option::of(generate::having(term())), runner),
            granularity_ms: Some(600_000),
            limit: 200,
            view: View::Calculations,
            ..read("FROM logs LAST 2h")
        }
    };
    let wanted = std::env::var("LIMELIGHT_ORACLE_QUESTIONS").ok().and_then(|text| text.parse().ok());
    (0..wanted.unwrap_or(DRAWN)).flat_map(|_| [draw(&events), draw(&figures)]).collect()
}

fn one<S: Strategy>(strategy: S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

fn calculations(condition: Filter) -> Vec<Calculation> {
    let of_a = Operator::ALL.iter().filter(|(_, operator)| *operator != Operator::Count);
    let of_a = of_a.map(|(name, operator)| Calculation::of(*operator, "a").named(format!("a_{name}")));
    let conditional = Calculation::of(Operator::Avg, "b").when(condition).named("conditional");
    let derived = Calculation::of(Operator::Max, "derived").named("greatest");
    [Calculation::count().named("total")].into_iter().chain(of_a).chain([conditional, derived]).collect()
}

fn formula() -> impl Strategy<Value = Arithmetic<Term>> {
    generate::arithmetic(term())
}

/// Figures that come out the same in whatever order the events are summed: halves are exact.
fn term() -> BoxedStrategy<Term> {
    let terms = ["total", "a_SUM", "a_MAX", "a_MIN", "a_COUNT_DISTINCT"];
    select(terms.to_vec()).prop_map(|name| Term::Named(name.to_owned())).boxed()
}

fn named((number, arithmetic): (usize, Arithmetic<Term>)) -> Formula {
    Formula { alias: format!("formula_{number}"), arithmetic }
}
