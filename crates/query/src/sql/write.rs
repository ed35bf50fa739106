//! Expressions as text.

use super::{Dialect, Expr};
use crate::ast::Comparison;

/// Longer rows of AND and OR are written as a balanced tree: engines parse and plan by recursion, and a thousand
/// columns in one row would be a thousand levels.
const ROW_MAX: usize = 8;

/// An expression in a dialect.
pub(crate) fn write(expr: &Expr, dialect: &dyn Dialect) -> String {
    let inner = |expr: &Expr| write(expr, dialect);
    match expr {
        Expr::Column(name) => dialect.identifier(name),
        Expr::Overflow { column, key, kind } => dialect.overflow(&dialect.identifier(column), key, *kind),
        Expr::Inner(prefix, index) => format!("{prefix}{index}"),
        Expr::Text(text) => dialect.text(text),
        Expr::Int(number) => dialect.int(*number),
        Expr::Float(number) => dialect.float(*number),
        Expr::Bool(flag) => dialect.bool(*flag),
        Expr::Time(micros) => dialect.time(*micros),
        Expr::Null(kind) => dialect.null(*kind),
        Expr::All(exprs) => joined(exprs, " AND ", true, dialect),
        Expr::Any(exprs) => joined(exprs, " OR ", false, dialect),
        Expr::Not(expr) => dialect.not(&inner(expr)),
        Expr::Equals(left, right) => format!("{} = {}", inner(left), inner(right)),
        Expr::Compare(comparison, left, right) => {
            format!("{} {} {}", inner(left), symbol(*comparison), inner(right))
        }
        Expr::In(expr, values) => format!("{} IN ({})", inner(expr), literal_list(values, dialect)),
        Expr::Exists(expr) => format!("{} IS NOT NULL", inner(expr)),
        Expr::IsNull(expr) => format!("{} IS NULL", inner(expr)),
        Expr::Contains(expr, part) => dialect.contains(&inner(expr), part),
        Expr::StartsWith(expr, prefix) => dialect.starts_with(&inner(expr), prefix),
        Expr::Like(expr, pattern) => dialect.like(&inner(expr), pattern),
        Expr::Matches(expr, pattern, match_case) => dialect.matches(&inner(expr), pattern, *match_case),
        Expr::First(exprs) => dialect.first(&exprs.iter().map(inner).collect::<Vec<_>>()),
        Expr::ToText(expr, kind) => dialect.to_text(&inner(expr), *kind),
        Expr::ToFloat(expr) => dialect.to_float(&inner(expr)),
        Expr::Micros(expr) => dialect.micros(&inner(expr)),
        Expr::Join(sign, left, right) => dialect.join(*sign, &inner(left), &inner(right)),
        Expr::Negative(expr) => format!("(- {})", inner(expr)),
        Expr::Apply(function, expr) => dialect.apply(*function, &inner(expr)),
        Expr::Finite(expr) => dialect.finite(&inner(expr)),
        Expr::Pattern(expr) => dialect.pattern(&inner(expr)),
        Expr::Known(expr) => dialect.known(&inner(expr)),
        Expr::When(condition, expr) => {
            format!("CASE WHEN {} THEN {} END", inner(condition), inner(expr))
        }
    }
}

/// Constants with commas between them.
fn literal_list(values: &[Expr], dialect: &dyn Dialect) -> String {
    values.iter().map(|value| write(value, dialect)).collect::<Vec<_>>().join(", ")
}

fn joined(exprs: &[Expr], word: &str, of_nothing: bool, dialect: &dyn Dialect) -> String {
    match exprs {
        [] => dialect.bool(of_nothing),
        [one] => write(one, dialect),
        row if row.len() <= ROW_MAX => {
            row.iter().map(|expr| operand(expr, dialect)).collect::<Vec<_>>().join(word)
        }
        long => {
            let (left, right) = long.split_at(long.len() / 2);
            let half = |exprs| format!("({})", joined(exprs, word, of_nothing, dialect));
            format!("{}{word}{}", half(left), half(right))
        }
    }
}

/// Inside a row only another row needs parentheses; everything else binds closer.
fn operand(expr: &Expr, dialect: &dyn Dialect) -> String {
    let text = write(expr, dialect);
    match expr {
        Expr::All(exprs) | Expr::Any(exprs) if exprs.len() > 1 => format!("({text})"),
        _ => text,
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
    }
}
