//! The names of the filter operations, and what each wants on its right side.

use crate::ast::{Comparison, Literal, Test};
use crate::diagnostic::Diagnostic;

/// An operation before it has its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Equals,
    NotEquals,
    Compare(Comparison),
    Includes,
    Excludes,
    StartsWith,
    Like,
    NotLike,
    Matches,
    Exists,
    Missing,
    In,
    NotIn,
}

/// What stands on the right side of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operand {
    None,
    Value,
    Number,
    Text,
    Regex,
    List,
}

impl Operation {
    /// Every operation by its name; two words may be written with a blank for the underscore.
    pub(crate) const ALL: [(&str, Self); 16] = [
        ("=", Self::Equals),
        ("!=", Self::NotEquals),
        (">", Self::Compare(Comparison::Greater)),
        (">=", Self::Compare(Comparison::GreaterOrEqual)),
        ("<", Self::Compare(Comparison::Less)),
        ("<=", Self::Compare(Comparison::LessOrEqual)),
        ("INCLUDES", Self::Includes),
        ("DOES_NOT_INCLUDE", Self::Excludes),
        ("STARTS_WITH", Self::StartsWith),
        ("LIKE", Self::Like),
        ("NOT_LIKE", Self::NotLike),
        ("MATCH_REGEX", Self::Matches),
        ("EXISTS", Self::Exists),
        ("DOES_NOT_EXIST", Self::Missing),
        ("IN", Self::In),
        ("NOT_IN", Self::NotIn),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, operation)| *operation)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("=", |(name, _)| *name)
    }

    /// The operation and operand of a finished test.
    pub(crate) fn of(test: &Test) -> Self {
        match test {
            Test::Equals(_) => Self::Equals,
            Test::NotEquals(_) => Self::NotEquals,
            Test::Compare(comparison, _) => Self::Compare(*comparison),
            Test::Includes(_) => Self::Includes,
            Test::Excludes(_) => Self::Excludes,
            Test::StartsWith(_) => Self::StartsWith,
            Test::Like(_) => Self::Like,
            Test::NotLike(_) => Self::NotLike,
            Test::Matches(_) => Self::Matches,
            Test::Exists => Self::Exists,
            Test::Missing => Self::Missing,
            Test::In(_) => Self::In,
            Test::NotIn(_) => Self::NotIn,
        }
    }

    pub(crate) fn operand(self) -> Operand {
        match self {
            Self::Exists | Self::Missing => Operand::None,
            Self::Equals | Self::NotEquals => Operand::Value,
            Self::Compare(_) => Operand::Number,
            Self::Includes | Self::Excludes | Self::StartsWith | Self::Like | Self::NotLike => Operand::Text,
            Self::Matches => Operand::Regex,
            Self::In | Self::NotIn => Operand::List,
        }
    }

    /// The finished test; `values` holds what [`Operation::operand`] asks for.
    pub(crate) fn test(self, mut values: Vec<Literal>) -> Result<Test, Diagnostic> {
        if self.operand() == Operand::List {
            return Ok(if self == Self::In { Test::In(values) } else { Test::NotIn(values) });
        }
        let value = values.pop();
        let wanted = || Diagnostic::new(format!("{} needs a value after it", self.name()));
        Ok(match self {
            Self::Exists => Test::Exists,
            Self::Missing => Test::Missing,
            Self::Equals => Test::Equals(value.ok_or_else(wanted)?),
            Self::NotEquals => Test::NotEquals(value.ok_or_else(wanted)?),
            Self::Compare(comparison) => Test::Compare(comparison, value.ok_or_else(wanted)?),
            Self::Includes => Test::Includes(value.ok_or_else(wanted)?.as_text()),
            Self::Excludes => Test::Excludes(value.ok_or_else(wanted)?.as_text()),
            Self::StartsWith => Test::StartsWith(value.ok_or_else(wanted)?.as_text()),
            Self::Like => Test::Like(value.ok_or_else(wanted)?.as_text()),
            Self::NotLike => Test::NotLike(value.ok_or_else(wanted)?.as_text()),
            Self::Matches => Test::Matches(value.ok_or_else(wanted)?.as_text()),
            Self::In | Self::NotIn => return Err(wanted()),
        })
    }
}

/// What to do about a word that is no operation.
pub(crate) fn hint(word: &str) -> String {
    let meant = match word.to_ascii_uppercase().as_str() {
        "==" | "IS" | "EQ" => Some("="),
        "<>" | "NEQ" => Some("!="),
        "CONTAINS" | "HAS" => Some("INCLUDES"),
        "~" | "=~" | "REGEX" | "MATCHES" | "MATCH" => Some("MATCH_REGEX"),
        _ => crate::diagnostic::closest(
            word,
            Operation::ALL.iter().map(|(name, _)| *name).filter(|n| n.len() > 2),
        ),
    };
    match meant {
        Some(name) => format!("did you mean {name}?"),
        None => format!("operations are {}", Operation::ALL.map(|(name, _)| name).join(" ")),
    }
}
