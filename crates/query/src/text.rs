//! A query as the one-line text that reads back as the same query.

mod arithmetic;

use std::fmt;

use crate::ast::{Condition, Filter, Key, Literal, Needle, Order, OrderBy, Query, Test, View};
use crate::calculation::Calculation;
use crate::operation::{Operand, Operation};
use crate::{lexer, parser, time};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.explain {
            f.write_str("EXPLAIN ")?;
        }
        if self.view.whole().is_some() || self.has_figures() && self.view == View::Events {
            write!(f, "VIEW {} ", self.view.name())?;
        }
        if self.has_figures() {
            let calculations = self.calculations.iter().map(ToString::to_string);
            let formulas = self.formulas.iter().map(ToString::to_string);
            write!(f, "{} ", calculations.chain(formulas).collect::<Vec<_>>().join(", "))?;
        }
        let datasets: Vec<_> = self.datasets.iter().map(|name| Word(name)).collect();
        write!(f, "FROM {}", joined(&datasets))?;
        if !self.derived.is_empty() {
            write!(f, " DERIVE {}", joined(&self.derived))?;
        }
        if self.filter != Filter::everything() {
            write!(f, " WHERE {}", self.filter)?;
        }
        if let Some(needle) = &self.needle {
            write!(f, " SEARCH {needle}")?;
        }
        if !self.group_by.is_empty() {
            let keys: Vec<_> = self.group_by.iter().map(|group| &group.key).collect();
            write!(f, " GROUP BY {}", joined(&keys))?;
        }
        if let Some(having) = &self.having {
            write!(f, " HAVING {having}")?;
        }
        if let Some(heatmap) = &self.heatmap {
            let scale = heatmap.scale.map(|scale| format!(" {}", scale.name())).unwrap_or_default();
            write!(f, " HEATMAP {}{scale}", heatmap.key)?;
        }
        if let Some(order_by) = &self.order_by {
            self.order(order_by, f)?;
        }
        write!(f, " LIMIT {}{}", self.limit, if self.others { " OTHERS" } else { "" })?;
        write!(f, " BETWEEN {} AND {}", self.timeframe.from, self.timeframe.to)?;
        if let Some(earlier) = self.compare_ms {
            write!(f, " COMPARE {}", time::duration_text(earlier))?;
        }
        if !self.zone.is_utc() {
            write!(f, " TIMEZONE {}", self.zone)?;
        }
        match (self.granularity_ms, self.view) {
            (Some(width), _) => write!(f, " EVERY {}", time::duration_text(width)),
            (None, View::Calculations) => f.write_str(" EVERY NONE"),
            (None, View::Events | View::Wholes(_)) => Ok(()),
        }
    }
}

impl Query {
    fn order(&self, order_by: &OrderBy, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calculation = self.ordered_calculation(&order_by.value).and_then(|at| self.calculations.get(at));
        f.write_str(" ORDER BY ")?;
        match calculation {
            Some(calculation) if calculation.alias.as_ref() != Some(&order_by.value) => body(calculation, f)?,
            _ => write!(f, "{}", Key::new(order_by.value.as_str()))?,
        }
        f.write_str(if order_by.order == Order::Ascending { " ASC" } else { " DESC" })
    }
}

/// `P99(@duration) as p99`.
impl fmt::Display for Calculation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        body(self, f)?;
        match &self.alias {
            Some(alias) => write!(f, " as {}", Word(alias)),
            None => Ok(()),
        }
    }
}

fn body(calculation: &Calculation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &calculation.key {
        Some(key) => write!(f, "{}({key})", calculation.operator)?,
        None => write!(f, "{}", calculation.operator)?,
    }
    match &calculation.condition {
        Some(condition) => write!(f, " IF ({condition})"),
        None => Ok(()),
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (filters, word) = match self {
            Self::All(filters) => (filters, " AND "),
            Self::Any(filters) => (filters, " OR "),
            Self::Not(filter) if matches!(**filter, Self::Is(_) | Self::Not(_)) => {
                return write!(f, "NOT {filter}");
            }
            Self::Not(filter) => return write!(f, "NOT ({filter})"),
            Self::Is(condition) => return condition.fmt(f),
        };
        for (index, filter) in filters.iter().enumerate() {
            if index > 0 {
                f.write_str(word)?;
            }
            match filter {
                Self::All(_) | Self::Any(_) => write!(f, "({filter})")?,
                Self::Not(_) | Self::Is(_) => filter.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = Operation::of(&self.test);
        write!(f, "{} {}", self.key, operation.name())?;
        match &self.test {
            Test::Exists | Test::Missing => Ok(()),
            Test::Equals(value) | Test::NotEquals(value) => write!(f, " {value}"),
            // A text that looks like a number would read back as one, even where `=` would leave it a text.
            Test::Compare(_, Literal::Text(text)) => write!(f, " {}", Quoted(text)),
            Test::Compare(_, value) => write!(f, " {value}"),
            Test::In(values) | Test::NotIn(values) => write!(f, " ({})", joined(values)),
            Test::Includes(text) | Test::Excludes(text) | Test::StartsWith(text) => {
                write!(f, " {}", Word(text))
            }
            Test::Like(text) | Test::NotLike(text) => write!(f, " {}", Word(text)),
            Test::Matches(regex) => {
                debug_assert_eq!(operation.operand(), Operand::Regex);
                write!(f, " {}", Quoted(regex))
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if Self::bare(text) == *self => write!(f, "{}", Word(text)),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Int(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Bool(flag) => flag.fmt(f),
        }
    }
}

impl fmt::Display for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_regex {
            write!(f, "/{}/", slashed(&self.value))?;
        } else {
            write!(f, "{}", Quoted(&self.value))?;
        }
        f.write_str(if self.match_case { " MATCH CASE" } else { "" })
    }
}

/// A regular expression between slashes: its own slashes are escaped, its escapes stay.
fn slashed(regex: &str) -> String {
    let mut text = String::new();
    let mut chars = regex.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' => text.push_str("\\/"),
            '\\' => text.extend(['\\'].into_iter().chain(chars.next())),
            c => text.push(c),
        }
    }
    // What would read as two paths with clauses between them says the same with its last blank in brackets.
    match text.pop() {
        Some(last) if last.is_whitespace() && parser::ends_like_a_clause(regex) => {
            text.extend(['[', last, ']']);
        }
        last => text.extend(last),
    }
    text
}

/// Bare where that reads back, else in back-quotes.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if reads_back(self.as_str()) {
            f.write_str(self.as_str())
        } else {
            write!(f, "`{}`", self.as_str().replace('`', "``"))
        }
    }
}

/// A text in double quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

/// A text that is bare where that reads back, else in double quotes.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if reads_back(self.0) { f.write_str(self.0) } else { Quoted(self.0).fmt(f) }
    }
}

fn reads_back(word: &str) -> bool {
    !word.is_empty()
        && !word.contains(lexer::ends_word)
        && !word.starts_with('/')
        && !parser::is_reserved(word)
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// With a word between them, and parentheses around those that need them.
fn joined_by<T: fmt::Display>(items: &[T], word: &str, tight: impl Fn(&T) -> bool) -> String {
    let one = |item: &T| if tight(item) { format!("({item})") } else { item.to_string() };
    items.iter().map(one).collect::<Vec<_>>().join(word)
}
