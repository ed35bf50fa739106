//! Powers and roots as functions of DataFusion, for queries whose arithmetic has no value where there is none. The
//! engine's own `POWER` and `SQRT` end the whole query at the first row outside their range; these give what is not
//! finite there, which the statement makes null.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use query::sql::{POWER, ROOT};

/// The functions, to be registered in a session.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [power(), root()]
}

fn power() -> ScalarUDF {
    let raise = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [bases, exponents] = arrays.as_slice() else {
            return datafusion::common::exec_err!("{POWER} wants a base and an exponent");
        };
        let pairs = bases.as_primitive::<Float64Type>().iter().zip(exponents.as_primitive::<Float64Type>());
        let powers: Float64Array = pairs.map(|(base, exponent)| Some(base?.powf(exponent?))).collect();
        Ok(ColumnarValue::Array(Arc::new(powers) as ArrayRef))
    };
    let taken = vec![DataType::Float64; 2];
    create_udf(POWER, taken, DataType::Float64, Volatility::Immutable, Arc::new(raise))
}

fn root() -> ScalarUDF {
    let take = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [numbers] = arrays.as_slice() else {
            return datafusion::common::exec_err!("{ROOT} wants a number");
        };
        let roots: Float64Array = numbers.as_primitive::<Float64Type>().unary(f64::sqrt);
        Ok(ColumnarValue::Array(Arc::new(roots) as ArrayRef))
    };
    create_udf(ROOT, vec![DataType::Float64], DataType::Float64, Volatility::Immutable, Arc::new(take))
}
