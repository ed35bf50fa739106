//! The list of what is worked out: calculations, and formulas over them.

use super::{CLAUSES, Noted, Parser};
use crate::arithmetic::{Arithmetic, Function};
use crate::ast::Key;
use crate::calculation::{Calculation, Operator};
use crate::check::Part;
use crate::diagnostic::{Diagnostic, closest};
use crate::formula::{Derived, Formula, Term};
use crate::lexer::Token;
use crate::parser::arithmetic::number;

/// One item of the list.
pub(crate) enum Figure {
    /// `P99(@duration) as p99`
    Calculation(Calculation),
    /// `errors / total as rate`
    Formula(Formula),
}

impl Parser<'_> {
    pub(super) fn figures(&mut self) -> Result<(), Noted> {
        if !self.begins_figure() {
            return Err(self.no_figure());
        }
        if !self.draft.calculations.is_empty() || !self.draft.formulas.is_empty() {
            let fault = Diagnostic::new("calculations stand in two places")
                .hint("one list, with commas between them");
            return Err(self.fail_here(fault));
        }
        loop {
            let start = self.span().start;
            let part = match self.figure()? {
                Figure::Calculation(calculation) => {
                    self.draft.calculations.push(calculation);
                    Part::Calculation(self.draft.calculations.len() - 1)
                }
                Figure::Formula(formula) => {
                    self.draft.formulas.push(formula);
                    Part::Formula(self.draft.formulas.len() - 1)
                }
            };
            self.remember(part, start);
            if !self.take(&Token::Comma) {
                return Ok(());
            }
        }
    }

    /// `COUNT as n`, `OP(key) IF (condition) as n`, `a / b as n`.
    pub(super) fn figure(&mut self) -> Result<Figure, Noted> {
        if !self.begins_figure() {
            return Err(self.no_figure());
        }
        let start = self.span().start;
        let body = match self.arithmetic(Self::term)? {
            Arithmetic::Of(Term::Calculated(calculation)) => return self.called(*calculation),
            // Alone it is no alias: `COUNT`, and `P99` for which the check wants a key.
            Arithmetic::Of(Term::Named(name)) if Operator::named(&name).is_some() => {
                let operator = Operator::named(&name).unwrap_or(Operator::Count);
                return self.called(Calculation { operator, ..Calculation::count() });
            }
            body => body,
        };
        if !self.take_word("AS") {
            let fault = Diagnostic::new("a formula needs a name").hint("as in errors / total * 100 as rate");
            return Err(self.fail(start..self.end, fault));
        }
        let alias = self.alias()?;
        Ok(Figure::Formula(Formula { alias, arithmetic: body }))
    }

    fn called(&mut self, calculation: Calculation) -> Result<Figure, Noted> {
        let alias = if self.take_word("AS") { Some(self.alias()?) } else { None };
        Ok(Figure::Calculation(Calculation { alias, ..calculation }))
    }

    fn alias(&mut self) -> Result<String, Noted> {
        self.text("an alias is missing after AS", "as in COUNT as total")
    }

    /// `COUNT` or `OP(key)`, and `IF (condition)`.
    pub(super) fn calculation_body(&mut self) -> Result<Calculation, Noted> {
        let operator = match self.peek() {
            Token::Word(word) => Operator::named(word),
            _ => None,
        };
        let Some(operator) = operator else { return Err(self.no_figure()) };
        self.bump();
        let mut calculation = Calculation { operator, key: None, condition: None, alias: None };
        if self.take(&Token::Open) && !self.take(&Token::Close) {
            calculation.key = Some(self.key("a key is missing in the parentheses")?);
            if !self.take(&Token::Close) {
                let fault = Diagnostic::new("a closing parenthesis is missing");
                return Err(
                    self.fail_here(fault.hint("keys with blanks or parentheses stand in back-quotes"))
                );
            }
        }
        if self.take_word("IF") {
            if *self.peek() != Token::Open {
                let fault = Diagnostic::new("the condition after IF stands in parentheses");
                return Err(self.fail_here(fault.hint("as in COUNT IF (level = error) as errors")));
            }
            self.bump();
            calculation.condition = Some(self.filter()?);
            if !self.take(&Token::Close) {
                return Err(
                    self.fail_here(Diagnostic::new("AND, OR or a closing parenthesis was expected here"))
                );
            }
        }
        Ok(calculation)
    }

    /// `DERIVE name = arithmetic over keys, …`
    pub(super) fn derive(&mut self) -> Result<(), Noted> {
        loop {
            let start = self.span().start;
            let derived = self.derived()?;
            self.draft.derived.push(derived);
            if self.draft.derived.len() > 1 {
                self.remember(Part::Derived(self.draft.derived.len() - 1), start);
            }
            if !self.take(&Token::Comma) {
                return Ok(());
            }
        }
    }

    pub(super) fn derived(&mut self) -> Result<Derived, Noted> {
        let name = self.key("the new key's name is missing here")?;
        if !self.take(&Token::Comparison("=")) {
            let fault = Diagnostic::new("= is missing after the new key's name");
            return Err(self.fail_here(fault.hint("as in DERIVE seconds = @duration / 1000")));
        }
        let leaf =
            |parser: &mut Self| -> Result<Key, Noted> { parser.key("a key or number is missing here") };
        Ok(Derived { name, arithmetic: self.arithmetic(leaf)? })
    }

    /// Whether the next token can begin an item of the list.
    pub(super) fn begins_figure(&self) -> bool {
        match self.peek() {
            Token::Open => true,
            Token::BackQuoted(_) => self.goes_on_with_sign(),
            Token::Word(word) => {
                let function = Function::named(word).is_some() && self.calls();
                let named = Operator::named(word).is_some() || number(word).is_some() || word == "-";
                named || function || (!super::is_clause(word) && self.goes_on_with_sign())
            }
            _ => false,
        }
    }

    fn no_figure(&mut self) -> Noted {
        match self.peek().clone() {
            Token::Word(word) => self.unknown_word(&word),
            _ => self.fail_here(Diagnostic::new("a calculation is missing here").hint("as in COUNT")),
        }
    }

    /// A word where a clause or calculation was expected.
    pub(super) fn unknown_word(&mut self, word: &str) -> Noted {
        let operators = Operator::ALL.iter().map(|(name, _)| *name);
        let known: Vec<&str> = operators.chain(CLAUSES).chain(["EVERY"]).collect();
        let (fault, hint) = match (self.calls(), known_slip(word)) {
            (_, Some(hint)) => (format!("{word} means nothing here"), hint.to_owned()),
            (true, None) => match closest(word, Operator::ALL.iter().map(|(name, _)| *name)) {
                Some(near) => (format!("no calculation is called {word}"), format!("did you mean {near}?")),
                None => (format!("no calculation is called {word}"), operators_hint()),
            },
            (false, None) => match closest(word, known) {
                Some(near) => (format!("{word} means nothing here"), format!("did you mean {near}?")),
                None => (format!("{word} means nothing here"), CLAUSE_HINT.to_owned()),
            },
        };
        self.fail_here(Diagnostic::new(fault).hint(hint))
    }

    /// Whether a parenthesis follows the next token.
    pub(super) fn calls(&self) -> bool {
        self.source.get(self.span().end..).is_some_and(|rest| rest.trim_start().starts_with('('))
    }
}

pub(super) const CLAUSE_HINT: &str = "as in COUNT as n, P99(@duration) FROM lambda-logs WHERE @type = REPORT \
GROUP BY key HAVING n > 5 ORDER BY n LIMIT 10 SEARCH \"text\" LAST 1h EVERY 5m";

fn operators_hint() -> String {
    format!("calculations are {}", Operator::ALL.map(|(name, _)| name).join(" "))
}

/// What people type who know another language.
fn known_slip(word: &str) -> Option<&'static str> {
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "STATS" | "CALCULATE" => {
            Some("calculations need no word before them: COUNT, P99(@duration)")
        }
        "FILTER" => Some("did you mean WHERE?"),
        "LET" | "EXTEND" | "EVAL" => Some("did you mean DERIVE?"),
        "AND" | "OR" => Some("conditions stand behind WHERE"),
        "P50" => Some("did you mean MEDIAN?"),
        "MEAN" | "AVERAGE" => Some("did you mean AVG?"),
        "NEEDLE" => Some("did you mean SEARCH?"),
        _ => None,
    }
}
