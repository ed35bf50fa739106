//! Keys become columns: all of them, whatever their types.

use std::borrow::Cow;
use std::collections::HashMap;

use super::arithmetic;
use crate::answer::Field;
use crate::ast::Key;
use crate::column::{Column, ColumnKind};
use crate::envelope::Envelope;
use crate::formula::Derived;
use crate::sql::Expr;

/// A dataset as the plan sees it.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// Its name, which is also the table's in SQL.
    pub dataset: &'a str,
    /// Its dynamic columns.
    pub columns: &'a [Column],
    /// The column that holds, as a JSON object, the keys that found no column of their own; none if all of them did.
    pub overflow: Option<&'a str>,
}

/// Where a key's values of one type come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) expr: Expr,
    pub(crate) kind: ColumnKind,
}

/// A dataset's columns by the text that a person writes.
pub(crate) struct Catalogue<'a> {
    pub(crate) dataset: &'a str,
    columns: HashMap<String, Vec<&'a Column>>,
    all: &'a [Column],
    overflow: Option<&'a str>,
    derived: &'a [Derived],
}

/// What a value in the overflow may be.
const OVERFLOW_KINDS: [ColumnKind; 5] =
    [ColumnKind::Text, ColumnKind::Int, ColumnKind::Float, ColumnKind::Bool, ColumnKind::Json];

impl<'a> Catalogue<'a> {
    pub(crate) fn new(table: Table<'a>, derived: &'a [Derived]) -> Self {
        let mut columns: HashMap<String, Vec<&Column>> = HashMap::new();
        for column in table.columns {
            columns.entry(column.path.dotted()).or_default().push(column);
        }
        Self { dataset: table.dataset, columns, all: table.columns, overflow: table.overflow, derived }
    }

    /// All columns of a key; none if the dataset does not have it.
    pub(crate) fn sources(&self, key: &Key) -> Vec<Source> {
        self.derived(key).map_or_else(|| self.stored(key), |derived| vec![derived])
    }

    /// A key that the query derives, for this dataset.
    fn derived(&self, key: &Key) -> Option<Source> {
        let derived = self.derived.iter().find(|derived| derived.name == *key)?;
        let expr = arithmetic::expression(&derived.arithmetic, &|key| number(&self.stored(key)));
        Some(Source { expr, kind: ColumnKind::Float })
    }

    /// All columns of a key that events have themselves.
    fn stored(&self, key: &Key) -> Vec<Source> {
        match named(key) {
            Named::Envelope(field) => vec![self.known(field)],
            Named::Pattern(field) => vec![self.pattern(field)],
            Named::Own(key) => {
                let message = (key == "message").then(|| self.envelope(Envelope::Message));
                let apart = OVERFLOW_KINDS.into_iter().filter_map(|kind| self.apart(&key, Some(kind)));
                message.into_iter().chain(self.dynamic(&key)).chain(apart).collect()
            }
        }
    }

    fn dynamic(&self, dotted: &str) -> impl Iterator<Item = Source> {
        self.columns.get(dotted).into_iter().flatten().map(|column| source(column))
    }

    /// The key's values of a kind (of any kind) in the overflow.
    fn apart(&self, key: &str, kind: Option<ColumnKind>) -> Option<Source> {
        let column = self.overflow?.to_owned();
        let expr = Expr::Overflow { column, key: key.to_owned(), kind };
        Some(Source { expr, kind: kind.unwrap_or(ColumnKind::Json) })
    }

    fn envelope(&self, field: Envelope) -> Source {
        let expr = match field {
            Envelope::Dataset => Expr::Text(self.dataset.to_owned()),
            field => Expr::Column(field.physical().to_owned()),
        };
        Source { expr, kind: field.kind() }
    }

    /// The field where it is set, else nothing.
    fn known(&self, field: Envelope) -> Source {
        let Source { expr, kind } = self.envelope(field);
        Source { expr: if field.is_empty_if_unset() { Expr::Known(Box::new(expr)) } else { expr }, kind }
    }

    fn pattern(&self, field: Envelope) -> Source {
        let Source { expr, kind } = self.envelope(field);
        Source { expr: Expr::Pattern(Box::new(expr)), kind }
    }

    /// The key's own columns and those of everything inside it, so that an object exists if any part of it does.
    pub(crate) fn presence(&self, key: &Key) -> Vec<Source> {
        let inside = |column: &&Column| {
            let dotted = column.path.dotted();
            dotted.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some(derived) = self.derived(key) {
            return vec![derived];
        }
        let own: Vec<Source> = match named(key) {
            Named::Envelope(field) | Named::Pattern(field) => vec![self.envelope(field)],
            Named::Own(key) => {
                let message = (key == "message").then(|| self.envelope(Envelope::Message));
                message.into_iter().chain(self.dynamic(&key)).chain(self.apart(&key, None)).collect()
            }
        };
        own.into_iter().chain(self.all.iter().filter(inside).map(source)).collect()
    }

    /// Where a needle is looked for: the message and everything else that was said, but not the ids and times that we
    /// gave the event.
    pub(crate) fn everything(&self) -> Vec<Source> {
        let ours =
            [Envelope::Dataset, Envelope::Id, Envelope::Kind, Envelope::Timestamp, Envelope::IngestedAt];
        let envelope = Envelope::ALL.into_iter().filter(|field| !ours.contains(field));
        // The overflow's JSON as it stands: there a needle also finds the names of keys.
        let apart = self
            .overflow
            .map(|column| Source { expr: Expr::Column(column.to_owned()), kind: ColumnKind::Json });
        envelope.map(|field| self.envelope(field)).chain(self.all.iter().map(source)).chain(apart).collect()
    }

    /// Whether some events have a key in a column of its own.
    pub(crate) fn has_column(&self, key: &str) -> bool {
        self.columns.contains_key(key)
    }

    /// Every key with each of its types.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field> {
        let field = |column: &Column| Field { name: column.path.dotted(), r#type: column.kind.type_name() };
        self.all.iter().map(field)
    }

    /// Every key that can be asked for, as it is written.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }
}

fn source(column: &Column) -> Source {
    Source { expr: Expr::Column(column.physical.clone()), kind: column.kind }
}

/// What a key means.
pub(crate) enum Named<'k> {
    /// A field of every event.
    Envelope(Envelope),
    /// The pattern of a field's text.
    Pattern(Envelope),
    /// A key that events have or have not; `$baselime.` reads as `$limelight.`.
    Own(Cow<'k, str>),
}

/// A reserved name that is no field of the envelope (`$limelight.samplingInterval`) is a key that some events carry.
pub(crate) fn named(key: &Key) -> Named<'_> {
    match reserved(key) {
        None => Named::Own(key.as_str().into()),
        Some("pattern") => Named::Pattern(Envelope::Message),
        Some("errorPattern") => Named::Pattern(Envelope::Error),
        Some(name) => match Envelope::named(name) {
            Some(field) => Named::Envelope(field),
            None => Named::Own(format!("{PREFIX}{name}").into()),
        },
    }
}

const PREFIX: &str = "$limelight.";

/// The part behind the reserved prefix.
pub(crate) fn reserved(key: &Key) -> Option<&str> {
    let key = key.as_str();
    key.strip_prefix(PREFIX).or_else(|| key.strip_prefix("$baselime."))
}

/// One value of several columns of possibly different types: as they are if they agree, else as text.
pub(crate) fn value(sources: &[Source], kind: ColumnKind) -> Expr {
    let typed =
        |source: &Source| match source.kind == kind || text_like(source.kind) && kind == ColumnKind::Text {
            true => source.expr.clone(),
            false => Expr::ToText(Box::new(source.expr.clone()), source.kind),
        };
    first(sources.iter().map(typed).collect(), kind)
}

/// The kind that all of them have, else text; text too if there is none.
pub(crate) fn common_kind<'s>(sources: impl IntoIterator<Item = &'s Source>) -> ColumnKind {
    let mut kinds = sources.into_iter().map(|source| source.kind);
    match kinds.next() {
        Some(ColumnKind::Json) | None => ColumnKind::Text,
        Some(kind) if kinds.all(|other| other == kind) => kind,
        Some(_) => ColumnKind::Text,
    }
}

/// The number at a key as a float; texts, booleans and JSON are none.
pub(crate) fn number(sources: &[Source]) -> Expr {
    let numbers = sources.iter().filter_map(|source| match source.kind {
        ColumnKind::Float => Some(source.expr.clone()),
        ColumnKind::Int => Some(Expr::ToFloat(Box::new(source.expr.clone()))),
        _ => None,
    });
    first(numbers.collect(), ColumnKind::Float)
}

fn first(mut exprs: Vec<Expr>, kind: ColumnKind) -> Expr {
    match exprs.len() {
        0 => Expr::Null(kind),
        1 => exprs.remove(0),
        _ => Expr::First(exprs),
    }
}

pub(crate) fn text_like(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Text | ColumnKind::Json)
}
