//! A series and the figures of the whole timeframe out of one statement, where all events are one group and the figures of
//! a time follow from those of its parts: the events are read once, and buckets are few.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, RecordBatch};
use arrow::compute::{cast, concat_batches, max, min, sum};
use arrow::datatypes::{ArrowNumericType, DataType, Float64Type, Int64Type};
use query::plan::Roll;
use query::{Bucket, Plan, RunError};

use super::row::{Row, read};
use super::{EVENTS, SERIES_ROWS_MAX};
use crate::engine::execute::Execution;
use crate::engine::failed;

/// Figures of a whole timeframe and of its buckets.
pub(super) struct Summed {
    pub(super) whole: Row,
    buckets: Vec<Row>,
}

impl Summed {
    /// None where the whole does not follow from the buckets, or where there are none.
    pub(super) async fn read(plan: &Plan<'_>, execution: &mut Execution) -> Result<Option<Self>, RunError> {
        let Some(sql) = plan.buckets(execution.dialect(), SERIES_ROWS_MAX + 1) else { return Ok(None) };
        let batches = execution.run(&sql, SERIES_ROWS_MAX).await?;
        let buckets = read(plan, &batches, &["n", "b"])?;
        let Some(first) = batches.first().filter(|_| !buckets.is_empty()) else { return Ok(None) };
        let all = concat_batches(&first.schema(), &batches).map_err(failed)?;
        let whole = rolled(&all, &plan.rolls()).map_err(failed)?;
        let whole = read(plan, &[whole], &EVENTS)?.into_iter().next();
        Ok(whole.map(|whole| Self { whole, buckets }))
    }

    /// In the order of time.
    pub(super) fn series(mut self, plan: &Plan<'_>) -> Vec<Bucket> {
        self.buckets.sort_by_key(Row::bucket);
        let bucket = |row: &Row| {
            let time = plan.bucket_start_ms(row.bucket());
            Bucket { time, data: vec![row.in_bucket(plan)] }
        };
        self.buckets.iter().map(bucket).collect()
    }
}

/// All rows as one. The columns are whole numbers (times among them) or floats.
fn rolled(rows: &RecordBatch, rolls: &[(String, Roll)]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let column = |(name, roll): &(String, Roll)| {
        let array = rows.column_by_name(name)?;
        let whole = array.data_type().is_integer() || array.data_type().is_temporal();
        let rolled = match whole {
            true => cast(array, &DataType::Int64).map(|array| one::<Int64Type>(&array, *roll)),
            false => cast(array, &DataType::Float64).map(|array| one::<Float64Type>(&array, *roll)),
        };
        Some(rolled.map(|array| (name.clone(), array)))
    };
    RecordBatch::try_from_iter(rolls.iter().filter_map(column).collect::<Result<Vec<_>, _>>()?)
}

fn one<T: ArrowNumericType>(array: &ArrayRef, roll: Roll) -> ArrayRef
where
    T::Native: ArrowNativeTypeOp,
{
    let array = array.as_primitive::<T>();
    let value = match roll {
        Roll::Sum => sum(array),
        Roll::Least => min(array),
        Roll::Greatest => max(array),
    };
    Arc::new(PrimitiveArray::<T>::from_iter([value]))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array};

    use super::*;

    #[test]
    fn buckets_are_added_and_compared_and_nothing_stays_nothing() {
        let rows = RecordBatch::try_from_iter([
            ("n", Arc::new(Int64Array::from(vec![3, 1, 2])) as ArrayRef),
            ("c0", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(-4.0)]))),
            ("c1", Arc::new(Float64Array::from(vec![None, None, None]))),
        ]);
        let rolls = [("n", Roll::Sum), ("c0", Roll::Least), ("c1", Roll::Sum)];
        let rolled = rolled(&rows.unwrap(), &rolls.map(|(name, roll)| (name.to_owned(), roll))).unwrap();
        let expected = RecordBatch::try_from_iter_with_nullable([
            ("n", Arc::new(Int64Array::from(vec![6])) as ArrayRef, false),
            ("c0", Arc::new(Float64Array::from(vec![-4.0])), false),
            ("c1", Arc::new(Float64Array::from(vec![None])), true),
        ]);
        assert_eq!(rolled.columns(), expected.unwrap().columns());
    }
}
