//! `HAVING`: comparisons of figures, joined by AND, OR and NOT as in `WHERE`.

use super::{Noted, Parser};
use crate::arithmetic::Sign;
use crate::check::FILTER_DEPTH_MAX;
use crate::diagnostic::Diagnostic;
use crate::formula::{Having, Relation};
use crate::lexer::Token;

impl Parser<'_> {
    pub(super) fn having(&mut self) -> Result<Having, Noted> {
        self.having_any(0)
    }

    fn having_any(&mut self, depth: usize) -> Result<Having, Noted> {
        let mut any = vec![self.having_all(depth)?];
        while self.take_word("OR") {
            any.push(self.having_all(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Having::Any(any) })
    }

    fn having_all(&mut self, depth: usize) -> Result<Having, Noted> {
        let mut all = vec![self.having_not(depth)?];
        while self.take_word("AND") {
            all.push(self.having_not(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Having::All(all) })
    }

    fn having_not(&mut self, depth: usize) -> Result<Having, Noted> {
        if depth > FILTER_DEPTH_MAX {
            let fault = format!("the condition is nested more than {FILTER_DEPTH_MAX} deep");
            return Err(self.fail_here(Diagnostic::new(fault)));
        }
        if self.take_word("NOT") {
            return Ok(Having::Not(Box::new(self.having_not(depth + 1)?)));
        }
        if *self.peek() != Token::Open || self.opens_arithmetic() {
            return self.comparison();
        }
        self.bump();
        let inner = self.having_any(depth + 1)?;
        if self.take(&Token::Close) {
            return Ok(inner);
        }
        Err(self.fail_here(Diagnostic::new("AND, OR or a closing parenthesis was expected here")))
    }

    fn comparison(&mut self) -> Result<Having, Noted> {
        let left = self.arithmetic(Self::term)?;
        let relation = match self.peek() {
            Token::Comparison(symbol) => Relation::named(symbol),
            _ => None,
        };
        let Some(relation) = relation else {
            let fault = Diagnostic::new("one of = != > >= < <= was expected here");
            return Err(self.fail_here(fault.hint("as in HAVING total > 10; signs stand between blanks")));
        };
        self.bump();
        Ok(Having::Is(left, relation, self.arithmetic(Self::term)?))
    }

    /// Whether the parenthesis that comes next is one of arithmetic, `(a + b) > c`: what follows its end tells.
    fn opens_arithmetic(&self) -> bool {
        let mut lexer = self.lexer.clone();
        let mut open = 1_usize;
        while open > 0 {
            match lexer.next().0 {
                Token::Open => open += 1,
                Token::Close => open -= 1,
                Token::End => return false,
                _ => {}
            }
        }
        match lexer.next().0 {
            Token::Comparison(_) => true,
            Token::Word(word) => Sign::named(&word).is_some(),
            _ => false,
        }
    }
}
