//! Any query written as text reads back as itself, and no text at all makes the readers panic.

use model::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query::{
    Calculation, Derived, Filter, Formula, Group, Having, Heatmap, Key, Literal, Operator, Order, OrderBy,
    Query, Scale, Term, Timeframe, View, Whole, Zone,
};

use crate::generate::{self, Parts};
use crate::now;

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        "[a-z@$][a-zA-Z0-9_.-]{0,8}",
        "[ -~]{1,12}",
        "\\PC{1,6}",
        Just("from".to_owned()),
        Just("COUNT".to_owned()),
        Just("$limelight.namespace".to_owned()),
    ]
    .prop_map(Key::new)
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9/:._-]{0,12}",
        "[ -~]{0,12}",
        "\\PC{0,8}",
        "[\\n\\t\\r'\"\\\\`/]{0,6}",
        Just("LIMIT".to_owned())
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any_text().prop_map(Literal::Text),
        any::<i64>().prop_map(Literal::Int),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Literal::number),
        any::<bool>().prop_map(Literal::Bool),
        Just(Literal::Text("007".to_owned())),
        Just(Literal::Text("12".to_owned())),
        Just(Literal::Text("true".to_owned())),
    ]
}

/// Filters and needles over the whole alphabet.
fn parts() -> Parts {
    let compared =
        literal().prop_filter("what is compared is no truth", |literal| !matches!(literal, Literal::Bool(_)));
    Parts {
        key: key().boxed(),
        text: any_text().boxed(),
        literal: literal().boxed(),
        compared: compared.boxed(),
        pattern: any_text().boxed(),
        regex: "(\\^)?[a-c.]{0,4}[+$]?"
            .prop_filter("a valid one", |text| regex::Regex::new(text).is_ok())
            .boxed(),
    }
}

fn calculations() -> impl Strategy<Value = Vec<Calculation>> {
    let one = (calculation(), any::<bool>());
    vec(one, 0..4).prop_map(|drawn| {
        let made = drawn.into_iter().enumerate().map(|(index, (calculation, named))| Calculation {
            alias: named.then(|| format!("alias_{index}")),
            ..calculation
        });
        let mut calculations: Vec<Calculation> = Vec::new();
        for calculation in made {
            if calculations.iter().all(|before| before.label() != calculation.label()) {
                calculations.push(calculation);
            }
        }
        calculations
    })
}

fn calculation() -> impl Strategy<Value = Calculation> {
    (0..Operator::ALL.len(), key(), option::of(parts().filter(1, 2))).prop_map(
        |(operator, key, condition)| {
            let (_, operator) = Operator::ALL[operator];
            Calculation {
                operator,
                key: (operator != Operator::Count).then_some(key),
                condition,
                alias: None,
            }
        },
    )
}

/// Calculations as the query has them or not, and the name `first`, which [`named`] makes one that the query has.
fn term() -> BoxedStrategy<Term> {
    prop_oneof![
        calculation().prop_map(|calculation| Term::Calculated(Box::new(calculation))),
        Just(Term::Calculated(Box::new(Calculation::count()))),
        Just(Term::Named("first".to_owned())),
    ]
    .boxed()
}

/// Turns the name `first` into that of the first calculation with a name, or into a count if none has one.
fn named(calculations: &[Calculation]) -> impl Fn(Term) -> Term + use<> {
    let alias = calculations.iter().find_map(|calculation| calculation.alias.clone());
    move |term| match (term, &alias) {
        (Term::Named(_), Some(alias)) => Term::Named(alias.clone()),
        (Term::Named(_), None) => Term::Calculated(Box::new(Calculation::count())),
        (term, _) => term,
    }
}

fn with_names(having: Having, name: &impl Fn(Term) -> Term) -> Having {
    let each = |inner: Vec<Having>| inner.into_iter().map(|one| with_names(one, name)).collect();
    match having {
        Having::All(inner) => Having::All(each(inner)),
        Having::Any(inner) => Having::Any(each(inner)),
        Having::Not(inner) => Having::Not(Box::new(with_names(*inner, name))),
        Having::Is(left, relation, right) => {
            Having::Is(left.map(&mut |term| name(term)), relation, right.map(&mut |term| name(term)))
        }
    }
}

fn derived() -> impl Strategy<Value = Vec<Derived>> {
    vec(generate::arithmetic(key().boxed()), 0..3).prop_map(|drawn| {
        let named = |(index, arithmetic)| Derived { name: Key::new(format!("own name {index}")), arithmetic };
        drawn.into_iter().enumerate().map(named).collect()
    })
}

fn timeframe() -> impl Strategy<Value = Timeframe> {
    // Years 1970 to 2200, a nanosecond to a year wide.
    (0..7_258_118_400_000_000_000_i64, 1..31_536_000_000_000_000_i64).prop_map(|(from, width)| Timeframe {
        from: Timestamp::from_nanos(from),
        to: Timestamp::from_nanos(from + width),
    })
}

prop_compose! {
    fn any_query()(
        datasets in prop_oneof![
            Just(vec!["*".to_owned()]),
            Just(vec!["lambda-logs".to_owned(), "otel".to_owned(), "last".to_owned()]),
        ],
        calculations in calculations(),
        formulas in vec(generate::arithmetic(term()), 0..3),
        having in option::of(generate::having(term())),
        derived in derived(),
        filter in option::of(parts().filter(4, 16)),
        needle in option::of(parts().needle()),
        groups in vec(key(), 0..3),
        ordered in option::of((any::<prop::sample::Index>(), any::<bool>())),
        limit in 1..=Query::LIMIT_MAX,
        timeframe in timeframe(),
        buckets in option::of(1..Query::BUCKETS_MAX),
        (others, explain, zone) in (any::<bool>(), any::<bool>(), 0..3_usize),
        compare in option::of(1..100_000_000_000_u64),
    ) -> Query {
        let name = named(&calculations);
        let formulas: Vec<Formula> = formulas.into_iter().enumerate().map(|(index, arithmetic)| Formula {
            alias: format!("formula {index}").replace(' ', "_"),
            arithmetic: arithmetic.map(&mut |term| name(term)),
        }).collect();
        let figures = !calculations.is_empty() || !formulas.is_empty();
        let view = if figures { View::Calculations } else { View::Events };
        let mut group_by: Vec<Group> = Vec::new();
        for key in groups {
            if figures && group_by.iter().all(|group| group.key != key) {
                group_by.push(Group { key });
            }
        }
        let having = having.filter(|_| !group_by.is_empty()).map(|having| with_names(having, &name));
        let labels: Vec<String> = calculations.iter().map(Calculation::label)
            .chain(formulas.iter().map(|formula| formula.alias.clone())).collect();
        let order_by = ordered.map(|(index, ascending)| OrderBy {
            value: match figures {
                false => "$limelight.timestamp".to_owned(),
                true => index.get(&labels).clone(),
            },
            order: if ascending { Order::Ascending } else { Order::Descending },
        });
        let others = others && !group_by.is_empty();
        let granularity_ms = buckets.map(|buckets| timeframe.width_ms() / buckets + 1);
        Query {
            datasets, derived, calculations, formulas, filter: filter.unwrap_or_else(Filter::everything), needle,
            group_by, having, heatmap: None, order_by, limit, others, explain,
            compare_ms: compare.filter(|_| figures),
            zone: Zone::named(["UTC", "Europe/Berlin", "Asia/Kolkata"][zone]).unwrap(),
            timeframe, granularity_ms, view,
        }
    }
}

/// A query for wholes: what it may ask of their figures.
fn of_wholes() -> impl Strategy<Value = Query> {
    let whole = prop::sample::select(vec![Whole::Request, Whole::Invocation, Whole::Trace]);
    let drawn = whole.prop_flat_map(|whole| {
        let ordered: Vec<&'static str> =
            whole.facts().iter().filter(|fact| fact.kind.is_ordered()).map(|fact| fact.name).collect();
        let term = prop::sample::select(ordered.clone()).prop_map(|name| Term::Named(name.to_owned()));
        let having = option::of(generate::having(term.boxed()));
        (Just(whole), having, option::of(prop::sample::select(ordered)), any_query())
    });
    drawn.prop_map(|(whole, having, order, query)| Query {
        view: View::Wholes(whole),
        having,
        order_by: order.map(|fact| OrderBy { value: fact.to_owned(), order: Order::Ascending }),
        calculations: Vec::new(),
        formulas: Vec::new(),
        group_by: Vec::new(),
        others: false,
        compare_ms: None,
        ..query
    })
}

/// A query for a heatmap.
fn of_heatmaps() -> impl Strategy<Value = Query> {
    let scale = option::of(prop::sample::select(vec![Scale::Linear, Scale::Log]));
    (key(), scale, any_query()).prop_map(|(key, scale, query)| Query {
        heatmap: Some(Heatmap { key, scale }),
        view: View::Calculations,
        granularity_ms: Some(query.timeframe.width_ms() + 1),
        calculations: Vec::new(),
        formulas: Vec::new(),
        group_by: Vec::new(),
        others: false,
        having: None,
        order_by: None,
        compare_ms: None,
        ..query
    })
}

fn survives_its_text(query: Query) -> Result<(), TestCaseError> {
    prop_assert_eq!(query.check(), Ok(()));
    let text = query.to_string();
    match query::parse_text(&text, now()) {
        Ok(read) => prop_assert_eq!(read, query, "{}", text),
        Err(faults) => prop_assert!(false, "{}\n{}", text, faults),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_query_for_a_heatmap_survives_its_text(query in of_heatmaps()) {
        survives_its_text(query)?;
    }

    #[test]
    fn a_query_for_wholes_survives_its_text(query in of_wholes()) {
        survives_its_text(query)?;
    }

    #[test]
    fn any_query_survives_its_text(query in any_query()) {
        survives_its_text(query)?;
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,60}") {
        if let Err(faults) = query::parse_text(&text, now()) {
            prop_assert!(!faults.to_string().is_empty());
        }
    }

    #[test]
    fn no_row_of_words_makes_the_reader_panic(words in vec(prop_oneof![
        Just("WHERE"), Just("("), Just(")"), Just("AND"), Just("OR"), Just("NOT"), Just("a"), Just("="), Just("IN"),
        Just("["), Just(","), Just("\""), Just("`"), Just("/"), Just("COUNT"), Just("P99("), Just("GROUP"), Just("BY"),
        Just("LAST"), Just("1h"), Just("BETWEEN"), Just("SEARCH"), Just("as"), Just("EVERY"), Just("é"), Just("\\"),
    ], 0..25)) {
        let text = words.join(" ");
        if let Err(faults) = query::parse_text(&text, now()) {
            prop_assert!(faults.iter().all(|fault| fault.source.get(fault.span.clone()).is_some()));
        }
    }

    #[test]
    fn no_filter_string_makes_the_reader_panic(filter in "\\PC{0,40}") {
        let _ = query::from_json(&serde_json::json!({ "filters": [filter] }), now());
    }

    #[test]
    fn no_text_escapes_from_its_quotes(text in "\\PC{0,30}|[';\"\\\\ -]{0,10}") {
        use query::sql::{DataFusion, Dialect as _};
        // Inside the outer quotes every quote is doubled, so the constant ends where we end it.
        for (quoted, quote) in [(DataFusion.text(&text), '\''), (DataFusion.identifier(&text), '"')] {
            let inside = quoted.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).unwrap();
            let doubled = format!("{quote}{quote}");
            prop_assert!(!inside.replace(&doubled, "").contains(quote));
            prop_assert_eq!(inside.replace(&doubled, &quote.to_string()), text.clone());
        }
    }
}
