//! In which bucket a time is, as a function of DataFusion.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use query::sql::BUCKET;

/// The function, to be registered in a session.
pub(super) fn function() -> ScalarUDF {
    let look = |arguments: &[ColumnarValue]| {
        let [numbers, ColumnarValue::Scalar(ScalarValue::Int64(Some(width)))] = arguments else {
            return exec_err!("{BUCKET} wants a number and a constant width");
        };
        if *width <= 0 {
            return exec_err!("{BUCKET} wants a width of at least one");
        }
        let numbers = ColumnarValue::values_to_arrays(std::slice::from_ref(numbers))?;
        let buckets =
            numbers.iter().map(|numbers| buckets(numbers.as_primitive::<Int64Type>(), *width)).next();
        Ok(ColumnarValue::Array(Arc::new(buckets.unwrap_or_else(|| Int64Array::new_null(0))) as ArrayRef))
    };
    create_udf(BUCKET, vec![DataType::Int64; 2], DataType::Int64, Volatility::Immutable, Arc::new(look))
}

/// The width is at least one.
fn buckets(numbers: &Int64Array, width: i64) -> Int64Array {
    // Rows of a file stand by time: most are in the bucket of the row before, which is seen without a division.
    let (mut bucket, mut inside) = (0, 0..0);
    let bucket_of = |number: &i64| {
        if !inside.contains(number) {
            bucket = number.div_euclid(width);
            let over = number.rem_euclid(width);
            inside = number.saturating_sub(over)..number.saturating_add(width - over);
        }
        bucket
    };
    let buckets: Vec<i64> = numbers.values().iter().map(bucket_of).collect();
    Int64Array::new(buckets.into(), numbers.nulls().cloned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buckets_are_whole_widths_rounded_down(
            numbers in proptest::collection::vec(prop_oneof![any::<i64>(), -100..100_i64], 0..40),
            width in prop_oneof![1..60_i64, 1..i64::MAX],
        ) {
            let expected: Vec<i64> = numbers.iter().map(|number| number.div_euclid(width)).collect();
            prop_assert_eq!(buckets(&Int64Array::from(numbers), width).values().to_vec(), expected);
        }
    }

    #[test]
    fn no_number_is_in_no_bucket() {
        let buckets = buckets(&Int64Array::from(vec![Some(-1), None, Some(60)]), 60);
        assert_eq!(buckets, Int64Array::from(vec![Some(-1), None, Some(1)]));
    }
}
