//! What not every engine says as we mean it. A plan names the constructs that it needs; a dialect tells of each whether
//! its engine says the same, nearly the same, or cannot say it.

use std::fmt;

/// Something that a plan needs of its engine beyond plain SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Construct {
    /// `$limelight.pattern`: what messages share.
    MessagePattern,
    /// A percentile or a median.
    Percentile,
    /// The text of a float, which texts are looked for in.
    FloatText,
    /// Keys that found no column, inside one JSON text.
    Overflow,
    /// `\b`, `\B` and their kin in a regular expression.
    WordBoundary,
    /// `(?R)` in a regular expression: lines that end with a carriage return.
    CarriageReturnLine,
}

impl fmt::Display for Construct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessagePattern => "message patterns ($limelight.pattern, VIEW patterns)",
            Self::Percentile => "percentiles",
            Self::FloatText => "the digits of numbers as text",
            Self::Overflow => "keys without a column of their own",
            Self::WordBoundary => "word boundaries (\\b) in regular expressions",
            Self::CarriageReturnLine => "(?R) in regular expressions",
        })
    }
}

/// How an engine says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// As the language means it.
    Same,
    /// Nearly; this is what differs, for whoever reads the answer.
    Nearly(&'static str),
    /// Not at all.
    Not,
}

/// What an engine cannot say of a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{engine} cannot say {}; leave the engine to Limelight, or ask without", listed(.constructs))]
pub struct Unsayable {
    /// The engine's name.
    pub engine: &'static str,
    /// What it cannot say, each once.
    pub constructs: Vec<Construct>,
}

fn listed(constructs: &[Construct]) -> String {
    constructs.iter().map(Construct::to_string).collect::<Vec<_>>().join(", ")
}
