//! The log pipe's bytes → records: AWS's runtime clients write each log message as one frame, so that its line breaks
//! do not cut it.
//!
//! A frame: its type (4 bytes: 0xa55a and flags), the message's length (4), microseconds since the epoch (8; not in
//! the oldest type), the message; all big-endian. Source: the contract that AWS's client for Python documents beside
//! its log sink. Whatever is no frame is read as lines from there on: nothing printed is lost.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::lines::{LINE_BYTES_MAX, Lines, Piece, text};

/// The upper half of every frame's type.
const MARK: u16 = 0xa55a;
/// Of the type's flags: a timestamp follows the length.
const HAS_TIME: u8 = 0b10;
const HEAD_BYTES: usize = 8;
const TIME_BYTES: usize = 8;

/// The message that is being read.
#[derive(Debug)]
struct Frame {
    at: Option<SystemTime>,
    left_bytes: usize,
}

/// Bytes into messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: Vec<u8>,
    frame: Option<Frame>,
    message: Vec<u8>,
    /// What follows bytes that were no frame.
    lines: Option<Lines>,
}

impl Frames {
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            if let Some(lines) = &mut self.lines {
                pieces.extend(lines.push(bytes));
                break;
            }
            bytes = match self.frame.take() {
                Some(frame) => self.take_message(frame, bytes, &mut pieces),
                None => self.take_head(bytes, &mut pieces),
            };
        }
        pieces
    }

    /// What is left when the stream ends in the middle.
    pub(super) fn rest(&mut self) -> Option<Piece> {
        if let Some(lines) = &mut self.lines {
            return lines.rest();
        }
        let at = self.frame.take().and_then(|frame| frame.at);
        text(&std::mem::take(&mut self.message)).map(|text| Piece { text, at })
    }

    /// Takes one byte of the head at a time: it may come in any pieces.
    fn take_head<'a>(&mut self, bytes: &'a [u8], pieces: &mut Vec<Piece>) -> &'a [u8] {
        let Some((byte, rest)) = bytes.split_first() else { return bytes };
        self.head.push(*byte);
        let mark = MARK.to_be_bytes();
        let compared = self.head.len().min(mark.len());
        if self.head[..compared] != mark[..compared] {
            let mut lines = Lines::default();
            pieces.extend(lines.push(&std::mem::take(&mut self.head)));
            self.lines = Some(lines);
            return rest;
        }
        let has_time = self.head.get(3).is_some_and(|flags| flags & HAS_TIME != 0);
        if self.head.len() == HEAD_BYTES + if has_time { TIME_BYTES } else { 0 } {
            let number =
                |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            let left_bytes = usize::try_from(number(&self.head[4..8])).unwrap_or(usize::MAX);
            let at = has_time.then(|| UNIX_EPOCH + Duration::from_micros(number(&self.head[8..])));
            self.frame = (left_bytes > 0).then_some(Frame { at, left_bytes });
            self.head.clear();
        }
        rest
    }

    fn take_message<'a>(&mut self, mut frame: Frame, bytes: &'a [u8], pieces: &mut Vec<Piece>) -> &'a [u8] {
        // A message longer than a line may be becomes several records, as a line does.
        let room = LINE_BYTES_MAX - self.message.len();
        let (taken, rest) = bytes.split_at(bytes.len().min(frame.left_bytes).min(room));
        self.message.extend_from_slice(taken);
        frame.left_bytes -= taken.len();
        if frame.left_bytes == 0 || self.message.len() == LINE_BYTES_MAX {
            let message = text(&std::mem::take(&mut self.message));
            pieces.extend(message.map(|text| Piece { text, at: frame.at }));
        }
        self.frame = (frame.left_bytes > 0).then_some(frame);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u32, micros: Option<u64>, message: &str) -> Vec<u8> {
        let mut bytes = kind.to_be_bytes().to_vec();
        bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        bytes.extend(micros.map(u64::to_be_bytes).into_iter().flatten());
        bytes.extend(message.as_bytes());
        bytes
    }

    fn texts(pieces: Vec<Piece>) -> Vec<String> {
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn a_message_of_several_lines_is_one_record_with_its_own_time() {
        let mut frames = Frames::default();
        let pieces = frames.push(&frame(0xa55a_0017, Some(1_500_000), "Traceback:\n  File\nValueError\n"));
        assert_eq!(pieces[0].text, "Traceback:\n  File\nValueError");
        assert_eq!(pieces[0].at, Some(UNIX_EPOCH + Duration::from_millis(1_500)));
        assert_eq!(pieces.len(), 1);
    }

    #[test]
    fn the_oldest_type_has_no_time_and_an_empty_message_is_none() {
        let mut frames = Frames::default();
        let both = [frame(0xa55a_0001, None, "old"), frame(0xa55a_0003, Some(1), "")].concat();
        assert_eq!(frames.push(&both), [Piece { text: "old".to_owned(), at: None }]);
        assert_eq!(frames.rest(), None);
    }

    #[test]
    fn what_is_no_frame_is_read_as_lines() {
        let mut frames = Frames::default();
        assert_eq!(texts(frames.push(&frame(0xa55a_0003, Some(1), "framed"))), ["framed"]);
        assert_eq!(texts(frames.push(b"\xa5plain\nand mo")), ["\u{fffd}plain"]);
        assert_eq!(frames.rest().unwrap().text, "and mo");
    }

    #[test]
    fn a_message_without_bounds_is_cut() {
        let mut frames = Frames::default();
        let long = "x".repeat(LINE_BYTES_MAX + 10);
        let pieces = texts(frames.push(&frame(0xa55a_0003, Some(1), &long)));
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [LINE_BYTES_MAX, 10]);
    }

    proptest! {
        #[test]
        fn frames_are_put_together_from_any_pieces(
            messages in proptest::collection::vec("[a-z\n]{0,40}", 0..8),
            cut_bytes in 1_usize..20,
        ) {
            let bytes: Vec<u8> =
                messages.iter().flat_map(|message| frame(0xa55a_000f, Some(7), message)).collect();
            let mut frames = Frames::default();
            let read: Vec<_> = bytes.chunks(cut_bytes).flat_map(|part| texts(frames.push(part))).collect();
            let expected: Vec<_> =
                messages.iter().map(|m| m.trim_end_matches('\n')).filter(|m| !m.is_empty()).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_bytes_make_reading_panic(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6)) {
            let mut frames = Frames::default();
            for part in &parts {
                frames.push(part);
            }
            frames.rest();
        }
    }
}
