//! The second look at a key: which letters stand beside each other in it. Called by `entry` for every key that has all
//! letters of an entry; knows no word of the list.

/// The pairs of neighbours that a text has among its letters and digits, each hashed to one of 64 bits: an entry can
/// only be in a key that has all of the entry's pairs. A key of twenty letters has a quarter of the bits, so that it
/// has the four of `creds` by chance once in two hundred times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pairs(u64);

/// Of each byte the number of its letter or digit, in lower case; separators have none.
const NUMBERS: [u8; 256] = {
    let mut table = [SEPARATOR; 256];
    let mut number = 0;
    while number < 36 {
        let byte = b"abcdefghijklmnopqrstuvwxyz0123456789"[number];
        table[byte as usize] = byte & 0x3f;
        table[byte.to_ascii_uppercase() as usize] = byte & 0x3f;
        number += 1;
    }
    table
};
const SEPARATOR: u8 = 0xff;

impl Pairs {
    /// Of a text with anything but ASCII everything is believed: letters like the Kelvin sign have an ASCII lower case.
    pub(crate) fn of(text: &str) -> Self {
        let (mut bits, mut before) = (0, SEPARATOR);
        for byte in text.bytes() {
            let number = NUMBERS[usize::from(byte)];
            if number == SEPARATOR {
                if !byte.is_ascii() {
                    return Self(u64::MAX);
                }
                continue;
            }
            if before != SEPARATOR {
                bits |= 1 << (before.wrapping_mul(5).wrapping_add(number) & 63);
            }
            before = number;
        }
        Self(bits)
    }

    /// Of an entry. One with letters that are not ASCII may be in any key.
    pub(crate) fn demanded(letters: &str) -> Self {
        if letters.is_ascii() { Self::of(letters) } else { Self(0) }
    }

    /// Whether this key may have that entry.
    pub(crate) fn covers(self, entry: Self) -> bool {
        entry.0 & !self.0 == 0
    }
}
