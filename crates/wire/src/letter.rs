//! Batches that wait on a disk ↔ the bytes of one file: a sandbox's journal, and dead letters that somebody sends again.
//! The extension appends; whoever replays reads. No file is opened in here.
//!
//! ```text
//! file   = "limelet1" frame*
//! frame  = length u32 · CRC-32 of the body u32 · body            (all numbers little-endian)
//! body   = written at, nanoseconds since the epoch i64 · sequence u64 · events u64
//!          · sandbox text · stream text · reason text · the record's bytes, to the body's end
//! text   = length u16 · UTF-8
//! ```
//! The record's bytes are those that were, or would have been, put on the stream: who sends them again with the same
//! partition key (the batch's id) loses nothing, and readers drop what they have seen. A file may end within a frame:
//! its writer was killed. A frame with a wrong checksum costs itself.

use model::{BatchId, Timestamp};

/// The first bytes of a file.
pub const HEAD: &[u8; 8] = b"limelet1";
/// Length and checksum: what stands before a frame's body.
pub const FRAME_HEAD_BYTES: usize = 8;
/// Longer texts (a reason) are cut.
const TEXT_BYTES_MAX: usize = 1_024;

/// One batch that was put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// When it was written to the file.
    pub at: Timestamp,
    /// Its identity; as text it is the partition key.
    pub id: BatchId,
    /// How many events it carries.
    pub events: u64,
    /// Where it was to go: a stream's name or ARN.
    pub stream: String,
    /// Why it did not; empty in a journal, where nothing has been given up.
    pub reason: String,
    /// The stream record.
    pub data: Vec<u8>,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    /// In the order in which they were written.
    pub letters: Vec<Letter>,
    /// Frames that were damaged.
    pub damaged: usize,
    /// Bytes at the end that are no whole frame.
    pub torn_bytes: usize,
}

/// The bytes are of another kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no file of letters: it does not begin with \"limelet1\"")]
pub struct NoLetters;

/// One frame, to be appended to a file that begins with [`HEAD`].
pub fn frame(letter: &Letter) -> Vec<u8> {
    let mut bytes = vec![0; FRAME_HEAD_BYTES];
    bytes.extend(letter.at.as_nanos().to_le_bytes());
    bytes.extend(letter.id.sequence.to_le_bytes());
    bytes.extend(letter.events.to_le_bytes());
    for text in [&letter.id.sandbox, &letter.stream, &letter.reason] {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        // At most TEXT_BYTES_MAX.
        bytes.extend(u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(&letter.data);
    let body = &bytes[FRAME_HEAD_BYTES..];
    // A stream record has 10 MiB at the most.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let sum = crc32fast::hash(body);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..FRAME_HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Everything that can be read. An empty file holds nothing.
///
/// # Errors
/// When the file does not begin with [`HEAD`].
pub fn read(file: &[u8]) -> Result<Letters, NoLetters> {
    let mut found = Letters::default();
    if file.is_empty() {
        return Ok(found);
    }
    let mut rest = file.strip_prefix(HEAD).ok_or(NoLetters)?;
    while let Some((frame, after)) = next_frame(rest) {
        match unframe(frame) {
            Some(letter) => found.letters.push(letter),
            None => found.damaged += 1,
        }
        rest = after;
    }
    found.torn_bytes = rest.len();
    Ok(found)
}

/// How many bytes the frame has that begins so, this head included.
pub fn frame_bytes(head: &[u8; FRAME_HEAD_BYTES]) -> u64 {
    let [a, b, c, d, ..] = *head;
    FRAME_HEAD_BYTES as u64 + u64::from(u32::from_le_bytes([a, b, c, d]))
}

/// What is in one whole frame, as [`frame`] made it; none if it is damaged.
pub fn unframe(frame: &[u8]) -> Option<Letter> {
    let (head, body) = frame.split_first_chunk::<FRAME_HEAD_BYTES>()?;
    let [.., a, b, c, d] = *head;
    letter(body).filter(|_| crc32fast::hash(body) == u32::from_le_bytes([a, b, c, d]))
}

/// The first frame and what follows it; none if there is no whole one.
fn next_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = frame_bytes(bytes.first_chunk()?);
    bytes.split_at_checked(usize::try_from(length).ok()?)
}

fn letter(body: &[u8]) -> Option<Letter> {
    let (at, rest) = body.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (events, rest) = rest.split_first_chunk()?;
    let (sandbox, rest) = text(rest)?;
    let (stream, rest) = text(rest)?;
    let (reason, data) = text(rest)?;
    Some(Letter {
        at: Timestamp::from_nanos(i64::from_le_bytes(*at)),
        id: BatchId { sandbox, sequence: u64::from_le_bytes(*sequence) },
        events: u64::from_le_bytes(*events),
        stream,
        reason,
        data: data.to_vec(),
    })
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((std::str::from_utf8(text).ok()?.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letter(sequence: u64, data: Vec<u8>) -> Letter {
        Letter {
            at: Timestamp::from_millis(1_700_000_000_000),
            id: BatchId { sandbox: "5a".repeat(16), sequence },
            events: 3,
            stream: "telemetry".to_owned(),
            reason: "ValidationException: no".to_owned(),
            data,
        }
    }

    fn file(letters: &[Letter]) -> Vec<u8> {
        HEAD.iter().copied().chain(letters.iter().flat_map(frame)).collect()
    }

    #[test]
    fn a_torn_tail_costs_the_letter_that_was_being_written() {
        let letters = [letter(0, vec![1; 50]), letter(1, vec![2; 50])];
        let whole = file(&letters);
        for cut in 1..60 {
            let found = read(&whole[..whole.len() - cut]).unwrap();
            assert_eq!(found.letters, letters[..1]);
            assert!(found.torn_bytes > 0 && found.damaged == 0);
        }
    }

    #[test]
    fn a_damaged_letter_costs_itself() {
        let letters = [letter(0, vec![1; 50]), letter(1, vec![2; 50]), letter(2, Vec::new())];
        let mut bytes = file(&letters);
        let within_the_second = HEAD.len() + frame(&letters[0]).len() + 60;
        bytes[within_the_second] ^= 1;
        let found = read(&bytes).unwrap();
        assert_eq!(found.letters.iter().map(|letter| letter.id.sequence).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((found.damaged, found.torn_bytes), (1, 0));
    }

    #[test]
    fn an_empty_file_is_fine_and_another_kind_of_file_is_told() {
        assert_eq!(read(b""), Ok(Letters::default()));
        assert_eq!(read(HEAD), Ok(Letters::default()));
        assert_eq!(read(b"{\"message\":\"hello\"}"), Err(NoLetters));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            sequence in any::<u64>(), nanos in any::<i64>(), events in any::<u64>(),
            sandbox in "\\PC{0,40}", stream in "\\PC{0,40}", reason in "\\PC{0,80}",
            data in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let id = BatchId { sandbox, sequence };
            let letter = Letter { at: Timestamp::from_nanos(nanos), id, events, stream, reason, data };
            let letters = vec![letter.clone(), letter];
            prop_assert_eq!(read(&file(&letters)).unwrap().letters, letters);
        }

        #[test]
        fn no_bytes_break_the_reader(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
            bytes.splice(..0, *HEAD);
            let found = read(&bytes).unwrap();
            prop_assert!(found.torn_bytes < bytes.len());
        }
    }
}
