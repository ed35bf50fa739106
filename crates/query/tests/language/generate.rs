//! Random filters, needles, formulas and conditions on groups from random keys and values. Written once for whoever
//! tries queries against something: this crate's text round trip, and (by `#[path]`) the store's comparison of its
//! engine with a naive evaluator. What keys and values there are is theirs to say.

use proptest::collection::vec;
use proptest::prelude::*;
use query::{
    Arithmetic, Comparison, Condition, Filter, Function, Having, Key, Literal, Needle, Relation, Sign, Term,
    Test,
};

/// What the generated filters are made of.
pub(crate) struct Parts {
    /// Keys of conditions.
    pub(crate) key: BoxedStrategy<Key>,
    /// Text that must stand somewhere, or at the beginning.
    pub(crate) text: BoxedStrategy<String>,
    /// What values are equal to.
    pub(crate) literal: BoxedStrategy<Literal>,
    /// What values are greater or less than.
    pub(crate) compared: BoxedStrategy<Literal>,
    /// Patterns of `LIKE`.
    pub(crate) pattern: BoxedStrategy<String>,
    /// Valid regular expressions.
    pub(crate) regex: BoxedStrategy<String>,
}

impl Parts {
    /// Filters of up to `depth` levels and about `size` conditions.
    pub(crate) fn filter(&self, depth: u32, size: u32) -> impl Strategy<Value = Filter> + use<> {
        let leaf =
            (self.key.clone(), self.test()).prop_map(|(key, test)| Filter::Is(Condition { key, test }));
        leaf.prop_recursive(depth, size, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 2..4).prop_map(Filter::All),
                vec(inner.clone(), 2..4).prop_map(Filter::Any),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    /// Needles in every mode; a regular one matches itself only.
    pub(crate) fn needle(&self) -> impl Strategy<Value = Needle> + use<> {
        let text = self.text.clone().prop_filter("nothing to search for", |text| !text.is_empty());
        (text, any::<bool>(), any::<bool>()).prop_map(|(text, is_regex, match_case)| Needle {
            value: if is_regex { regex::escape(&text) } else { text },
            is_regex,
            match_case,
        })
    }

    fn test(&self) -> impl Strategy<Value = Test> + use<> {
        let comparison = prop_oneof![
            Just(Comparison::Greater),
            Just(Comparison::GreaterOrEqual),
            Just(Comparison::Less),
            Just(Comparison::LessOrEqual)
        ];
        let (text, literal, pattern) = (&self.text, &self.literal, &self.pattern);
        prop_oneof![
            literal.clone().prop_map(Test::Equals),
            literal.clone().prop_map(Test::NotEquals),
            (comparison, self.compared.clone())
                .prop_map(|(comparison, literal)| Test::Compare(comparison, literal)),
            text.clone().prop_map(Test::Includes),
            text.clone().prop_map(Test::Excludes),
            text.clone().prop_map(Test::StartsWith),
            pattern.clone().prop_map(Test::Like),
            pattern.clone().prop_map(Test::NotLike),
            text.clone().prop_map(|text| Test::Matches(regex::escape(&text))),
            self.regex.clone().prop_map(Test::Matches),
            Just(Test::Exists),
            Just(Test::Missing),
            vec(literal.clone(), 1..4).prop_map(Test::In),
            vec(literal.clone(), 1..4).prop_map(Test::NotIn),
        ]
    }
}

/// Arithmetic that is more than one leaf.
pub(crate) fn arithmetic<L: std::fmt::Debug + Clone + 'static>(
    leaf: BoxedStrategy<L>,
) -> BoxedStrategy<Arithmetic<L>> {
    let number =
        prop_oneof![-9..9_i32, Just(0)].prop_map(|halves| Arithmetic::Number(f64::from(halves) / 2.0));
    let single = prop_oneof![leaf.prop_map(Arithmetic::Of), number].boxed();
    let several = single.prop_recursive(3, 8, 2, |inner| {
        let sign = proptest::sample::select(Sign::ALL.to_vec());
        let function = proptest::sample::select(Function::ALL.to_vec());
        prop_oneof![
            4 => (sign, inner.clone(), inner.clone())
                .prop_map(|((_, sign), left, right)| Arithmetic::join(sign, left, right)),
            1 => inner.clone().prop_map(|inner| Arithmetic::Negative(Box::new(inner))),
            1 => (function, inner)
                .prop_map(|((_, function), inner)| Arithmetic::Apply(function, Box::new(inner))),
        ]
    });
    several.prop_filter("more than a leaf", |arithmetic| !matches!(arithmetic, Arithmetic::Of(_))).boxed()
}

/// Conditions on groups over these figures.
pub(crate) fn having(term: BoxedStrategy<Term>) -> BoxedStrategy<Having> {
    let relation = proptest::sample::select(Relation::ALL.to_vec());
    let number = (-9..9_i32).prop_map(|halves| Arithmetic::Number(f64::from(halves) / 2.0));
    let side = prop_oneof![term.clone().prop_map(Arithmetic::Of), arithmetic(term.clone())];
    let is = (side, relation, prop_oneof![number, term.prop_map(Arithmetic::Of)])
        .prop_map(|(left, (_, relation), right)| Having::Is(left, relation, right));
    is.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Having::All),
            vec(inner.clone(), 2..4).prop_map(Having::Any),
            inner.prop_map(|having| Having::Not(Box::new(having))),
        ]
    })
    .boxed()
}
