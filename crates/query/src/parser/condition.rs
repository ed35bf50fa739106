//! The reference's filter string, one condition alone: `"<key> <operation> <value>"`. Unlike in the one-line text form
//! the key may have parentheses, and a value without quotes is the whole rest, blanks included.

use crate::ast::{Condition, Key, Literal};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, Token};
use crate::operation::{self, Operand, Operation};

/// Reads a filter string.
pub(crate) fn parse_condition(text: &str) -> Result<Condition, Diagnostic> {
    if let Some(fault) = super::too_long(text) {
        return Err(fault);
    }
    let fault = |from: usize, what: String| Diagnostic::new(what).within(text, from..text.len());
    let (key, rest) = key(text).ok_or_else(|| {
        fault(0, "a key is missing".to_owned())
            .hint("as \"@type = REPORT\"; a key with blanks stands in back-quotes")
    })?;
    let at = |rest: &str| text.len() - rest.len();
    let (name, value) = operation_word(rest);
    let Some(operation) = Operation::named(&name) else {
        let what = match name.is_empty() {
            true => "an operation is missing".to_owned(),
            false => format!("{} is no operation", name.chars().take(80).collect::<String>()),
        };
        return Err(fault(at(rest), what).hint(operation::hint(&name)));
    };
    let place = at(value);
    let value = value.trim();
    let values = match operation.operand() {
        Operand::None if value.is_empty() => Vec::new(),
        Operand::None => return Err(fault(place, format!("{name} takes no value"))),
        _ if value.is_empty() => return Err(fault(place, format!("a value is missing after {name}"))),
        Operand::List => {
            super::parse_list(value).map_err(|found| fault(place, found.message).hint("as in IN (a, b)"))?
        }
        Operand::Number => vec![typed(value, Literal::compared)],
        Operand::Value | Operand::Text => vec![typed(value, Literal::bare)],
        Operand::Regex => vec![typed(value, |regex| Literal::Text(regex.to_owned()))],
    };
    Ok(Condition { key, test: operation.test(values)? })
}

/// The key and what follows it.
fn key(text: &str) -> Option<(Key, &str)> {
    let text = text.trim_start();
    if text.starts_with('`') {
        let mut lexer = Lexer::new(text);
        return match lexer.next() {
            (Token::BackQuoted(key), _) => Some((Key::new(key), lexer.rest().trim_start())),
            _ => None,
        };
    }
    let end =
        text.find(|c: char| c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>')).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    (!key.is_empty()).then(|| (Key::new(key), rest.trim_start()))
}

/// The operation (in capitals, two words as one) and what follows it.
fn operation_word(rest: &str) -> (String, &str) {
    let symbol = rest.find(|c: char| !matches!(c, '=' | '!' | '<' | '>')).unwrap_or(rest.len());
    if symbol > 0 {
        let (symbol, value) = rest.split_at(symbol);
        return (symbol.to_owned(), value);
    }
    let word =
        |text: &str| text.find(|c: char| c.is_whitespace() || matches!(c, '(' | '[')).unwrap_or(text.len());
    let (first, after) = rest.split_at(word(rest));
    if first.eq_ignore_ascii_case("NOT") {
        let after = after.trim_start();
        let (second, value) = after.split_at(word(after));
        return (format!("NOT_{}", second.to_ascii_uppercase()), value);
    }
    (first.to_ascii_uppercase(), after)
}

/// A value in quotes without them, any other as it stands. Single quotes are typed like a bare value, double ones are
/// text.
fn typed(value: &str, bare: fn(&str) -> Literal) -> Literal {
    let mut lexer = Lexer::new(value);
    let first = lexer.next().0;
    match first {
        Token::Text(text) if lexer.rest().is_empty() => Literal::Text(text),
        Token::Quoted(text) if lexer.rest().is_empty() => bare(&text),
        _ => bare(value),
    }
}
