//! The log's statistics of a scan's files as DataFusion asks for them: which files a query's conditions rule out is decided
//! before anything is read.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use model::Timestamp;

use super::days;
use crate::files::DataFile;
use crate::schema::DATE;

/// The log's statistics of some files, column by column.
pub(super) struct LogStatistics<'a> {
    pub(super) files: &'a [Arc<DataFile>],
    pub(super) schema: SchemaRef,
}

impl LogStatistics<'_> {
    /// One bound per file, null where the log does not say; none when it says it of no file.
    fn bounds(&self, column: &Column, bound: impl Fn(&DataFile) -> Option<ScalarValue>) -> Option<ArrayRef> {
        let data_type = self.schema.field_with_name(&column.name).ok()?.data_type();
        let bounds: Vec<Option<ScalarValue>> = self.files.iter().map(|file| bound(file)).collect();
        if bounds.iter().all(Option::is_none) {
            return None;
        }
        let null = ScalarValue::try_from(data_type).ok()?;
        ScalarValue::iter_to_array(bounds.into_iter().map(|bound| bound.unwrap_or_else(|| null.clone()))).ok()
    }

    fn scalar(&self, column: &Column, value: &serde_json::Value) -> Option<ScalarValue> {
        match self.schema.field_with_name(&column.name).ok()?.data_type() {
            DataType::Utf8View => Some(ScalarValue::Utf8View(Some(value.as_str()?.to_owned()))),
            DataType::Float64 => Some(ScalarValue::Float64(Some(value.as_f64()?))),
            DataType::Timestamp(_, zone) => {
                let time: Timestamp = value.as_str()?.parse().ok()?;
                Some(ScalarValue::TimestampMicrosecond(Some(time.as_micros()), zone.clone()))
            }
            _ => None,
        }
    }
}

impl PruningStatistics for LogStatistics<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| match column.name.as_str() {
            DATE => Some(ScalarValue::Date32(days(&file.date))),
            name => self.scalar(column, file.statistics.min_values.get(name)?),
        })
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| match column.name.as_str() {
            DATE => Some(ScalarValue::Date32(days(&file.date))),
            // Other writers cut times to milliseconds: the bound is then up to a millisecond too low.
            "timestamp" | "ingested_at" => {
                let time: Timestamp = file.statistics.max_values.get(&column.name)?.as_str()?.parse().ok()?;
                let micros = time.as_micros().saturating_add(999);
                Some(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
            }
            name => self.scalar(column, file.statistics.max_values.get(name)?),
        })
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let counts: UInt64Array =
            self.files.iter().map(|file| file.statistics.null_count.get(&column.name)?.as_u64()).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.files.iter().map(|file| file.statistics.num_records).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
