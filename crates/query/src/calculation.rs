//! What can be worked out of many events: the operators and their names.

use std::fmt;

use crate::ast::{Filter, Key};

/// One figure per group.
#[derive(Debug, Clone, PartialEq)]
pub struct Calculation {
    /// How.
    pub operator: Operator,
    /// Of which key; none for `COUNT` only.
    pub key: Option<Key>,
    /// Of which of the group's events; none for all of them.
    pub condition: Option<Filter>,
    /// What the figure is called; else its text, as `P99(@duration)`.
    pub alias: Option<String>,
}

/// How many events become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// How many events.
    Count,
    /// How many different values.
    CountDistinct,
    /// Sum of the numbers.
    Sum,
    /// Their mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The one in the middle.
    Median,
    /// Sample standard deviation.
    Stddev,
    /// Sample variance.
    Variance,
    /// A percentile, in thousandths: `P999` is 999, `P50` does not exist (`MEDIAN`).
    Percentile(u16),
}

impl Operator {
    /// Every operator with its name.
    pub const ALL: [(&str, Self); 19] = [
        ("COUNT", Self::Count),
        ("COUNT_DISTINCT", Self::CountDistinct),
        ("SUM", Self::Sum),
        ("AVG", Self::Avg),
        ("MIN", Self::Min),
        ("MAX", Self::Max),
        ("MEDIAN", Self::Median),
        ("STDDEV", Self::Stddev),
        ("VARIANCE", Self::Variance),
        ("P001", Self::Percentile(1)),
        ("P01", Self::Percentile(10)),
        ("P05", Self::Percentile(50)),
        ("P10", Self::Percentile(100)),
        ("P25", Self::Percentile(250)),
        ("P75", Self::Percentile(750)),
        ("P90", Self::Percentile(900)),
        ("P95", Self::Percentile(950)),
        ("P99", Self::Percentile(990)),
        ("P999", Self::Percentile(999)),
    ];

    /// The operator of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, operator)| *operator)
    }

    /// Its name; a percentile that no name exists for is called by the nearest one that does.
    pub fn name(self) -> &'static str {
        let exact = Self::ALL.iter().find(|(_, known)| *known == self);
        let nearest = || match self {
            Self::Percentile(wanted) => Self::ALL
                .iter()
                .filter_map(|(name, known)| match known {
                    Self::Percentile(thousandths) => Some((wanted.abs_diff(*thousandths), *name)),
                    _ => None,
                })
                .min()
                .map(|(_, name)| name),
            _ => None,
        };
        exact.map(|(name, _)| *name).or_else(nearest).unwrap_or("COUNT")
    }
}

impl Calculation {
    /// `COUNT`.
    pub fn count() -> Self {
        Self { operator: Operator::Count, key: None, condition: None, alias: None }
    }

    /// `OPERATOR(key)`.
    pub fn of(operator: Operator, key: impl Into<String>) -> Self {
        Self { operator, key: Some(Key::new(key)), condition: None, alias: None }
    }

    /// The same of those events only that a filter lets through.
    #[must_use]
    pub fn when(mut self, condition: Filter) -> Self {
        self.condition = Some(condition);
        self
    }

    /// The same under a name of its own.
    #[must_use]
    pub fn named(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// What the figure is called in the answer and in `ORDER BY`: the alias, else `P99(@duration)` or `COUNT`.
    pub fn label(&self) -> String {
        self.alias.clone().unwrap_or_else(|| self.text())
    }

    /// Without alias: `P99(@duration)`, `COUNT`, `COUNT IF (level = error)`.
    pub fn text(&self) -> String {
        let body = match &self.key {
            Some(key) => format!("{}({})", self.operator.name(), key.as_str()),
            None => self.operator.name().to_owned(),
        };
        match &self.condition {
            Some(condition) => format!("{body} IF ({condition})"),
            None => body,
        }
    }

    /// Whether both work out the same, whatever they are called.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.operator == other.operator && self.key == other.key && self.condition == other.condition
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
