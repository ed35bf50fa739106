//! Protobuf, written from its end to its beginning: by the time that a message's head is due, its length is known, so
//! nothing is measured twice and nothing is copied into an intermediate message. Used by `batch` and `otlp` for all
//! records but histograms with buckets, which are rare; `prost` writes the rest.
//! Source: Protocol Buffers documentation, "Encoding".

/// Wire types.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;

/// A field's number and wire type take a varint of at most 10 bytes, and so does a length or a value.
const VARINT_BYTES_MAX: usize = 10;

/// Bytes that grow towards their beginning. Fields must be written last first.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Free up to `at`, written from there on.
    bytes: Vec<u8>,
    at: usize,
}

impl Writer {
    /// Grows when `capacity` does not suffice.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity], at: capacity }
    }

    /// What was written.
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// What was written, without what was free.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.drain(..self.at);
        self.bytes
    }

    /// Bytes as they are: a message that somebody else has encoded, a head.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.at -= bytes.len();
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
    }

    /// A varint field; zero too, which plain proto3 fields leave out.
    pub(crate) fn varint(&mut self, field: u64, value: u64) {
        self.number(value);
        self.number(field << 3 | VARINT);
    }

    /// A `fixed64` or `double` field, by its bits.
    pub(crate) fn fixed64(&mut self, field: u64, bits: u64) {
        self.raw(&bits.to_le_bytes());
        self.number(field << 3 | FIXED64);
    }

    /// A `string` or `bytes` field.
    pub(crate) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.raw(bytes);
        self.head(field, bytes.len());
    }

    /// A field that is a message: what `content` writes.
    pub(crate) fn message(&mut self, field: u64, content: impl FnOnce(&mut Self)) {
        let before = self.written().len();
        content(self);
        self.head(field, self.written().len() - before);
    }

    fn head(&mut self, field: u64, length: usize) {
        self.number(length as u64);
        self.number(field << 3 | LENGTH);
    }

    /// A number without a field before it: seven bits a byte, the lowest first; all but the last byte have the eighth
    /// bit set.
    pub(crate) fn number(&mut self, mut value: u64) {
        let mut digits = [0; VARINT_BYTES_MAX];
        let mut length = 0;
        loop {
            let low = value.to_le_bytes()[0] & 0x7f;
            value >>= 7;
            digits[length] = if value == 0 { low } else { low | 0x80 };
            length += 1;
            if value == 0 {
                break;
            }
        }
        self.raw(&digits[..length]);
    }

    /// Doubles the room, at least by `bytes`: what is written moves to the new end.
    fn make_room(&mut self, bytes: usize) {
        if bytes <= self.at {
            return;
        }
        let written = self.bytes.len() - self.at;
        let mut larger = vec![0; (self.bytes.len() * 2).max(written + bytes)];
        let at = larger.len() - written;
        larger[at..].copy_from_slice(&self.bytes[self.at..]);
        self.bytes = larger;
        self.at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_varints() {
        for (value, bytes) in [
            (0, vec![0x08, 0]),
            (1, vec![0x08, 1]),
            (127, vec![0x08, 0x7f]),
            (300, vec![0x08, 0xac, 0x02]),
            (u64::MAX, vec![0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ] {
            let mut writer = Writer::with_capacity(0);
            writer.varint(1, value);
            assert_eq!(writer.into_bytes(), bytes, "{value}");
        }
    }

    #[test]
    fn a_message_has_its_length_before_it_however_little_room_there_was() {
        for capacity in [0, 1, 7, 64, 1_000] {
            let mut writer = Writer::with_capacity(capacity);
            writer.message(2, |writer| {
                writer.fixed64(4, 1.5_f64.to_bits());
                writer.bytes(1, b"inner");
            });
            writer.raw(&[0x78, 1]);
            let expected =
                [&[0x78, 1, 0x12, 16, 0x0a, 5], &b"inner"[..], &[0x21, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f]];
            assert_eq!(writer.written(), expected.concat());
            assert_eq!(writer.into_bytes(), expected.concat());
        }
    }
}
