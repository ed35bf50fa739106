//! One JSON object whose fields are taken out by name and type. A field that is not there, or null, has its default.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::{Map, Value};

use crate::error::DecodeError;
use crate::json;
use crate::limits::Limits;

/// Protocol Buffers' JSON takes both alphabets, with or without padding (protobuf.dev, "ProtoJSON Format").
const EITHER_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER_PADDING);

/// A field that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    field: &'static str,
    expected: &'static str,
}

impl Fault {
    pub(crate) fn in_message(self, message: &'static str) -> DecodeError {
        DecodeError::Invalid {
            what: self.field,
            place: format!("in the JSON of {message}"),
            why: format!("it must be {}", self.expected),
        }
    }
}

/// The fields of a message.
#[derive(Debug)]
pub(crate) struct Object(Map);

impl Object {
    /// The one object that `text` is.
    pub(crate) fn read(text: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut values = json::values(text, limits)?;
        match (values.pop(), values.len()) {
            (Some(Value::Object(map)), 0) => Ok(Self(map)),
            (None, _) => Err(DecodeError::Empty),
            _ => {
                Err(Fault { field: "the request", expected: "one JSON object" }.in_message("an OTLP request"))
            }
        }
    }

    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field).filter(|value| *value != Value::Null)
    }

    pub(crate) fn has(&self, field: &'static str) -> bool {
        self.0.get(field).is_some_and(|value| *value != Value::Null)
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, Fault> {
        match self.take(field) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Fault { field, expected: "text" }),
        }
    }

    /// Hexadecimal digits in any case; empty text is no id.
    pub(crate) fn id(&mut self, field: &'static str) -> Result<Vec<u8>, Fault> {
        let text = self.text(field)?;
        let fault = Fault { field, expected: "hexadecimal digits, two for each byte" };
        if text.len() % 2 != 0 || !text.is_ascii() {
            return Err(fault);
        }
        let pairs = text.as_bytes().chunks_exact(2);
        pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<_>>().ok_or(fault)
    }

    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<Vec<u8>, Fault> {
        let text = self.text(field)?;
        let read = STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text));
        read.map_err(|_| Fault { field, expected: "base64" })
    }

    pub(crate) fn flag(&mut self, field: &'static str) -> Result<bool, Fault> {
        match self.take(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Fault { field, expected: "true or false" }),
        }
    }

    /// Whole numbers of any width that fits, as numbers or as text.
    pub(crate) fn whole<T: TryFrom<i128> + Default>(&mut self, field: &'static str) -> Result<T, Fault> {
        let Some(value) = self.take(field) else { return Ok(T::default()) };
        whole(&value)
            .and_then(|number| T::try_from(number).ok())
            .ok_or(Fault { field, expected: "a whole number" })
    }

    pub(crate) fn wholes(&mut self, field: &'static str) -> Result<Vec<u64>, Fault> {
        let fault = Fault { field, expected: "an array of whole numbers" };
        let number = |value: &Value| u64::try_from(whole(value)?).ok();
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(number).collect::<Option<_>>().ok_or(fault),
            Some(_) => Err(fault),
        }
    }

    pub(crate) fn double(&mut self, field: &'static str) -> Result<f64, Fault> {
        Ok(self.double_if_any(field)?.unwrap_or_default())
    }

    /// Protobuf tells a number that is zero from one that is not there.
    pub(crate) fn double_if_any(&mut self, field: &'static str) -> Result<Option<f64>, Fault> {
        let Some(value) = self.take(field) else { return Ok(None) };
        double(&value).map(Some).ok_or(Fault { field, expected: "a number" })
    }

    pub(crate) fn doubles(&mut self, field: &'static str) -> Result<Vec<f64>, Fault> {
        let fault = Fault { field, expected: "an array of numbers" };
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(double).collect::<Option<_>>().ok_or(fault),
            Some(_) => Err(fault),
        }
    }

    /// A number, or a name that `number_of` knows.
    pub(crate) fn one_of(
        &mut self,
        field: &'static str,
        number_of: impl Fn(&str) -> Option<i32>,
    ) -> Result<i32, Fault> {
        match self.take(field) {
            None => Ok(0),
            Some(Value::String(name)) if name.parse::<i32>().is_err() => {
                number_of(&name).ok_or(Fault { field, expected: "a number or a name of the enum" })
            }
            Some(value) => whole(&value)
                .and_then(|number| i32::try_from(number).ok())
                .ok_or(Fault { field, expected: "a number or a name of the enum" }),
        }
    }

    pub(crate) fn message<T>(
        &mut self,
        field: &'static str,
        read: impl Fn(Self) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Object(map)) => read(Self(map)).map(Some),
            Some(_) => Err(Fault { field, expected: "an object" }),
        }
    }

    pub(crate) fn messages<T>(
        &mut self,
        field: &'static str,
        read: impl Fn(Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let fault = Fault { field, expected: "an array of objects" };
        let Some(value) = self.take(field) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else { return Err(fault) };
        let one = |item| match item {
            Value::Object(map) => read(Self(map)),
            _ => Err(fault.clone()),
        };
        items.into_iter().map(one).collect()
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Text with digits, a whole number, or a float without a fraction (JavaScript knows no other).
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and inside the range")]
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some((*number).into()),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e20 => Some(*number as i128),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number, or one of the words for what JSON has no number for.
fn double(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.parse().ok(),
        },
        number => number.as_f64(),
    }
}
