//! Events into one Arrow batch: the envelope, and a column for each path and type that occurs.

mod envelope;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
};
use arrow::datatypes::Schema as ArrowSchema;
use arrow::error::ArrowError;
use model::{Event, Map, Path, Timestamp, Value};
use query::{Column, ColumnKind};

use super::{json, leaf};
use crate::schema::{self, Schema};
use envelope::Envelope;

/// Rows of some events, and the dynamic columns that they need.
pub(crate) struct Encoded {
    pub(crate) batch: RecordBatch,
    pub(crate) columns: Vec<Column>,
}

/// Encodes events in their order. A path and type that `known` has no column for gets a new one as long as there are
/// fewer than `columns_max`; what is over, and what no column name can be given to, goes into the overflow column.
///
/// # Errors
/// Never for events that fit memory: the arrays are made to fit the schema.
pub(crate) fn encode(
    events: &[&Event],
    known: &Schema,
    columns_max: usize,
    ingested_at: Timestamp,
) -> Result<Encoded, ArrowError> {
    let mut rows = Rows {
        known,
        columns_left: columns_max.saturating_sub(known.dynamic().len()),
        nodes: vec![Node::default()],
        columns: Vec::new(),
        row: 0,
    };
    let mut envelope = Envelope::default();
    for event in events {
        let mut overflow = Map::new();
        rows.keep(&event.attributes, 0, &mut Vec::new(), &mut overflow);
        let overflow = (!overflow.is_empty()).then(|| json::text(&Value::Object(overflow)));
        envelope.push(event, ingested_at, overflow.as_deref());
        rows.row += 1;
    }
    rows.finish(envelope)
}

/// Dynamic columns while they are filled. Paths are a tree, so that a key is compared once per level.
struct Rows<'a> {
    known: &'a Schema,
    columns_left: usize,
    nodes: Vec<Node>,
    columns: Vec<(Column, Values)>,
    row: usize,
}

/// One key of a path: what is below it, and the column of each type at it.
#[derive(Default)]
struct Node {
    key: String,
    children: HashMap<String, usize>,
    /// The child that came first last time, and the sibling that came after this key: most events have the keys of the
    /// one before, in the same order, and are spared the search.
    first: Option<usize>,
    after: Option<usize>,
    columns: [Place; 5],
}

/// Where values of one path and type go.
#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Unknown,
    Column(usize),
    Overflow,
}

impl<'a> Rows<'a> {
    fn keep<'e>(&mut self, map: &'e Map, node: usize, path: &mut Vec<&'e str>, overflow: &mut Map) {
        let mut before = None;
        for (key, value) in map {
            let child = self.child(node, before, key);
            before = Some(child);
            path.push(key);
            match (leaf::kind_of(value), value) {
                (Some(kind), _) => self.keep_leaf(child, path, kind, value, overflow),
                (None, Value::Object(inside)) => self.keep(inside, child, path, overflow),
                (None, _) => {}
            }
            path.pop();
        }
    }

    /// The node of a key below another one, after the sibling before it.
    fn child(&mut self, node: usize, before: Option<usize>, key: &str) -> usize {
        let guess = before.map_or(self.nodes[node].first, |before| self.nodes[before].after);
        if let Some(guess) = guess.filter(|guess| self.nodes[*guess].key == key) {
            return guess;
        }
        let child = match self.nodes[node].children.get(key) {
            Some(child) => *child,
            None => {
                let child = self.nodes.len();
                self.nodes.push(Node { key: key.to_owned(), ..Node::default() });
                self.nodes[node].children.insert(key.to_owned(), child);
                child
            }
        };
        match before {
            Some(before) => self.nodes[before].after = Some(child),
            None => self.nodes[node].first = Some(child),
        }
        child
    }

    fn keep_leaf(&mut self, node: usize, path: &[&str], kind: ColumnKind, value: &Value, overflow: &mut Map) {
        let slot = slot(kind);
        if matches!(self.nodes[node].columns[slot], Place::Unknown) {
            self.nodes[node].columns[slot] = self.place(path, kind);
        }
        match self.nodes[node].columns[slot] {
            Place::Column(number) => self.columns[number].1.push(self.row, value),
            Place::Unknown | Place::Overflow => leaf::insert(overflow, path, value.clone()),
        }
    }

    /// Decides once per batch where a path and type goes.
    fn place(&mut self, path: &[&str], kind: ColumnKind) -> Place {
        let Some(physical) = schema::physical(path, kind) else { return Place::Overflow };
        if !self.known.has(&physical) {
            if self.columns_left == 0 {
                return Place::Overflow;
            }
            self.columns_left -= 1;
        }
        let Some(path) = Path::from_segments(path.iter().map(|key| (*key).to_owned()).collect()) else {
            return Place::Overflow;
        };
        self.columns.push((Column { path, kind, physical }, Values::new(kind)));
        Place::Column(self.columns.len() - 1)
    }

    fn finish(self, envelope: Envelope) -> Result<Encoded, ArrowError> {
        let rows = self.row;
        let (columns, values): (Vec<Column>, Vec<Values>) = self.columns.into_iter().unzip();
        let mut schema = Schema::default();
        schema.extend(columns.iter().cloned());
        let arrays = envelope
            .finish()
            .into_iter()
            .chain(values.into_iter().map(|values| values.finish(rows)))
            .collect();
        let fields: Arc<ArrowSchema> = schema.file();
        Ok(Encoded { batch: RecordBatch::try_new(fields, arrays)?, columns })
    }
}

fn slot(kind: ColumnKind) -> usize {
    match kind {
        ColumnKind::Text | ColumnKind::Timestamp => 0,
        ColumnKind::Int => 1,
        ColumnKind::Float => 2,
        ColumnKind::Bool => 3,
        ColumnKind::Json => 4,
    }
}

/// The values of one dynamic column so far; rows without one are filled up when the next comes.
pub(super) enum Values {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Json(StringBuilder),
}

impl Values {
    pub(super) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text | ColumnKind::Timestamp => Self::Text(StringBuilder::new()),
            ColumnKind::Int => Self::Int(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new()),
            ColumnKind::Bool => Self::Bool(BooleanBuilder::new()),
            ColumnKind::Json => Self::Json(StringBuilder::new()),
        }
    }

    pub(super) fn push(&mut self, row: usize, value: &Value) {
        self.fill(row);
        match (self, value) {
            (Self::Text(texts), Value::String(text)) => texts.append_value(text),
            (Self::Int(numbers), Value::Int(number)) => numbers.append_value(*number),
            (Self::Float(numbers), Value::Float(number)) => numbers.append_value(*number),
            (Self::Bool(flags), Value::Bool(flag)) => flags.append_value(*flag),
            (Self::Json(texts), other) => texts.append_value(json::text(other)),
            // A value only comes to the column of its own type; should it not, the row stays without it.
            _ => {}
        }
    }

    fn fill(&mut self, rows: usize) {
        match self {
            Self::Text(texts) | Self::Json(texts) => {
                for _ in texts.len()..rows {
                    texts.append_null();
                }
            }
            Self::Int(numbers) => numbers.append_nulls(rows - numbers.len()),
            Self::Float(numbers) => numbers.append_nulls(rows - numbers.len()),
            Self::Bool(flags) => flags.append_nulls(rows - flags.len()),
        }
    }

    pub(super) fn finish(mut self, rows: usize) -> ArrayRef {
        self.fill(rows);
        match self {
            Self::Text(mut texts) | Self::Json(mut texts) => Arc::new(texts.finish()),
            Self::Int(mut numbers) => Arc::new(numbers.finish()),
            Self::Float(mut numbers) => Arc::new(numbers.finish()),
            Self::Bool(mut flags) => Arc::new(flags.finish()),
        }
    }
}
