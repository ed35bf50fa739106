//! Data files: sorted rows of one day into Parquet bytes, and the `add` action that makes them visible.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use bytes::Bytes;
use deltalake_core::kernel::Add;
use model::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use serde_json::{Map, Value, json};

use crate::schema::{DATE, ENVELOPE, EnvelopeKind, OVERFLOW};

/// zstd 3: a tenth smaller than 1 at nearly its speed (design, §5).
const ZSTD_LEVEL: i32 = 3;
/// Longer texts are left out of the log's statistics: a bound that is cut is not a bound, and the log is read whole.
const STATISTICS_TEXT_BYTES_MAX: usize = 128;
/// Envelope columns by which people look for one thing among all.
const ID_COLUMNS: [&str; 5] = ["id", "request_id", "trace_id", "span_id", "parent_id"];
/// Ends of the last key of a dynamic text column that is looked up in the same way.
const ID_KEY_ENDS: [&str; 7] = ["id", "ids", "uuid", "arn", "email", "user", "token"];

/// Parquet bytes of the rows.
///
/// # Errors
/// When the writer fails; memory is the only thing that it writes to.
pub(crate) fn parquet(batch: &RecordBatch) -> Result<Bytes, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_created_by(concat!("limelight ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_sorting_columns(Some(sorting()));
    let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
    for field in batch.schema().fields().iter().filter(|field| is_id(field.name())) {
        let column = ColumnPath::from(field.name().as_str());
        properties = properties
            .set_column_bloom_filter_enabled(column.clone(), true)
            .set_column_bloom_filter_max_ndv(column, rows);
    }
    // The Arrow schema would be a copy of the Parquet schema in every footer.
    let options =
        ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?.into())
}

/// Rows stand by (namespace, timestamp): the fourth and the first column of the envelope.
fn sorting() -> Vec<SortingColumn> {
    ["namespace", "timestamp"]
        .iter()
        .filter_map(|sorted| ENVELOPE.iter().position(|(name, _)| name == sorted))
        .filter_map(|column| i32::try_from(column).ok())
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false })
        .collect()
}

/// Whether a column is one by which single events are looked up.
fn is_id(column: &str) -> bool {
    let last_key = || column.rsplit("__d").next().unwrap_or(column).trim_start_matches("k_");
    ID_COLUMNS.contains(&column)
        || column.starts_with("k_") && {
            let words = last_key().replace("__c", "_").replace("__p", "_");
            words.rsplit('_').next().is_some_and(|word| ID_KEY_ENDS.contains(&word))
        }
}

/// The `add` action of a file.
pub(crate) fn add(path: String, size: usize, date: &str, batch: &RecordBatch, now: Timestamp) -> Add {
    Add {
        path,
        partition_values: HashMap::from([(DATE.to_owned(), Some(date.to_owned()))]),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        modification_time: now.as_millis(),
        data_change: true,
        stats: Some(statistics(batch).to_string()),
        ..Add::default()
    }
}

/// The log's statistics (Delta protocol, "Per-file statistics") of the envelope columns that prune.
fn statistics(batch: &RecordBatch) -> Value {
    let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (name, kind) in ENVELOPE {
        if ID_COLUMNS.contains(&name) || name == "message" {
            continue;
        }
        let Some(column) = batch.column_by_name(name) else { continue };
        nulls.insert(name.to_owned(), column.null_count().into());
        let bounds = match kind {
            EnvelopeKind::Time => {
                let times = column.as_primitive::<TimestampMicrosecondType>();
                time(min(times)).zip(time(max(times)))
            }
            EnvelopeKind::Float => float_bounds(column.as_primitive::<Float64Type>()),
            EnvelopeKind::Text if name == OVERFLOW => None,
            EnvelopeKind::Text => text_bounds(column.as_string()),
        };
        if let Some((from, to)) = bounds {
            least.insert(name.to_owned(), from);
            greatest.insert(name.to_owned(), to);
        }
    }
    json!({"numRecords": batch.num_rows(), "minValues": least, "maxValues": greatest, "nullCount": nulls})
}

fn time(micros: Option<i64>) -> Option<Value> {
    let text = Timestamp::from_micros(micros?).to_string();
    Some(text.into())
}

fn float_bounds(numbers: &Float64Array) -> Option<(Value, Value)> {
    let finite: HashSet<bool> = numbers.iter().flatten().map(f64::is_finite).collect();
    (!finite.contains(&false)).then(|| Some((min(numbers)?.into(), max(numbers)?.into()))).flatten()
}

fn text_bounds(texts: &StringArray) -> Option<(Value, Value)> {
    let (from, to) = (min_string(texts)?, max_string(texts)?);
    let short = |text: &str| text.len() <= STATISTICS_TEXT_BYTES_MAX;
    (short(from) && short(to)).then(|| (from.into(), to.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_name_one_thing_get_a_bloom_filter_and_others_do_not() {
        for column in
            ["trace_id", "k_id", "k_user_id", "k_data__duser__did", "k_request__cid", "k_aws__drequest__parn"]
        {
            assert!(is_id(column), "{column}");
        }
        for column in ["message", "kind", "k_paid", "k_status", "k_width", "k_id__i", "k_did__j"] {
            assert!(!is_id(column), "{column}");
        }
    }
}
