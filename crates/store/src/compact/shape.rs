//! The columns of a merged file, and how rows of files with other columns are gathered into them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::schema::Schema;

/// For each column of the shape, which of a file's columns it is.
pub(super) type Fit = Arc<Vec<Option<usize>>>;

/// A batch of some file.
pub(super) struct Held {
    pub(super) fit: Fit,
    pub(super) batch: RecordBatch,
}

/// The merged file's columns.
pub(super) struct Shape {
    schema: SchemaRef,
    /// One null of each column's type: what rows of a file without the column have there.
    nulls: Vec<ArrayRef>,
}

impl Shape {
    pub(super) fn new(columns: &Schema) -> Self {
        let schema = columns.file();
        let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        Self { schema, nulls }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// How a file with these columns fits.
    pub(super) fn fit(&self, file: &SchemaRef) -> Fit {
        Arc::new(self.schema.fields().iter().map(|field| file.index_of(field.name()).ok()).collect())
    }

    /// Rows, each named by its batch and its place there, as one batch of this shape.
    pub(super) fn gather(&self, held: &[Held], rows: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
        let columns = (0..self.nulls.len()).map(|column| self.column(column, held, rows));
        RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_, _>>()?)
    }

    fn column(&self, column: usize, held: &[Held], rows: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
        let null = &self.nulls[column];
        let mut arrays: Vec<&dyn Array> = vec![null.as_ref()];
        // Where each batch's array stands among these; 0 is the null.
        let mut places = Vec::with_capacity(held.len());
        for Held { fit, batch } in held {
            places.push(fit[column].map_or(0, |at| {
                arrays.push(batch.column(at).as_ref());
                arrays.len() - 1
            }));
        }
        if arrays.len() == 1 {
            return Ok(new_null_array(null.data_type(), rows.len()));
        }
        let place = |(batch, row): &(usize, usize)| match places[*batch] {
            0 => (0, 0),
            array => (array, *row),
        };
        interleave(&arrays, &rows.iter().map(place).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn rows_of_files_with_other_columns_get_nulls() {
        let shape = Shape::new(&Schema::of_names(["k_a__i", "k_b__i", "k_c__i"]));
        let held = |name: &str, values: Vec<i64>| {
            let batch = RecordBatch::try_from_iter([(name, Arc::new(Int64Array::from(values)) as ArrayRef)]);
            let batch = batch.unwrap();
            Held { fit: shape.fit(&batch.schema()), batch }
        };
        let held = [held("k_a__i", vec![1, 2]), held("k_b__i", vec![3])];
        let gathered = shape.gather(&held, &[(1, 0), (0, 1), (0, 0)]).unwrap();
        let column = |name: &str| -> Vec<Option<i64>> {
            gathered.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().collect()
        };
        assert_eq!(column("k_a__i"), [None, Some(2), Some(1)]);
        assert_eq!(column("k_b__i"), [Some(3), None, None]);
        assert_eq!(column("k_c__i"), [None, None, None]);
    }
}
