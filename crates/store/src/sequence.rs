//! A stream's sequence numbers: order inside one shard, and the limbs in which a table remembers the last one.

use std::fmt;
use std::str::FromStr;

/// Bits of one limb: a Delta `txn` version is a signed 64-bit number, and 3 × 62 bits are the 186 of a Kinesis
/// sequence number.
const LIMB_BITS: u32 = 62;
/// How many limbs a number has.
pub(crate) const LIMBS: usize = 3;
const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

/// Where a record stands in its shard. Kinesis gives decimal numbers of up to 186 bits (56 digits) that grow along
/// a shard; they say nothing across shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SequenceNumber([u64; LIMBS]);

/// A text that is no sequence number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number must be a decimal number below 2^186, got {0:?}")]
pub struct SequenceNumberError(String);

impl SequenceNumber {
    /// The number as three limbs, most significant first, each fit for an `i64`.
    pub(crate) fn limbs(self) -> [i64; LIMBS] {
        self.0.map(|limb| i64::try_from(limb).unwrap_or(i64::MAX))
    }

    /// The number that these limbs make; none if one is negative or too great.
    pub(crate) fn from_limbs(limbs: [i64; LIMBS]) -> Option<Self> {
        let mut number = [0; LIMBS];
        for (to, from) in number.iter_mut().zip(limbs) {
            *to = u64::try_from(from).ok().filter(|limb| *limb <= LIMB_MASK)?;
        }
        Some(Self(number))
    }

    /// `self * 10 + digit`, or none when it does not fit.
    fn shifted_in(self, digit: u64) -> Option<Self> {
        let mut number = self.0;
        let mut carry = u128::from(digit);
        for limb in number.iter_mut().rev() {
            let wide = u128::from(*limb) * 10 + carry;
            *limb = u64::try_from(wide & u128::from(LIMB_MASK)).ok()?;
            carry = wide >> LIMB_BITS;
        }
        (carry == 0).then_some(Self(number))
    }

    /// `(self / 10, self % 10)`.
    fn shifted_out(self) -> (Self, u8) {
        let mut number = self.0;
        let mut rest = 0u128;
        for limb in &mut number {
            let wide = (rest << LIMB_BITS) | u128::from(*limb);
            *limb = u64::try_from(wide / 10).unwrap_or(LIMB_MASK);
            rest = wide % 10;
        }
        (Self(number), u8::try_from(rest).unwrap_or(0))
    }
}

impl From<u64> for SequenceNumber {
    fn from(number: u64) -> Self {
        Self([0, number >> LIMB_BITS, number & LIMB_MASK])
    }
}

impl FromStr for SequenceNumber {
    type Err = SequenceNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || SequenceNumberError(text.chars().take(80).collect());
        if text.is_empty() {
            return Err(wrong());
        }
        text.bytes().try_fold(Self::default(), |number, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0')).ok_or_else(wrong)?;
            number.shifted_in(digit).ok_or_else(wrong)
        })
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Vec::new();
        let mut rest = *self;
        loop {
            let (quotient, digit) = rest.shifted_out();
            digits.push(char::from(b'0' + digit));
            if quotient == Self::default() {
                break;
            }
            rest = quotient;
        }
        f.write_str(&digits.into_iter().rev().collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_real_sequence_number_survives_text_and_limbs() {
        let text = "49590338271490256608559692538361571095921575989136588898";
        let number: SequenceNumber = text.parse().unwrap();
        assert_eq!(number.to_string(), text);
        assert_eq!(SequenceNumber::from_limbs(number.limbs()), Some(number));
    }

    #[test]
    fn order_is_numeric_and_not_of_text() {
        let small: SequenceNumber = "9".parse().unwrap();
        let great: SequenceNumber = "10".parse().unwrap();
        assert!(small < great);
    }

    #[test]
    fn the_limit_is_186_bits_and_nonsense_is_named() {
        let greatest = "98079714615416886934934209737619787751599303819750539263";
        assert_eq!(greatest.parse::<SequenceNumber>().unwrap().to_string(), greatest);
        for text in ["98079714615416886934934209737619787751599303819750539264", "", "-1", "1e3", "LATEST"] {
            assert!(text.parse::<SequenceNumber>().unwrap_err().to_string().contains("2^186"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_compare_as_their_values(a in any::<u64>(), b in any::<u64>()) {
            let (x, y): (SequenceNumber, SequenceNumber) =
                (a.to_string().parse().unwrap(), b.to_string().parse().unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x, SequenceNumber::from(a));
            prop_assert_eq!(x.to_string(), a.to_string());
        }
    }
}
