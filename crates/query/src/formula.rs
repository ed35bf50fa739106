//! What is worked out of figures, and of keys: formulas, conditions on groups, derived keys.

use crate::arithmetic::Arithmetic;
use crate::ast::{Comparison, Key};
use crate::calculation::Calculation;

/// A figure that is worked out of other figures: `errors / total * 100 as rate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// What it is called in the answer, in `HAVING` and in `ORDER BY`.
    pub alias: String,
    /// Of what it is made.
    pub arithmetic: Arithmetic<Term>,
}

/// A figure inside a formula or a condition on groups.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A calculation by its alias; in conditions and orders also a formula.
    Named(String),
    /// A calculation, which need not be among the query's own.
    Calculated(Box<Calculation>),
}

/// Which groups are shown. A figure that has no value fails every test but `!=`, and `NOT` is the opposite.
#[derive(Debug, Clone, PartialEq)]
pub enum Having {
    /// Every one of them.
    All(Vec<Having>),
    /// At least one of them.
    Any(Vec<Having>),
    /// The opposite.
    Not(Box<Having>),
    /// Two numbers compared.
    Is(Arithmetic<Term>, Relation, Arithmetic<Term>),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `> >= < <=`
    Ordered(Comparison),
}

/// A key that no event has: each event's is worked out of its other keys. Usable wherever a key is.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// What it is called; a key of that name inside the events is not seen.
    pub name: Key,
    /// Of which keys of the event it is made (not of other derived ones).
    pub arithmetic: Arithmetic<Key>,
}

impl Having {
    /// Every comparison in it, in the order of the text.
    pub(crate) fn sides(&self) -> Vec<&Arithmetic<Term>> {
        match self {
            Self::All(inner) | Self::Any(inner) => inner.iter().flat_map(Self::sides).collect(),
            Self::Not(inner) => inner.sides(),
            Self::Is(left, _, right) => vec![left, right],
        }
    }

    /// The same with other terms.
    pub(crate) fn map(self, with: &mut impl FnMut(Term) -> Term) -> Self {
        match self {
            Self::All(inner) => Self::All(inner.into_iter().map(|one| one.map(with)).collect()),
            Self::Any(inner) => Self::Any(inner.into_iter().map(|one| one.map(with)).collect()),
            Self::Not(inner) => Self::Not(Box::new(inner.map(with))),
            Self::Is(left, relation, right) => {
                let left = left.map(with);
                Self::Is(left, relation, right.map(with))
            }
        }
    }

    /// How deep it is nested.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::All(inner) | Self::Any(inner) => {
                inner.iter().map(Self::depth).max().map_or(0, |depth| depth + 1)
            }
            Self::Not(inner) => inner.depth() + 1,
            Self::Is(..) => 0,
        }
    }
}

impl Relation {
    /// Every relation as it is written.
    pub const ALL: [(&str, Self); 6] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        (">", Self::Ordered(Comparison::Greater)),
        (">=", Self::Ordered(Comparison::GreaterOrEqual)),
        ("<", Self::Ordered(Comparison::Less)),
        ("<=", Self::Ordered(Comparison::LessOrEqual)),
    ];

    /// The relation that is written so.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == text).map(|(_, relation)| *relation)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("=", |(name, _)| *name)
    }
}
