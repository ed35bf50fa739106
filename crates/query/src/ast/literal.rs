//! Values as they are written in queries.

/// A value written in a query. A bare word that is canonical number text is a number, `true` and `false` are
/// booleans, everything else (`1.0`, `007`, anything in quotes) is text.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text: compares with texts.
    Text(String),
    /// A whole number: compares with numbers, and in `=` with the text of the same digits.
    Int(i64),
    /// Another number, finite.
    Float(f64),
    /// Compares with booleans, and in `=` with the text `true` or `false`.
    Bool(bool),
}

impl Literal {
    /// A bare word by its look: canonical number text is a number, `true` and `false` are booleans, the rest is text.
    pub fn bare(word: &str) -> Self {
        if let Ok(flag) = word.parse() {
            return Self::Bool(flag);
        }
        match word.parse::<i64>() {
            Ok(whole) if whole.to_string() == word => return Self::Int(whole),
            _ => {}
        }
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() && number != 0.0 && number.to_string() == word => {
                Self::number(number)
            }
            _ => Self::Text(word.to_owned()),
        }
    }

    /// A number, whole if it is (NaN and infinities, which nobody can write, are text).
    pub fn number(number: f64) -> Self {
        // 2^63: every whole float below it is exactly one whole number of 64 bits.
        const WHOLE_BELOW: f64 = 9_223_372_036_854_775_808.0;
        if !number.is_finite() {
            return Self::Text(number.to_string());
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        if number.fract() == 0.0 && number.abs() < WHOLE_BELOW {
            return Self::Int(number as i64);
        }
        Self::Float(number)
    }

    /// The operand of a comparison: any number text is a number there (`> 1.0`).
    pub fn compared(word: &str) -> Self {
        match Self::bare(word) {
            Self::Text(text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Self::number(number),
                _ => Self::Text(text),
            },
            literal => literal,
        }
    }

    /// As text: what `=` compares with a text, without quotes.
    pub fn as_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Bool(flag) => flag.to_string(),
        }
    }
}
