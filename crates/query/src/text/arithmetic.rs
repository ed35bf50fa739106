//! Arithmetic, and what is made of it, as text that reads back.

use std::fmt;

use super::{Word, body, joined_by, reads_back};
use crate::arithmetic::{Arithmetic, Function, Sign};
use crate::ast::Key;
use crate::formula::{Derived, Formula, Having, Term};
use crate::parser;

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.arithmetic, Word(&self.alias))
    }
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.arithmetic.clone().map(&mut Operand))
    }
}

impl fmt::Display for Having {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |one: &Self| matches!(one, Self::All(_) | Self::Any(_));
        match self {
            Self::All(inner) => f.write_str(&joined_by(inner, " AND ", row)),
            Self::Any(inner) => f.write_str(&joined_by(inner, " OR ", row)),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::Is(left, relation, right) => write!(f, "{left} {} {right}", relation.name()),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => Operand(Key::new(name.as_str())).fmt(f),
            Self::Calculated(calculation) => body(calculation, f),
        }
    }
}

/// A name inside arithmetic: in back-quotes where it would read as a number, a sign or a function.
struct Operand(Key);

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.as_str();
        let number = parser::number(name).is_some();
        let other = number || Sign::named(name).is_some() || Function::named(name).is_some();
        match reads_back(name) && other {
            true => write!(f, "`{name}`"),
            false => self.0.fmt(f),
        }
    }
}

impl<L: fmt::Display> fmt::Display for Arithmetic<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Of(leaf) => leaf.fmt(f),
            Self::Negative(inner) => write!(f, "- {}", Tight(inner)),
            Self::Apply(function, inner) => write!(f, "{}({inner})", function.name()),
            Self::Join(sign, left, right) => {
                match left.as_ref() {
                    // What binds as close and stands left was read first: it needs no parentheses.
                    Self::Join(before, ..) if before.binding() >= sign.binding() && *sign != Sign::Power => {
                        left.fmt(f)?;
                    }
                    left => Tight(left).fmt(f)?,
                }
                write!(f, " {} {}", sign.name(), Tight(right))
            }
        }
    }
}

/// With parentheses around anything that has parts.
struct Tight<'a, L>(&'a Arithmetic<L>);

impl<L: fmt::Display> fmt::Display for Tight<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Arithmetic::Join(..) | Arithmetic::Negative(_) => write!(f, "({})", self.0),
            single => single.fmt(f),
        }
    }
}
