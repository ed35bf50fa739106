//! Other engines: they run the statements of a query's plan over the same tables, outside this process. What comes back
//! is read as if it had come from here.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use async_trait::async_trait;
use query::RunError;
use query::sql::Dialect;

use super::failed;

/// An engine that knows each dataset by its name. Whoever drops a statement's future stops the statement.
#[async_trait]
pub trait Elsewhere: Debug + Send + Sync {
    /// What it reads.
    fn dialect(&self) -> &dyn Dialect;

    /// Runs one statement to its end; more rows than `rows_max` are [`RunError::TooManyRows`].
    ///
    /// # Errors
    /// When the engine refuses the statement, fails, or takes too long.
    async fn run(&self, sql: &str, rows_max: u64) -> Result<Rows, RunError>;
}

/// A result, each value as text: whole numbers and floats by their digits, `true` and `false`, times in UTC as
/// `2026-11-20 14:00:00.000000`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The names of the columns, in their order.
    pub columns: Vec<String>,
    /// As many values as there are columns; none where there is no value.
    pub rows: Vec<Vec<Option<String>>>,
    /// Bytes that the engine says it read.
    pub bytes_read: u64,
}

impl Rows {
    /// One batch of texts. Whoever reads a column casts it to what it wants.
    pub(super) fn batch(&self) -> Result<RecordBatch, RunError> {
        let values = |at: usize| self.rows.iter().map(move |row| row.get(at).and_then(Option::as_deref));
        let column = |at: usize| Arc::new(values(at).collect::<StringArray>()) as ArrayRef;
        let columns = self.columns.iter().enumerate().map(|(at, name)| (name, column(at), true));
        RecordBatch::try_from_iter_with_nullable(columns).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array as _, AsArray as _};
    use arrow::datatypes::{DataType, Float64Type, Int64Type};

    use super::super::cell::{column, layout};
    use super::*;

    #[test]
    fn texts_are_read_as_what_is_wanted_of_them() {
        let row = |values: [&str; 4]| values.map(|value| Some(value.to_owned())).to_vec();
        let rows = Rows {
            columns: ["n", "f", "b", "t"].map(str::to_owned).to_vec(),
            rows: vec![row(["7", "2.5e-3", "true", "2026-11-20 14:00:00.000001"]), vec![None; 4]],
            bytes_read: 0,
        };
        let batch = rows.batch().unwrap();
        let read = |name: &str, to: &DataType| column(&batch, name, to).unwrap();
        assert_eq!(read("n", &DataType::Int64).as_primitive::<Int64Type>().value(0), 7);
        assert_eq!(read("f", &DataType::Float64).as_primitive::<Float64Type>().value(0), 0.002_5);
        assert!(read("b", &DataType::Boolean).as_boolean().value(0));
        let time = read("t", &layout(query::ColumnKind::Timestamp));
        assert_eq!(
            super::super::cell::group_value(&time, query::ColumnKind::Timestamp, 0),
            query::GroupValue::Time(1_795_183_200_000_001)
        );
        assert!(["n", "f", "b", "t"].iter().all(|name| read(name, &DataType::Utf8).is_null(1)));
    }
}
