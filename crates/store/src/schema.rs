//! A dataset's columns: the envelope that all datasets share, and one typed column per path and type.

mod envelope;
mod name;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use deltalake_core::kernel::{DataType as DeltaType, PrimitiveType, StructField, StructType};
use query::{Column, ColumnKind};

pub(crate) use envelope::{DATE, ENVELOPE, Kind as EnvelopeKind, OVERFLOW};
pub(crate) use name::physical;

/// The columns of one dataset. Only grows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Schema {
    /// In the order in which they came.
    dynamic: Vec<Column>,
    names: HashSet<String>,
}

impl Schema {
    /// From the names of a table's columns: a dynamic column's name says all.
    pub(crate) fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut schema = Self::default();
        schema.extend(names.into_iter().filter_map(name::parse));
        schema
    }

    /// Adds those that are not there yet; whether there were any.
    pub(crate) fn extend(&mut self, columns: impl IntoIterator<Item = Column>) -> bool {
        let before = self.dynamic.len();
        for column in columns {
            if self.names.insert(column.physical.clone()) {
                self.dynamic.push(column);
            }
        }
        self.dynamic.len() > before
    }

    /// The dynamic columns.
    pub(crate) fn dynamic(&self) -> &[Column] {
        &self.dynamic
    }

    /// Whether there is a dynamic column of that name.
    pub(crate) fn has(&self, physical: &str) -> bool {
        self.names.contains(physical)
    }

    /// The Arrow schema of a data file: everything but the partition column, which is in the file's path.
    pub(crate) fn file(&self) -> SchemaRef {
        let dynamic =
            self.dynamic.iter().map(|column| Field::new(&column.physical, arrow_type(column.kind), true));
        Arc::new(ArrowSchema::new(envelope::fields().chain(dynamic).collect::<Vec<_>>()))
    }

    /// The table's schema as its log keeps it, with the path of each dynamic column for people and other readers.
    ///
    /// # Errors
    /// Never for columns that this crate named: no two names are alike without regard to case.
    pub(crate) fn delta(&self) -> Result<StructType, deltalake_core::DeltaTableError> {
        let envelope = ENVELOPE.iter().map(|(name, kind)| StructField::nullable(*name, kind.delta()));
        let date = StructField::nullable(DATE, DeltaType::Primitive(PrimitiveType::Date));
        let dynamic = self.dynamic.iter().map(|column| {
            StructField::nullable(&column.physical, delta_type(column.kind)).with_metadata([
                ("comment", column.path.dotted()),
                ("limelight.path", serde_json::json!(column.path.segments()).to_string()),
            ])
        });
        StructType::try_new(envelope.chain([date]).chain(dynamic))
            .map_err(|error| deltalake_core::DeltaTableError::generic(error.to_string()))
    }
}

/// The Arrow type of a dynamic column.
pub(crate) fn arrow_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text | ColumnKind::Json => DataType::Utf8,
        ColumnKind::Int => DataType::Int64,
        ColumnKind::Float => DataType::Float64,
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::Timestamp => EnvelopeKind::Time.arrow(),
    }
}

fn delta_type(kind: ColumnKind) -> DeltaType {
    DeltaType::Primitive(match kind {
        ColumnKind::Text | ColumnKind::Json => PrimitiveType::String,
        ColumnKind::Int => PrimitiveType::Long,
        ColumnKind::Float => PrimitiveType::Double,
        ColumnKind::Bool => PrimitiveType::Boolean,
        ColumnKind::Timestamp => PrimitiveType::Timestamp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Path;

    #[test]
    fn a_schema_is_known_again_by_its_names() {
        let column = |keys: &[&str], kind| Column {
            path: Path::from_segments(keys.iter().map(|key| (*key).to_owned()).collect()).unwrap(),
            kind,
            physical: physical(keys, kind).unwrap(),
        };
        let mut schema = Schema::default();
        assert!(
            schema
                .extend([column(&["data", "User"], ColumnKind::Int), column(&["message"], ColumnKind::Json)])
        );
        assert!(!schema.extend([column(&["message"], ColumnKind::Json)]));
        let delta = schema.delta().unwrap();
        let names: Vec<&String> = delta.fields().map(|field| field.name()).collect();
        assert_eq!(Schema::of_names(names.iter().map(|name| name.as_str())), schema);
    }

    #[test]
    fn no_envelope_column_looks_like_a_dynamic_one() {
        assert_eq!(Schema::of_names(ENVELOPE.iter().map(|(name, _)| *name).chain([DATE])), Schema::default());
    }
}
