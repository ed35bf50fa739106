//! One clause after the other, in any order, each at most once.

use super::figure::CLAUSE_HINT;
use super::{Noted, Parser};
use crate::ast::{Group, Key, Needle, Order, OrderBy, View};
use crate::calculation::Operator;
use crate::check::Part;
use crate::diagnostic::Diagnostic;
use crate::draft::{Granularity, PATTERNS};
use crate::heatmap::{Heatmap, Scale};
use crate::lexer::Token;
use crate::time;
use crate::zone::Zone;

impl Parser<'_> {
    pub(super) fn clause(&mut self) -> Result<(), Noted> {
        let start = self.span().start;
        let Token::Word(word) = self.peek().clone() else {
            if self.begins_figure() {
                return self.figures();
            }
            return Err(self.fail_here(Diagnostic::new("a clause was expected here").hint(CLAUSE_HINT)));
        };
        match word.to_ascii_uppercase().as_str() {
            "VIEW" => self.once(Part::View, Self::view),
            "FROM" => self.once(Part::Datasets, Self::from),
            "DERIVE" => self.once(Part::Derived(0), Self::derive),
            "WHERE" => self.once(Part::Filter, Self::where_clause),
            "SEARCH" => self.once(Part::Needle, Self::search),
            "GROUP" => self.once(Part::Group(0), Self::group_by),
            "HAVING" => self.once(Part::Having, Self::having_clause),
            "HEATMAP" => self.once(Part::Heatmap, Self::heatmap),
            "ORDER" => self.once(Part::OrderBy, Self::order_by),
            "LIMIT" => self.once(Part::Limit, Self::limit),
            "EVERY" => self.once(Part::Granularity, Self::every),
            "EXPLAIN" => {
                self.bump();
                self.draft.explain = true;
                Ok(())
            }
            "COMPARE" => self.once(Part::Compare, Self::compare),
            "TIMEZONE" => self.once(Part::Zone, Self::zone),
            "LAST" => self.times(start, Self::last),
            "BETWEEN" => self.times(start, Self::between),
            "SINCE" => self.times(start, Self::since),
            "UNTIL" => self.times(start, Self::until),
            _ => self.figures(),
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

    fn view(&mut self) -> Result<(), Noted> {
        let start = self.span().start;
        let name = self.name("a view is missing after VIEW")?;
        if name.eq_ignore_ascii_case(PATTERNS) {
            self.draft.patterns = Some("$limelight.pattern");
            return Ok(());
        }
        self.draft.view = View::named(&name);
        if self.draft.view.is_some() {
            return Ok(());
        }
        let fault = Diagnostic::new(format!("there is no view {name:?}"));
        let known = View::ALL.map(|(name, _)| name).join(" ");
        Err(self.fail(start..self.end, fault.hint(format!("views are {known} {PATTERNS}"))))
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
        let (value, is_regex) = match self.regex_literal()? {
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

    fn having_clause(&mut self) -> Result<(), Noted> {
        let having = self.having()?;
        self.draft.having = Some(having);
        Ok(())
    }

    fn heatmap(&mut self) -> Result<(), Noted> {
        let key = self.key("a key is missing after HEATMAP")?;
        let scale = Scale::ALL.into_iter().find(|(name, _)| self.take_word(name));
        self.draft.heatmap = Some(Heatmap { key, scale: scale.map(|(_, scale)| scale) });
        Ok(())
    }

    fn order_by(&mut self) -> Result<(), Noted> {
        self.by("ORDER")?;
        let value = match self.peek() {
            // `max` alone is an alias; `MAX(key)` is what it says.
            Token::Word(word)
                if Operator::named(word).is_some() && (self.calls() || self.goes_on_with("IF")) =>
            {
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
        self.draft.others = self.take_word("OTHERS");
        Ok(())
    }

    fn compare(&mut self) -> Result<(), Noted> {
        let start = self.span().start;
        let text = self.time_text("a duration is missing after COMPARE")?;
        self.draft.compare_ms = time::duration_ms(&text);
        if self.draft.compare_ms.is_some() {
            return Ok(());
        }
        let fault = Diagnostic::new(format!("{text:?} is no duration"));
        Err(self.fail(start..self.end, fault.hint("how much earlier, as in COMPARE 1d")))
    }

    fn zone(&mut self) -> Result<(), Noted> {
        let start = self.span().start;
        let name = self.text("a time zone is missing after TIMEZONE", "as in TIMEZONE Europe/Berlin")?;
        self.draft.zone = Zone::named(&name);
        if self.draft.zone.is_some() {
            return Ok(());
        }
        let fault = Diagnostic::new(format!("there is no time zone {name:?}"));
        Err(self.fail(start..self.end, fault.hint("as in TIMEZONE Europe/Berlin, or America/New_York")))
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
            Token::Word(word) => Err(self.fail_here(
                Diagnostic::new(missing)
                    .hint(format!("a key that is called so stands in back-quotes: `{word}`")),
            )),
            _ => Err(self.fail_here(Diagnostic::new(missing))),
        }
    }
}
