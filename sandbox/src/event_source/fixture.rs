//! Records for the tests of this module.

use bytes::Bytes;
use jiff::Timestamp;

use super::record::Record;

/// When the first record arrived.
pub(super) const ARRIVED_AT: Timestamp = Timestamp::constant(1_795_184_400, 0);

/// Records with the sequence numbers 100, 101, …, a second apart.
pub(super) fn records(count: usize) -> Vec<Record> {
    (0..count)
        .map(|index| Record {
            sequence: (100 + index).to_string(),
            partition_key: "key".into(),
            data: Bytes::from_static(b"data"),
            arrived_at: Timestamp::constant(ARRIVED_AT.as_second() + i64::try_from(index).unwrap(), 0),
        })
        .collect()
}
