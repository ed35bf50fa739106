//! Payment card numbers: 14 to 19 digits in one run or in the groups that are printed on cards, of a known issuer,
//! with a right check digit. One in ten numbers passes the check, so issuer and length count as much.

use std::ops::Range;

use super::place::Place;

/// How cards print their numbers.
const LAYOUTS: [&[usize]; 3] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
/// How many digits a number has.
pub(super) const DIGITS: std::ops::RangeInclusive<usize> = 14..=DIGITS_MAX;
const DIGITS_MAX: usize = 19;

/// At a digit. The scan goes on behind its run of digits, so that this is a run's first.
pub(super) fn find(place: &Place<'_>) -> Option<Range<usize>> {
    let digit = |byte: u8| byte.is_ascii_digit();
    if !place.opens(place.at) || is_fraction(place) {
        return None;
    }
    let end = place.run_end(place.at, digit);
    if end - place.at == 4 {
        return LAYOUTS.iter().find_map(|layout| grouped(place, layout));
    }
    let digits = place.bytes().get(place.at..end)?;
    let more = place.byte(end) == Some(b'.') && place.byte(end + 1).is_some_and(digit);
    (place.closes(end) && !more && is_card(digits)).then_some(place.at..end)
}

/// Digits behind a decimal point.
fn is_fraction(place: &Place<'_>) -> bool {
    matches!(place.behind(), [.., before, b'.'] if before.is_ascii_digit())
}

/// Groups with the same space or dash between all of them.
fn grouped(place: &Place<'_>, layout: &[usize]) -> Option<Range<usize>> {
    let separator = place.byte(place.at + 4).filter(|byte| matches!(byte, b' ' | b'-'))?;
    let mut digits = [0; DIGITS_MAX];
    let (mut count, mut at) = (0, place.at);
    for (index, length) in layout.iter().enumerate() {
        if index > 0 {
            at += usize::from(place.byte(at)? == separator);
        }
        let group = place.bytes().get(at..at + length)?;
        if place.run_end(at, |byte| byte.is_ascii_digit()) != at + length {
            return None;
        }
        digits.get_mut(count..count + length)?.copy_from_slice(group);
        (count, at) = (count + length, at + length);
    }
    (place.closes(at) && is_card(digits.get(..count)?)).then_some(place.at..at)
}

/// True if these ASCII digits are a card's number.
#[inline]
pub(crate) fn is_card(digits: &[u8]) -> bool {
    DIGITS.contains(&digits.len()) && is_issued(digits) && passes_luhn(digits)
}

/// Lengths and first digits of Visa, Mastercard, American Express, Discover, JCB, Diners Club and UnionPay.
fn is_issued(digits: &[u8]) -> bool {
    let Some(head) = digits.get(..4) else { return false };
    if digits.iter().any(|byte| !byte.is_ascii_digit()) {
        return false;
    }
    let head = head.iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    match digits.len() {
        14 => matches!(head, 3000..=3059 | 3600..=3699 | 3800..=3999),
        15 => matches!(head, 3400..=3499 | 3700..=3799),
        16 => matches!(
            head,
            4000..=4999 | 5100..=5599 | 2221..=2720 | 6011 | 6200..=6299 | 6440..=6599 | 3528..=3589
        ),
        17..=DIGITS_MAX => matches!(head, 6200..=6299),
        _ => false,
    }
}

/// ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &[u8]) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = digit.wrapping_sub(b'0');
            if index % 2 == 0 {
                u32::from(digit)
            } else {
                doubled.get(usize::from(digit)).copied().unwrap_or(0)
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_issuers_publish_for_tests_are_cards() {
        for number in [
            "4111111111111111",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "6240008631401148",
        ] {
            assert!(is_card(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn other_numbers_are_not() {
        for number in
            ["4111111111111112", "1732190000000000", "1111111111111117", "0000000000000000", "", "42"]
        {
            assert!(!is_card(number.as_bytes()), "{number}");
        }
    }
}
