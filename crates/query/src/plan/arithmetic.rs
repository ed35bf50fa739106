//! Arithmetic becomes an expression over floats that has no value where a part has none, where it divides by zero, and
//! where it is not finite.

use crate::arithmetic::Arithmetic;
use crate::formula::{Having, Relation, Term};
use crate::sql::Expr;

/// `of` gives the float that a leaf stands for.
pub(super) fn expression<L>(arithmetic: &Arithmetic<L>, of: &dyn Fn(&L) -> Expr) -> Expr {
    match arithmetic {
        Arithmetic::Of(leaf) => of(leaf),
        Arithmetic::Number(number) => Expr::Float(*number),
        arithmetic => Expr::Finite(Box::new(part(arithmetic, of))),
    }
}

fn part<L>(arithmetic: &Arithmetic<L>, of: &dyn Fn(&L) -> Expr) -> Expr {
    let inner = |inner: &Arithmetic<L>| Box::new(part(inner, of));
    match arithmetic {
        Arithmetic::Number(number) => Expr::Float(*number),
        Arithmetic::Of(leaf) => of(leaf),
        Arithmetic::Negative(one) => Expr::Negative(inner(one)),
        Arithmetic::Apply(function, one) => Expr::Apply(*function, inner(one)),
        Arithmetic::Join(sign, left, right) => Expr::Join(*sign, inner(left), inner(right)),
    }
}

/// A condition on groups; `of` gives the float that a figure is.
pub(super) fn having(having: &Having, of: &dyn Fn(&Term) -> Expr) -> Expr {
    let each = |inner: &[Having]| inner.iter().map(|one| self::having(one, of)).collect();
    match having {
        Having::All(inner) => Expr::All(each(inner)),
        Having::Any(inner) => Expr::Any(each(inner)),
        Having::Not(inner) => Expr::Not(Box::new(self::having(inner, of))),
        Having::Is(left, relation, right) => {
            let (left, right) = (Box::new(expression(left, of)), Box::new(expression(right, of)));
            match relation {
                Relation::Equal => Expr::Equals(left, right),
                Relation::NotEqual => Expr::Not(Box::new(Expr::Equals(left, right))),
                Relation::Ordered(comparison) => Expr::Compare(*comparison, left, right),
            }
        }
    }
}
