//! Right sides: values, lists, texts, regular expressions, times.

use model::Timestamp;

use super::{Noted, Parser};
use crate::ast::Literal;
use crate::diagnostic::Diagnostic;
use crate::lexer::{self, Token};
use crate::operation::{Operand, Operation};
use crate::time;

impl Parser<'_> {
    pub(super) fn value(&mut self, operation: Operation, kind: Operand) -> Result<Literal, Noted> {
        if kind == Operand::Regex
            && let Some(regex) = self.regex_literal()?
        {
            return Ok(Literal::Text(regex));
        }
        let typed = if kind == Operand::Number { Literal::compared } else { Literal::bare };
        self.literal(typed, &format!("a value is missing after {}", operation.name()))
    }

    fn literal(&mut self, typed: fn(&str) -> Literal, missing: &str) -> Result<Literal, Noted> {
        let literal = match self.peek() {
            // In capitals it is the next clause and the value was forgotten; else it is a value.
            Token::Word(word) if super::is_clause(word) && *word == word.to_ascii_uppercase() => None,
            Token::Word(word) | Token::Quoted(word) => Some(typed(word)),
            Token::Text(text) => Some(Literal::Text(text.clone())),
            _ => None,
        };
        let hint = "a value that is a keyword, or has blanks or brackets, stands in quotes";
        let Some(literal) = literal else { return Err(self.fail_here(Diagnostic::new(missing).hint(hint))) };
        self.bump();
        Ok(literal)
    }

    pub(super) fn list(&mut self, operation: Operation) -> Result<Vec<Literal>, Noted> {
        let close = match self.peek() {
            Token::Open => Token::Close,
            Token::OpenSquare => Token::CloseSquare,
            _ => {
                let fault = Diagnostic::new(format!("{} needs a list after it", operation.name()));
                return Err(self.fail_here(fault.hint("as in IN (a, b), or IN [a, b]")));
            }
        };
        let (_, open) = self.bump();
        let mut values = Vec::new();
        while !self.take(&close) {
            if *self.peek() == Token::End {
                return Err(self.fail(open, Diagnostic::new("this list is never closed")));
            }
            values.push(self.literal(Literal::bare, "a value of the list is missing here")?);
            if !self.take(&Token::Comma) && *self.peek() != close && *self.peek() != Token::End {
                let fault = Diagnostic::new("a comma or the end of the list was expected here");
                return Err(self.fail_here(fault.hint("a value with blanks stands in quotes")));
            }
        }
        Ok(values)
    }

    /// `/regex/`, where the next token begins with a slash and another one follows.
    ///
    /// With a blank inside, the two slashes may as well be those of two paths, `SEARCH /checkout WHERE path = /pay`:
    /// what stands between them would be lost without a word. It is a fault where it looks so.
    pub(super) fn regex_literal(&mut self) -> Result<Option<String>, Noted> {
        let start = self.span().start;
        let Some((regex, span)) = self.lexer.regex(start) else { return Ok(None) };
        let goes_on = self.lexer.rest().chars().next().is_some_and(|next| !lexer::ends_word(next));
        let swallows = goes_on && regex.contains(char::is_whitespace) || super::ends_like_a_clause(&regex);
        self.next = self.lexer.next();
        self.end = span.end;
        if swallows {
            let fault = Diagnostic::new("a regular expression from one slash to the next would be this");
            let hint =
                "a path stands in quotes, as SEARCH \"/checkout\"; a blank at an expression's end is [ ]";
            return Err(self.fail(span, fault.hint(hint)));
        }
        Ok(Some(regex))
    }

    /// One word, or a text in quotes.
    pub(super) fn text(&mut self, missing: &str, hint: &str) -> Result<String, Noted> {
        match self.peek().clone() {
            Token::Word(word) if !super::is_clause(&word) => {
                self.bump();
                Ok(word)
            }
            Token::Text(text) | Token::Quoted(text) => {
                self.bump();
                Ok(text)
            }
            _ => Err(self.fail_here(Diagnostic::new(missing).hint(hint))),
        }
    }

    /// A duration or a time: one word, a text in quotes, or a number and a unit.
    pub(super) fn time_text(&mut self, missing: &str) -> Result<String, Noted> {
        let mut text = self.text(missing, "as in 1h, 20 mins, 7d")?;
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && let Token::Word(unit) = self.peek().clone()
            && time::is_unit(&unit)
        {
            self.bump();
            text = format!("{text} {unit}");
        }
        if self.take_word("AGO") {
            text.push_str(" ago");
        }
        Ok(text)
    }

    pub(super) fn point(&mut self, after: &str) -> Result<Timestamp, Noted> {
        let start = self.span().start;
        let text = self.time_text(&format!("a time is missing after {after}"))?;
        time::point(&text, self.now, &self.zone).ok_or_else(|| {
            let fault = Diagnostic::new(format!("{text:?} is no time"));
            self.fail(start..self.end, fault.hint("as in 2026-11-20T13:00:00Z, 2026-11-20, 2h (ago), now"))
        })
    }
}
