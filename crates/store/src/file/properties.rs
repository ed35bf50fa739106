//! How data files are written: compression, row groups, the order that is promised, which columns get bloom filters.

use arrow::datatypes::Schema;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::ID_COLUMNS;
use crate::schema::ENVELOPE;

/// zstd 3: a tenth smaller than 1 at nearly its speed (design, §5).
const ZSTD_LEVEL: i32 = 3;
/// Rows of a row group: what two cores share a file by, and what a query skips at once. A million (the library's
/// default) would leave a compacted file of a day whole.
const ROW_GROUP_ROWS_MAX: usize = 131_072;
/// Encoded bytes of a row group, which are held until it is full: bounds memory where events are large.
const ROW_GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Ends of the last key of a dynamic text column by which single events are looked up.
const ID_KEY_ENDS: [&str; 7] = ["id", "ids", "uuid", "arn", "email", "user", "token"];

/// The column that every question looks at.
const TIME: &str = "timestamp";

/// For a file of so many rows.
pub(super) fn properties(schema: &Schema, rows: usize) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_created_by(concat!("limelight ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX))
        .set_sorting_columns(Some(sorting()));
    // Rows stand by time, so that differences are small. A dictionary would be as long as the row group: no time
    // comes twice. Of differences in few bits compression makes little less, 2 % of a file, and undoing it was a
    // quarter of what a question about times took.
    let time = ColumnPath::from(TIME);
    properties = properties
        .set_column_dictionary_enabled(time.clone(), false)
        .set_column_encoding(time.clone(), Encoding::DELTA_BINARY_PACKED)
        .set_column_compression(time, Compression::UNCOMPRESSED);
    let rows = u64::try_from(rows.min(ROW_GROUP_ROWS_MAX)).unwrap_or(u64::MAX);
    for field in schema.fields().iter().filter(|field| is_id(field.name())) {
        let column = ColumnPath::from(field.name().as_str());
        properties = properties
            .set_column_bloom_filter_enabled(column.clone(), true)
            .set_column_bloom_filter_max_ndv(column, rows);
    }
    Ok(properties.build())
}

/// Rows stand by (namespace, timestamp): the fourth and the first column of the envelope.
pub(super) fn sorting() -> Vec<SortingColumn> {
    ["namespace", TIME]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_differences_and_as_they_are() {
        let properties = properties(&Schema::empty(), 10).unwrap();
        let time = ColumnPath::from(TIME);
        assert_eq!(properties.encoding(&time), Some(Encoding::DELTA_BINARY_PACKED));
        assert!(!properties.dictionary_enabled(&time));
        assert_eq!(properties.compression(&time), Compression::UNCOMPRESSED);
        assert!(properties.dictionary_enabled(&ColumnPath::from("namespace")));
    }

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
