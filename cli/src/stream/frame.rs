//! One record as bytes in a segment file, so that a reader can tell a whole record from a torn one.
//!
//! Layout, little endian: `length u32` of what follows the checksum, `crc32 u32` of it, then
//! `sequence u64`, `arrived_at i64` (nanoseconds), `key length u16`, the partition key, the data.

use bytes::Bytes;
use model::Timestamp;

use super::sequence::Sequence;

/// A record as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the stream.
    pub sequence: Sequence,
    /// When the endpoint took it.
    pub arrived_at: Timestamp,
    /// What the producer gave; kept because readers of a Kinesis API expect it back.
    pub partition_key: String,
    /// The producer's bytes.
    pub data: Bytes,
}

/// What stands at a place in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole record, and how many bytes it takes.
    Whole(Record, usize),
    /// Nothing: the segment ends here.
    End,
    /// Bytes that are not a whole record: a write that was cut, or damage.
    Torn,
}

const HEAD_BYTES: usize = 8;
/// Sequence, time and key length. A frame is never shorter, so a zero-filled tail (whose checksum of nothing would
/// be right) is not taken for a record.
const FIXED_BYTES: usize = 18;

/// Appends the record's frame to `out`. A partition key is at most 256 characters (the endpoint sees to it); a
/// longer one is cut at 65,535 bytes.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    let start = out.len();
    let key = record.partition_key.as_bytes();
    let key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0; HEAD_BYTES]);
    out.extend_from_slice(&record.sequence.number().to_le_bytes());
    out.extend_from_slice(&record.arrived_at.as_nanos().to_le_bytes());
    out.extend_from_slice(&key_length.to_le_bytes());
    out.extend_from_slice(&key[..usize::from(key_length)]);
    out.extend_from_slice(&record.data);
    let body = &out[start + HEAD_BYTES..];
    // A record is at most a few MiB; one of 4 GiB would fail its own length check when read.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let checksum = crc32fast::hash(body);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEAD_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// How many bytes [`encode`] makes of it.
pub fn encoded_len(record: &Record) -> usize {
    HEAD_BYTES + FIXED_BYTES + record.partition_key.len() + record.data.len()
}

/// Reads the frame at the beginning of `bytes`; the record's data shares their memory.
pub fn decode(bytes: &Bytes) -> Frame {
    if bytes.is_empty() {
        return Frame::End;
    }
    decode_body(bytes).map_or(Frame::Torn, |(record, taken)| Frame::Whole(record, taken))
}

fn decode_body(bytes: &Bytes) -> Option<(Record, usize)> {
    let length = usize::try_from(u32::from_le_bytes(array(bytes, 0)?)).ok()?;
    let checksum = u32::from_le_bytes(array(bytes, 4)?);
    let end = HEAD_BYTES.checked_add(length)?;
    if length < FIXED_BYTES || end > bytes.len() || crc32fast::hash(&bytes[HEAD_BYTES..end]) != checksum {
        return None;
    }
    let body = bytes.slice(HEAD_BYTES..end);
    let data_start = FIXED_BYTES + usize::from(u16::from_le_bytes(array(&body, 16)?));
    let key = std::str::from_utf8(body.get(FIXED_BYTES..data_start)?).ok()?;
    let record = Record {
        sequence: Sequence::from_number(u64::from_le_bytes(array(&body, 0)?)),
        arrived_at: Timestamp::from_nanos(i64::from_le_bytes(array(&body, 8)?)),
        partition_key: key.to_owned(),
        data: body.slice(data_start..),
    };
    Some((record, end))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records() -> impl Strategy<Value = Record> {
        (any::<u64>(), any::<i64>(), ".{0,256}", prop::collection::vec(any::<u8>(), 0..300)).prop_map(
            |(number, nanos, partition_key, data)| Record {
                sequence: Sequence::from_number(number),
                arrived_at: Timestamp::from_nanos(nanos),
                partition_key,
                data: data.into(),
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_survives_and_says_how_long_it_is(record in records()) {
            let mut bytes = Vec::new();
            encode(&record, &mut bytes);
            prop_assert_eq!(encoded_len(&record), bytes.len());
            let length = bytes.len();
            bytes.extend_from_slice(b"what follows");
            prop_assert_eq!(decode(&bytes.into()), Frame::Whole(record, length));
        }

        #[test]
        fn any_cut_is_torn(record in records(), cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&record, &mut bytes);
            let kept = 1 + cut.index(bytes.len() - 1);
            bytes.truncate(kept);
            prop_assert_eq!(decode(&bytes.into()), Frame::Torn);
        }

        #[test]
        fn a_flipped_bit_is_torn(record in records(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let mut bytes = Vec::new();
            encode(&record, &mut bytes);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(decode(&bytes.into()), Frame::Torn);
        }

        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            decode(&noise.into());
        }
    }

    #[test]
    fn zeroes_that_a_file_system_left_are_not_a_record() {
        assert_eq!(decode(&Bytes::from(vec![0; 64])), Frame::Torn);
        assert_eq!(decode(&Bytes::new()), Frame::End);
    }
}
