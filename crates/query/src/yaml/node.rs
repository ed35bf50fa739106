//! The events of a YAML parser become a tree of JSON values, and the places of its parts. Aliases are refused: written
//! out, a few lines of them would be gigabytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Value;

use super::place::{Places, inside, item};
use crate::diagnostic::Diagnostic;

/// Deeper than any resource is nested.
const DEPTH_MAX: usize = 64;
/// More parts than any file of queries has; each costs a few hundred bytes.
const PARTS_MAX: usize = 50_000;

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Scalar(Value),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl Node {
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Scalar(value) => value,
            Self::List(items) => Value::Array(items.into_iter().map(Self::into_json).collect()),
            Self::Object(parts) => {
                Value::Object(parts.into_iter().map(|(key, part)| (key, part.into_json())).collect())
            }
        }
    }
}

/// The only document of a text; an empty one is an empty object.
pub(super) fn read(text: &str, places: &mut Places) -> Result<Node, Diagnostic> {
    let mut reader = Reader { parser: Parser::new_from_str(text), text, places, parts: 0, at: (0, 0) };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(root.unwrap_or_else(|| Node::Object(BTreeMap::new()))),
            (Event::DocumentStart(_), span) if root.is_some() => {
                let fault =
                    Diagnostic::new("a second document begins here").hint("one file has one document");
                return Err(reader.places.at(span, fault));
            }
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => root = Some(reader.node(event, span, Some(""), 0)?),
        }
    }
}

struct Reader<'t, 'p> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    text: &'t str,
    places: &'p mut Places,
    /// How many there were so far.
    parts: usize,
    /// The last place asked for: characters, and the bytes that they are.
    at: (usize, usize),
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.bytes(span);
                Ok((event, span))
            }
            Some(Err(error)) => {
                let at = self.byte(error.marker().index());
                let fault = Diagnostic::new(format!("this is no YAML: {}", error.info()));
                Err(self.places.at(at..at, fault.hint("a text with : or # in it stands in quotes")))
            }
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    fn bytes(&mut self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }

    /// Characters as bytes. Places are mostly asked for in the order of the text, so counting goes on from the last one.
    fn byte(&mut self, index: usize) -> usize {
        let (chars, bytes) = if index >= self.at.0 { self.at } else { (0, 0) };
        let rest = self.text.get(bytes..).unwrap_or_default();
        let more: usize = rest.chars().take(index - chars).map(char::len_utf8).sum();
        self.at = (index, bytes + more);
        self.at.1
    }

    fn node(
        &mut self,
        event: Event<'t>,
        span: Range<usize>,
        path: Option<&str>,
        depth: usize,
    ) -> Result<Node, Diagnostic> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            let fault = format!("the document has more than {PARTS_MAX} parts");
            return Err(self.places.at(span, Diagnostic::new(fault)));
        }
        if depth > DEPTH_MAX {
            let fault = format!("the document is nested more than {DEPTH_MAX} deep");
            return Err(self.places.at(span, Diagnostic::new(fault)));
        }
        self.places.remember(path, &span);
        match event {
            Event::Scalar(text, style, _, _) => Ok(Node::Scalar(scalar(text, style))),
            Event::SequenceStart(..) => self.list(path, depth),
            Event::MappingStart(..) => self.object(path, depth),
            _ => {
                let fault = Diagnostic::new("aliases are not read").hint("write out what it stands for");
                Err(self.places.at(span, fault))
            }
        }
    }

    fn list(&mut self, path: Option<&str>, depth: usize) -> Result<Node, Diagnostic> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                return Ok(Node::List(items));
            }
            let at = item(path, items.len());
            items.push(self.node(event, span, at.as_deref(), depth + 1)?);
        }
    }

    fn object(&mut self, path: Option<&str>, depth: usize) -> Result<Node, Diagnostic> {
        let mut parts = BTreeMap::new();
        loop {
            let (event, key_span) = self.next()?;
            let key = match event {
                Event::MappingEnd | Event::StreamEnd => return Ok(Node::Object(parts)),
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(self.places.at(key_span, Diagnostic::new("a key must be a text"))),
            };
            let at = inside(path, &key);
            let (event, span) = self.next()?;
            // Of an empty value there is nothing to point at but its key; of an object its key says more than its inside.
            let leaf = matches!(event, Event::Scalar(..) | Event::SequenceStart(..)) && !span.is_empty();
            let part = self.node(event, span, at.as_deref(), depth + 1)?;
            if !leaf {
                self.places.remember(at.as_deref(), &key_span);
            }
            if parts.insert(key, part).is_some() {
                return Err(self.places.at(key_span, Diagnostic::new("this key stands there twice")));
            }
        }
    }
}

/// A scalar by the rules of YAML's core schema; what is quoted is text.
fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.into_owned());
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        plain => number(plain).unwrap_or_else(|| Value::String(plain.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let begins = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    if !begins || !text.chars().all(of_number) {
        return None;
    }
    text.parse::<i64>().ok().map(Value::from).or_else(|| {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
        serde_json::Number::from_f64(number).map(Value::Number)
    })
}
