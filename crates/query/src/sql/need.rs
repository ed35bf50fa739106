//! Which constructs an expression needs that not every engine has.

use std::collections::BTreeSet;

use super::portable::Portable;
use super::{Construct, Expr};
use crate::column::ColumnKind;

/// Adds them to what was found.
pub(crate) fn needs(expr: &Expr, found: &mut BTreeSet<Construct>) {
    match expr {
        Expr::Pattern(_) => _ = found.insert(Construct::MessagePattern),
        Expr::Overflow { .. } => _ = found.insert(Construct::Overflow),
        Expr::ToText(_, ColumnKind::Float) => _ = found.insert(Construct::FloatText),
        Expr::Matches(_, pattern, match_case) => {
            found.extend(Portable::of(pattern, *match_case).constructs);
        }
        _ => {}
    }
    inside(expr).into_iter().for_each(|expr| needs(expr, found));
}

/// The parts of an expression.
fn inside(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::All(parts) | Expr::Any(parts) | Expr::First(parts) => parts.iter().collect(),
        Expr::Equals(left, right)
        | Expr::Compare(_, left, right)
        | Expr::Join(_, left, right)
        | Expr::When(left, right) => vec![left, right],
        Expr::In(part, values) => values.iter().chain([part.as_ref()]).collect(),
        Expr::Not(part)
        | Expr::Exists(part)
        | Expr::IsNull(part)
        | Expr::Contains(part, _)
        | Expr::StartsWith(part, _)
        | Expr::Like(part, _)
        | Expr::Matches(part, _, _)
        | Expr::ToText(part, _)
        | Expr::ToFloat(part)
        | Expr::Micros(part)
        | Expr::Negative(part)
        | Expr::Apply(_, part)
        | Expr::Finite(part)
        | Expr::Pattern(part)
        | Expr::Known(part) => vec![part],
        Expr::Column(_)
        | Expr::Overflow { .. }
        | Expr::Inner(..)
        | Expr::Text(_)
        | Expr::Int(_)
        | Expr::Float(_)
        | Expr::Bool(_)
        | Expr::Time(_)
        | Expr::Null(_) => Vec::new(),
    }
}
