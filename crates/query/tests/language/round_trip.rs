//! Any query written as text reads back as itself, and no text at all makes the readers panic.

use model::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query::{Calculation, Filter, Group, Key, Literal, Operator, Order, OrderBy, Query, Timeframe, View};

use crate::generate::Parts;
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
    let one = (0..Operator::ALL.len(), key(), any::<bool>());
    vec(one, 0..4).prop_map(|drawn| {
        let made = drawn.into_iter().enumerate().map(|(index, (operator, key, named))| {
            let (_, operator) = Operator::ALL[operator];
            let alias = named.then(|| format!("alias_{index}"));
            Calculation { operator, key: (operator != Operator::Count).then_some(key), alias }
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
        filter in option::of(parts().filter(4, 16)),
        needle in option::of(parts().needle()),
        groups in vec(key(), 0..3),
        ordered in option::of((any::<prop::sample::Index>(), any::<bool>())),
        limit in 1..=Query::LIMIT_MAX,
        timeframe in timeframe(),
        buckets in option::of(1..Query::BUCKETS_MAX),
    ) -> Query {
        let view = if calculations.is_empty() { View::Events } else { View::Calculations };
        let mut group_by: Vec<Group> = Vec::new();
        for key in groups {
            if !calculations.is_empty() && group_by.iter().all(|group| group.key != key) {
                group_by.push(Group { key });
            }
        }
        let order_by = ordered.map(|(index, ascending)| OrderBy {
            value: match calculations.is_empty() {
                true => "$limelight.timestamp".to_owned(),
                false => index.get(&calculations).label(),
            },
            order: if ascending { Order::Ascending } else { Order::Descending },
        });
        let granularity_ms = buckets.map(|buckets| timeframe.width_ms() / buckets + 1);
        Query {
            datasets, calculations, filter: filter.unwrap_or_else(Filter::everything), needle, group_by, order_by,
            limit, timeframe, granularity_ms, view,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_query_survives_its_text(query in any_query()) {
        prop_assert_eq!(query.check(), Ok(()));
        let text = query.to_string();
        match query::parse_text(&text, now()) {
            Ok(read) => prop_assert_eq!(read, query, "{}", text),
            Err(faults) => prop_assert!(false, "{}\n{}", text, faults),
        }
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
