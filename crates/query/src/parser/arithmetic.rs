//! Sums and products over whatever a clause's leaves are: keys in `DERIVE`, figures in formulas and `HAVING`.
//! `+ -` bind least, then `* / %`, then `^` and a sign in front. Signs stand between blanks, because keys may have them
//! inside (`span-id`, `aws/lambda`).

use super::{Noted, Parser};
use crate::arithmetic::{Arithmetic, Function, Sign};
use crate::calculation::Operator;
use crate::diagnostic::Diagnostic;
use crate::formula::Term;
use crate::lexer::Token;

/// Deeper than any formula that a person reads; SQL is parsed and planned by recursion.
pub(crate) const ARITHMETIC_DEPTH_MAX: usize = 20;

/// Reads what is no number, sign or function.
pub(super) type Leaf<'a, L> = fn(&mut Parser<'a>) -> Result<L, Noted>;

impl<'a> Parser<'a> {
    pub(super) fn arithmetic<L>(&mut self, leaf: Leaf<'a, L>) -> Result<Arithmetic<L>, Noted> {
        let start = self.span().start;
        let read = self.joined(leaf, 1, 0)?;
        if read.depth() > ARITHMETIC_DEPTH_MAX {
            return Err(self.fail(start..self.end, too_deep()));
        }
        Ok(read)
    }

    /// Everything that binds at least so close.
    fn joined<L>(&mut self, leaf: Leaf<'a, L>, least: u8, depth: usize) -> Result<Arithmetic<L>, Noted> {
        let start = self.span().start;
        let mut left = self.signed(leaf, depth)?;
        while let Some(sign) = self.sign().filter(|sign| sign.binding() >= least) {
            self.bump();
            // `^` is read from the right: its right side takes the next `^` too.
            let right = match sign {
                Sign::Power => {
                    let depth = self.deeper(depth)?;
                    self.joined(leaf, sign.binding(), depth)?
                }
                _ => self.joined(leaf, sign.binding() + 1, depth)?,
            };
            left = Arithmetic::join(sign, left, right);
            // A row of signs makes a tree as deep as the row is long; whatever walks or drops it does so by recursion.
            if left.depth() > ARITHMETIC_DEPTH_MAX {
                return Err(self.fail(start..self.end, too_deep()));
            }
        }
        Ok(left)
    }

    /// A number, a leaf, something in parentheses, or one of them with a minus in front.
    fn signed<L>(&mut self, leaf: Leaf<'a, L>, depth: usize) -> Result<Arithmetic<L>, Noted> {
        if self.take(&Token::Open) {
            let depth = self.deeper(depth)?;
            let inner = self.joined(leaf, 1, depth)?;
            return self.closed(inner);
        }
        let Token::Word(word) = self.peek().clone() else { return leaf(self).map(Arithmetic::Of) };
        if let Some(number) = number(&word) {
            self.bump();
            return Ok(Arithmetic::Number(number));
        }
        if word == "-" {
            self.bump();
            let depth = self.deeper(depth)?;
            return Ok(Arithmetic::Negative(Box::new(self.joined(leaf, Sign::Power.binding(), depth)?)));
        }
        match Function::named(&word) {
            Some(function) if self.calls() => {
                self.bump();
                self.take(&Token::Open);
                let depth = self.deeper(depth)?;
                let inner = self.joined(leaf, 1, depth)?;
                self.closed(Arithmetic::Apply(function, Box::new(inner)))
            }
            _ => leaf(self).map(Arithmetic::Of),
        }
    }

    fn closed<L>(&mut self, inner: Arithmetic<L>) -> Result<Arithmetic<L>, Noted> {
        if self.take(&Token::Close) {
            return Ok(inner);
        }
        let fault = Diagnostic::new("a sign or a closing parenthesis was expected here");
        Err(self.fail_here(fault.hint("signs stand between blanks: a / b")))
    }

    fn deeper(&mut self, depth: usize) -> Result<usize, Noted> {
        if depth < ARITHMETIC_DEPTH_MAX { Ok(depth + 1) } else { Err(self.fail_here(too_deep())) }
    }

    fn sign(&self) -> Option<Sign> {
        match self.peek() {
            Token::Word(word) => Sign::named(word),
            _ => None,
        }
    }

    /// A figure: a calculation, or the alias of one.
    pub(super) fn term(&mut self) -> Result<Term, Noted> {
        let Token::Word(word) = self.peek().clone() else {
            return Ok(Term::Named(self.key("a figure is missing here")?.as_str().to_owned()));
        };
        match Operator::named(&word) {
            // `count` alone may be an alias; the draft knows.
            Some(_) if self.calls() || self.goes_on_with("IF") => {
                self.calculation_body().map(|body| Term::Calculated(Box::new(body)))
            }
            Some(operator) if operator != Operator::Count => {
                // `max` alone is an alias, too; as a calculation it would need a key.
                self.bump();
                Ok(Term::Named(word))
            }
            None if self.calls() => Err(self.unknown_word(&word)),
            _ => Ok(Term::Named(self.key("a figure is missing here")?.as_str().to_owned())),
        }
    }

    /// Whether this word follows the next token.
    pub(super) fn goes_on_with(&self, wanted: &str) -> bool {
        let rest = self.source.get(self.span().end..).unwrap_or_default().trim_start();
        let word = rest.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
        word.eq_ignore_ascii_case(wanted)
    }

    /// Whether a sign follows the next token.
    pub(super) fn goes_on_with_sign(&self) -> bool {
        let rest = self.source.get(self.span().end..).unwrap_or_default();
        rest.split_whitespace().next().is_some_and(|word| Sign::named(word).is_some())
    }
}

/// A finite number as people write it; `inf` and `nan` are names.
pub(crate) fn number(word: &str) -> Option<f64> {
    let digit = word.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    word.parse().ok().filter(|number: &f64| digit && number.is_finite())
}

fn too_deep() -> Diagnostic {
    Diagnostic::new(format!("the arithmetic is nested more than {ARITHMETIC_DEPTH_MAX} deep"))
        .hint("a long row is flatter in halves: (a + b + …) + (c + d + …)")
}
