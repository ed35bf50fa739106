//! `WHERE`: conditions, joined by AND, OR and NOT, with parentheses. AND binds closer than OR, NOT closest.

use super::{Noted, Parser};
use crate::ast::{Condition, Filter, Literal};
use crate::check::FILTER_DEPTH_MAX;
use crate::diagnostic::Diagnostic;
use crate::lexer::Token;
use crate::operation::{self, Operand, Operation};

impl Parser<'_> {
    pub(super) fn filter(&mut self) -> Result<Filter, Noted> {
        self.any(0)
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Noted> {
        let mut filters = vec![self.all(depth)?];
        while self.take_word("OR") {
            filters.push(self.all(depth)?);
        }
        Ok(Filter::any(filters))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Noted> {
        let mut filters = vec![self.not(depth)?];
        while self.take_word("AND") {
            filters.push(self.not(depth)?);
        }
        Ok(Filter::all(filters))
    }

    fn not(&mut self, depth: usize) -> Result<Filter, Noted> {
        // Each level of text is at most one level of the tree and one of our own stack.
        if depth > FILTER_DEPTH_MAX {
            let fault = format!("the filter is nested more than {FILTER_DEPTH_MAX} deep");
            return Err(self.fail_here(Diagnostic::new(fault)));
        }
        if self.take_word("NOT") {
            return Ok(Filter::Not(Box::new(self.not(depth + 1)?)));
        }
        if *self.peek() != Token::Open {
            return self.condition();
        }
        let (_, open) = self.bump();
        if self.take(&Token::Close) {
            return Ok(Filter::everything());
        }
        let filter = self.any(depth + 1)?;
        if !self.take(&Token::Close) {
            return Err(match self.peek() {
                Token::End => self.fail(open, Diagnostic::new("this parenthesis is never closed")),
                _ => self.fail_here(
                    Diagnostic::new("AND, OR or a closing parenthesis was expected here")
                        .hint("a value with blanks stands in quotes"),
                ),
            });
        }
        Ok(filter)
    }

    fn condition(&mut self) -> Result<Filter, Noted> {
        let key = self.key("a condition is missing here")?;
        let operation = self.operation(key.as_str())?;
        let values = self.operand(operation)?;
        match operation.test(values) {
            Ok(test) => Ok(Filter::Is(Condition { key, test })),
            Err(fault) => Err(self.fail_here(fault)),
        }
    }

    fn operation(&mut self, key: &str) -> Result<Operation, Noted> {
        match self.peek().clone() {
            Token::Comparison(symbol) => self.known_operation(symbol),
            Token::Word(word) if word.eq_ignore_ascii_case("NOT") => {
                self.bump();
                let Token::Word(second) = self.peek().clone() else {
                    return Err(self.fail_here(Diagnostic::new("IN or LIKE is missing after NOT")));
                };
                self.known_operation(&format!("NOT_{second}"))
            }
            Token::Word(word) if !super::is_clause(&word) => self.known_operation(&word),
            _ => {
                let fault = format!("an operation is missing after {}", shortened(key));
                Err(self.fail_here(Diagnostic::new(fault).hint("as in @type = REPORT, or @timeout EXISTS")))
            }
        }
    }

    fn known_operation(&mut self, name: &str) -> Result<Operation, Noted> {
        match Operation::named(name) {
            Some(operation) => {
                self.bump();
                Ok(operation)
            }
            None => {
                let fault = Diagnostic::new(format!("{} is no operation", shortened(name)));
                Err(self.fail_here(fault.hint(operation::hint(name))))
            }
        }
    }

    fn operand(&mut self, operation: Operation) -> Result<Vec<Literal>, Noted> {
        match operation.operand() {
            Operand::None => Ok(Vec::new()),
            Operand::List => self.list(operation),
            kind => Ok(vec![self.value(operation, kind)?]),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
