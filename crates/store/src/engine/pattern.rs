//! Messages as their patterns, as a function of DataFusion.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use query::pattern;
use query::sql::PATTERN;

/// The function, to be registered in a session.
pub(super) fn function() -> ScalarUDF {
    let look = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let [messages] = arrays.as_slice() else {
            return datafusion::common::exec_err!("{PATTERN} wants a message");
        };
        let messages = cast(messages, &DataType::Utf8)?;
        let patterns: StringArray =
            messages.as_string::<i32>().iter().map(|message| message.map(pattern::of)).collect();
        Ok(ColumnarValue::Array(Arc::new(patterns) as ArrayRef))
    };
    create_udf(PATTERN, vec![DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(look))
}
