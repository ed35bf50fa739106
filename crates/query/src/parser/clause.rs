//! One clause after the other, in any order, each at most once.

use super::{CLAUSES, Noted, Parser};
use crate::ast::{Group, Key, Needle, Order, OrderBy};
use crate::calculation::{Calculation, Operator};
use crate::check::Part;
use crate::diagnostic::{Diagnostic, closest};
use crate::draft::Granularity;
use crate::lexer::Token;
use crate::time;

impl Parser<'_> {
    pub(super) fn clause(&mut self) -> Result<(), Noted> {
        let start = self.span().start;
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.fail_here(Diagnostic::new("a clause was expected here").hint(CLAUSE_HINT)));
        };
        match word.to_ascii_uppercase().as_str() {
            "FROM" => self.once(Part::Datasets, Self::from),
            "WHERE" => self.once(Part::Filter, Self::where_clause),
            "SEARCH" => self.once(Part::Needle, Self::search),
            "GROUP" => self.once(Part::Group(0), Self::group_by),
            "ORDER" => self.once(Part::OrderBy, Self::order_by),
            "LIMIT" => self.once(Part::Limit, Self::limit),
            "EVERY" => self.once(Part::Granularity, Self::every),
            "LAST" => self.times(start, Self::last),
            "BETWEEN" => self.times(start, Self::between),
            "SINCE" => self.times(start, Self::since),
            "UNTIL" => self.times(start, Self::until),
            _ => self.calculations(&word),
        }
    }

    fn once(&mut self, part: Part, read: fn(&mut Self) -> Result<(), Noted>) -> Result<(), Noted> {
        let (_, span) = self.bump();
        let twice = self.places.contains_key(&part);
        let done = read(self);
        if twice {
            return Err(
                self.fail(span, Diagnostic::new("this clause stands there twice").hint("keep one of them"))
            );
        }
        self.remember(part, span.start);
        done
    }

    /// `LAST` or `SINCE`, `UNTIL`, `BETWEEN`: they share the timeframe, so only `SINCE` and `UNTIL` go together.
    fn times(&mut self, start: usize, read: fn(&mut Self) -> Result<(), Noted>) -> Result<(), Noted> {
        let (_, keyword) = self.bump();
        let (from, to) = (self.draft.from.take(), self.draft.to.take());
        read(self)?;
        if from.is_some() && self.draft.from.is_some() || to.is_some() && self.draft.to.is_some() {
            let fault = Diagnostic::new("the time range is given twice");
            return Err(self.fail(keyword, fault.hint("LAST 1h, or SINCE … UNTIL …, or BETWEEN … AND …")));
        }
        self.draft.from = from.or(self.draft.from);
        self.draft.to = to.or(self.draft.to);
        let start = self.places.get(&Part::Timeframe).map_or(start, |place| place.start.min(start));
        self.remember(Part::Timeframe, start);
        Ok(())
    }

    fn from(&mut self) -> Result<(), Noted> {
        loop {
            let fault = "a dataset is missing after FROM";
            let name = self.name(fault)?;
            self.draft.datasets.push(name);
            if !self.take(&Token::Comma) {
                return Ok(());
            }
        }
    }

    fn where_clause(&mut self) -> Result<(), Noted> {
        let filter = self.filter()?;
        self.draft.filter = Some(filter);
        Ok(())
    }

    fn search(&mut self) -> Result<(), Noted> {
        let (value, is_regex) = match self.regex_literal() {
            Some(regex) => (regex, true),
            None => (
                self.text("a text to search for is missing after SEARCH", "as in SEARCH \"timed out\"")?,
                false,
            ),
        };
        let match_case = self.take_word("MATCH");
        if match_case && !self.take_word("CASE") {
            return Err(self.fail_here(Diagnostic::new("CASE is missing after MATCH")));
        }
        self.draft.needle = Some(Needle { value, is_regex, match_case });
        Ok(())
    }

    fn group_by(&mut self) -> Result<(), Noted> {
        self.by("GROUP")?;
        loop {
            let start = self.span().start;
            let key = self.key("a key is missing after GROUP BY")?;
            self.draft.group_by.push(Group { key });
            // The first one's place is the whole clause, which `once` remembers.
            if self.draft.group_by.len() > 1 {
                self.remember(Part::Group(self.draft.group_by.len() - 1), start);
            }
            if !self.take(&Token::Comma) {
                return Ok(());
            }
        }
    }

    fn order_by(&mut self) -> Result<(), Noted> {
        self.by("ORDER")?;
        let value = match self.peek() {
            // `max` alone is an alias; `MAX(key)` is what it says.
            Token::Word(word) if Operator::named(word).is_some() && self.calls() => {
                self.calculation_body()?.text()
            }
            _ => self.key("a calculation is missing after ORDER BY")?.as_str().to_owned(),
        };
        let order = if self.take_word("ASC") {
            Order::Ascending
        } else {
            self.take_word("DESC");
            Order::Descending
        };
        self.draft.order_by = Some(OrderBy { value, order });
        if *self.peek() == Token::Comma {
            return Err(self.fail_here(Diagnostic::new("only one calculation can be ordered by")));
        }
        Ok(())
    }

    fn by(&mut self, clause: &str) -> Result<(), Noted> {
        if self.take_word("BY") {
            return Ok(());
        }
        Err(self.fail_here(Diagnostic::new(format!("BY is missing after {clause}"))))
    }

    fn limit(&mut self) -> Result<(), Noted> {
        let number = match self.peek() {
            Token::Word(word) => word.parse().ok(),
            _ => None,
        };
        let wanted = Diagnostic::new("LIMIT needs a whole number").hint("as in LIMIT 10");
        let Some(number) = number else { return Err(self.fail_here(wanted)) };
        self.draft.limit = Some(number);
        self.bump();
        Ok(())
    }

    fn every(&mut self) -> Result<(), Noted> {
        if self.take_word("NONE") {
            self.draft.granularity = Granularity::None;
            return Ok(());
        }
        let start = self.span().start;
        let text = self.time_text("a width is missing after EVERY")?;
        let Some(width) = time::duration_ms(&text) else {
            let fault =
                Diagnostic::new(format!("{text:?} is no duration")).hint("as in EVERY 5m, or EVERY NONE");
            return Err(self.fail(start..self.end, fault));
        };
        self.draft.granularity = Granularity::Width(width);
        Ok(())
    }

    fn last(&mut self) -> Result<(), Noted> {
        let start = self.span().start;
        let text = self.time_text("a duration is missing after LAST")?;
        let Some(width) = time::duration_ms(&text) else {
            let fault = Diagnostic::new(format!("{text:?} is no duration"))
                .hint("as in LAST 1h, LAST 20 mins, LAST 7d");
            return Err(self.fail(start..self.end, fault));
        };
        self.draft.from = Some(self.now.minus(std::time::Duration::from_millis(width)));
        self.draft.to = Some(self.now);
        Ok(())
    }

    fn between(&mut self) -> Result<(), Noted> {
        let from = self.point("BETWEEN")?;
        if !self.take_word("AND") {
            return Err(self.fail_here(Diagnostic::new("AND is missing between the two times")));
        }
        let to = self.point("AND")?;
        (self.draft.from, self.draft.to) = (Some(from), Some(to));
        Ok(())
    }

    fn since(&mut self) -> Result<(), Noted> {
        self.draft.from = Some(self.point("SINCE")?);
        Ok(())
    }

    fn until(&mut self) -> Result<(), Noted> {
        self.draft.to = Some(self.point("UNTIL")?);
        Ok(())
    }

    fn calculations(&mut self, word: &str) -> Result<(), Noted> {
        if Operator::named(word).is_none() {
            return Err(self.unknown_word(word));
        }
        if !self.draft.calculations.is_empty() {
            let fault = Diagnostic::new("calculations stand in two places")
                .hint("one list, with commas between them");
            return Err(self.fail_here(fault));
        }
        loop {
            let start = self.span().start;
            let calculation = self.calculation()?;
            self.draft.calculations.push(calculation);
            self.remember(Part::Calculation(self.draft.calculations.len() - 1), start);
            if !self.take(&Token::Comma) {
                return Ok(());
            }
        }
    }

    /// `COUNT as n` or `OP(key) as n`, the alias optional.
    pub(super) fn calculation(&mut self) -> Result<Calculation, Noted> {
        let mut calculation = self.calculation_body()?;
        if self.take_word("AS") {
            calculation.alias = Some(self.text("an alias is missing after AS", "as in COUNT as total")?);
        }
        Ok(calculation)
    }

    /// `COUNT` or `OP(key)`.
    fn calculation_body(&mut self) -> Result<Calculation, Noted> {
        let operator = match self.peek() {
            Token::Word(word) => Operator::named(word),
            _ => None,
        };
        let Some(operator) = operator else {
            let word = match self.peek() {
                Token::Word(word) => word.clone(),
                _ => {
                    return Err(
                        self.fail_here(Diagnostic::new("a calculation is missing here").hint("as in COUNT"))
                    );
                }
            };
            return Err(self.unknown_word(&word));
        };
        self.bump();
        let mut calculation = Calculation { operator, key: None, alias: None };
        if !self.take(&Token::Open) {
            return Ok(calculation);
        }
        if self.take(&Token::Close) {
            return Ok(calculation);
        }
        calculation.key = Some(self.key("a key is missing in the parentheses")?);
        if !self.take(&Token::Close) {
            let fault = Diagnostic::new("a closing parenthesis is missing");
            return Err(self.fail_here(fault.hint("keys with blanks or parentheses stand in back-quotes")));
        }
        Ok(calculation)
    }

    /// A word where a clause or calculation was expected.
    fn unknown_word(&mut self, word: &str) -> Noted {
        let operators = Operator::ALL.iter().map(|(name, _)| *name);
        let known: Vec<&str> = operators.chain(CLAUSES).chain(["EVERY"]).collect();
        let called =
            self.source.get(self.span().end..).is_some_and(|rest| rest.trim_start().starts_with('('));
        let (fault, hint) = match (called, known_slip(word)) {
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
    fn calls(&self) -> bool {
        self.source.get(self.span().end..).is_some_and(|rest| rest.trim_start().starts_with('('))
    }

    /// A bare name, quoted or not.
    fn name(&mut self, missing: &str) -> Result<String, Noted> {
        match self.peek().clone() {
            Token::Word(word) if !super::is_clause(&word) => {
                self.bump();
                Ok(word)
            }
            Token::Text(text) | Token::Quoted(text) | Token::BackQuoted(text) => {
                self.bump();
                Ok(text)
            }
            _ => Err(self.fail_here(Diagnostic::new(missing))),
        }
    }

    /// A key, back-quoted or bare.
    pub(super) fn key(&mut self, missing: &str) -> Result<Key, Noted> {
        match self.peek().clone() {
            Token::Word(word) if !super::is_clause(&word) => {
                self.bump();
                Ok(Key::new(word))
            }
            Token::BackQuoted(key) => {
                self.bump();
                Ok(Key::new(key))
            }
            Token::Text(_) | Token::Quoted(_) => Err(self.fail_here(
                Diagnostic::new("a key was expected here").hint("keys stand in back-quotes: `key`"),
            )),
            _ => Err(self.fail_here(Diagnostic::new(missing))),
        }
    }
}

const CLAUSE_HINT: &str = "as in COUNT as n, P99(@duration) FROM lambda-logs WHERE @type = REPORT GROUP BY key \
ORDER BY n LIMIT 10 SEARCH \"text\" LAST 1h EVERY 5m";

fn operators_hint() -> String {
    format!("calculations are {}", Operator::ALL.map(|(name, _)| name).join(" "))
}

/// What people type who know another language.
fn known_slip(word: &str) -> Option<&'static str> {
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "STATS" | "CALCULATE" => {
            Some("calculations need no word before them: COUNT, P99(@duration)")
        }
        "HAVING" => Some("groups cannot be filtered by their figures yet"),
        "FILTER" => Some("did you mean WHERE?"),
        "AND" | "OR" => Some("conditions stand behind WHERE"),
        "P50" => Some("did you mean MEDIAN?"),
        "MEAN" | "AVERAGE" => Some("did you mean AVG?"),
        "NEEDLE" => Some("did you mean SEARCH?"),
        _ => None,
    }
}
