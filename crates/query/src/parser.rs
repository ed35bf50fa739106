//! The one-line text form: tokens become a draft of a query. Never panics and never stops at the first fault: after one
//! it goes on at the next clause. The grammar stands in the README.

mod clause;
mod figure;
mod arithmetic;
mod filter;
mod having;
mod value;
mod condition;

pub(crate) use arithmetic::{ARITHMETIC_DEPTH_MAX, number};
pub(crate) use condition::parse_condition;
pub(crate) use figure::Figure;

use std::collections::BTreeMap;
use std::ops::Range;

use model::Timestamp;

use crate::ast::{Literal, Query};
use crate::calculation::Operator;
use crate::check::Part;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::draft::Draft;
use crate::formula::{Derived, Having};
use crate::lexer::{Lexer, Token};
use crate::operation::Operation;
use crate::zone::Zone;

/// Words that begin a clause. A value or key that looks like one is quoted.
pub(crate) const CLAUSES: [&str; 17] = [
    "EXPLAIN", "VIEW", "COMPARE", "TIMEZONE", "FROM", "DERIVE", "WHERE", "SEARCH", "GROUP", "HAVING",
    "HEATMAP", "ORDER", "LIMIT", "LAST", "BETWEEN", "SINCE", "UNTIL",
];
/// Words with a meaning inside a clause, or that begin one (`EVERY`).
pub(crate) const WORDS: [&str; 13] =
    ["EVERY", "AND", "OR", "NOT", "BY", "AS", "IF", "ASC", "DESC", "MATCH", "CASE", "NONE", "EXISTS"];

/// Longer than any query a person or a program of ours writes; bounds the work that a hostile one costs.
const TEXT_BYTES_MAX: usize = 100_000;

/// A text that is too long to be read, whole query or part of one. It is not shown again.
fn too_long(text: &str) -> Option<Diagnostic> {
    (text.len() > TEXT_BYTES_MAX).then(|| {
        Diagnostic::new(format!("a text of {} bytes is too long, {TEXT_BYTES_MAX} is the most", text.len()))
    })
}

/// Reads the text form.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Query, Diagnostics> {
    if let Some(fault) = too_long(text) {
        return Err(Diagnostics::one(fault));
    }
    let mut parser = Parser::new(text, now);
    parser.clauses();
    // Times are read in the zone that the text names, also those that stand before it.
    if let Some(zone) = parser.draft.zone {
        parser = Parser { zone, ..Parser::new(text, now) };
        parser.clauses();
    }
    let Parser { draft, places, .. } = parser;
    draft.finish(now, |part, fault| {
        let nearest = || places.range(..=part).next_back().map(|(_, span)| span.clone());
        let span = places.get(&part).cloned().or_else(nearest).unwrap_or(0..text.len());
        fault.within(text, span)
    })
}

/// A fault that was noted already; the clause cannot go on.
#[derive(Debug)]
struct Noted;

struct Parser<'a> {
    source: &'a str,
    now: Timestamp,
    /// In which times without offset are read.
    zone: Zone,
    lexer: Lexer<'a>,
    /// The next token, read but not taken.
    next: (Token, Range<usize>),
    /// Where the token before ended.
    end: usize,
    draft: Draft,
    places: BTreeMap<Part, Range<usize>>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, now: Timestamp) -> Self {
        let mut lexer = Lexer::new(source);
        let next = lexer.next();
        let (draft, places) = (Draft::default(), BTreeMap::new());
        Self { source, now, zone: Zone::default(), lexer, next, end: 0, draft, places }
    }

    fn clauses(&mut self) {
        while *self.peek() != Token::End && !self.draft.found.is_full() {
            let start = self.span().start;
            if self.clause().is_err() {
                self.go_on_after(start);
            }
        }
    }

    /// After a fault in the clause that begins at `start`: on to the next word that can only begin a clause.
    fn go_on_after(&mut self, start: usize) {
        if self.span().start == start {
            self.bump();
        }
        while !self.at_clause() {
            self.bump();
        }
    }

    fn peek(&self) -> &Token {
        &self.next.0
    }

    fn span(&self) -> Range<usize> {
        self.next.1.clone()
    }

    fn bump(&mut self) -> (Token, Range<usize>) {
        let taken = std::mem::replace(&mut self.next, self.lexer.next());
        self.end = taken.1.end;
        taken
    }

    /// Takes the next token if it is this one.
    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == wanted;
        if found {
            self.bump();
        }
        found
    }

    /// Takes the next token if it is this word, in any case.
    fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.is_word(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(wanted))
    }

    /// Whether the next token begins a clause (or nothing is left).
    fn at_clause(&self) -> bool {
        match self.peek() {
            Token::End => true,
            Token::Word(word) => is_clause(word),
            _ => false,
        }
    }

    fn fail(&mut self, span: Range<usize>, fault: Diagnostic) -> Noted {
        let source = self.source;
        self.draft.found.push(|| fault.within(source, span));
        Noted
    }

    /// A fault at the next token, or right behind the last one if nothing is left.
    fn fail_here(&mut self, fault: Diagnostic) -> Noted {
        let fault = match self.peek() {
            Token::Unfinished(quote) => Diagnostic::new(format!("this {quote} is never closed")),
            _ => fault,
        };
        let span = if *self.peek() == Token::End { self.end..self.end } else { self.span() };
        self.fail(span, fault)
    }

    fn remember(&mut self, part: Part, start: usize) {
        self.places.insert(part, start..self.end.max(start));
    }
}

pub(crate) fn is_clause(word: &str) -> bool {
    CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(word)) || word.eq_ignore_ascii_case("EVERY")
}

/// Whether what stands between two slashes ends in a blank and has the word of a clause before it: `x WHERE path = `.
/// Written as text such an expression gets another end, see `text`.
pub(crate) fn ends_like_a_clause(regex: &str) -> bool {
    let Some(body) = regex.strip_suffix(char::is_whitespace).filter(|body| !body.ends_with('\\')) else {
        return false;
    };
    let words_before = usize::from(!body.starts_with(char::is_whitespace));
    body.split_whitespace().skip(words_before).any(is_clause)
}

/// Whether a word means something to the parser, so that a value or key of that look is quoted when written.
pub(crate) fn is_reserved(word: &str) -> bool {
    is_clause(word)
        || WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
        || Operation::named(word).is_some()
        || Operator::named(word).is_some()
}

/// One figure alone: `P99(@duration) as p99`, `errors / total as rate`.
pub(crate) fn parse_figure(text: &str) -> Result<Figure, Vec<Diagnostic>> {
    alone(text, Parser::figure, || {
        Diagnostic::new("the calculation should end here").hint("as in P99(@duration) as p99")
    })
}

/// One derived key alone: `seconds = @duration / 1000`.
pub(crate) fn parse_derived(text: &str) -> Result<Derived, Vec<Diagnostic>> {
    alone(text, Parser::derived, || Diagnostic::new("the derived key should end here"))
}

/// A condition on groups alone: `rate > 5 AND total > 100`.
pub(crate) fn parse_having(text: &str) -> Result<Having, Vec<Diagnostic>> {
    alone(text, Parser::having, || {
        Diagnostic::new("the condition should end here").hint("conditions are joined by AND and OR")
    })
}

/// A part of a query that stands alone, with nothing behind it.
fn alone<'a, T>(
    text: &'a str,
    read: fn(&mut Parser<'a>) -> Result<T, Noted>,
    unfinished: fn() -> Diagnostic,
) -> Result<T, Vec<Diagnostic>> {
    if let Some(fault) = too_long(text) {
        return Err(vec![fault]);
    }
    let mut parser = Parser::new(text, Timestamp::EPOCH);
    let read = read(&mut parser);
    if read.is_ok() && *parser.peek() != Token::End {
        parser.fail_here(unfinished());
    }
    match read {
        Ok(part) if parser.draft.found.is_empty() => Ok(part),
        _ => Err(parser.draft.found.into_kept()),
    }
}

/// `(a, b)` or `[a, b]` alone.
pub(crate) fn parse_list(text: &str) -> Result<Vec<Literal>, Diagnostic> {
    let unfinished = || Diagnostic::new("the list should end here");
    alone(text, |parser| parser.list(Operation::In), unfinished)
        .map_err(|faults| faults.into_iter().next().unwrap_or_else(|| Diagnostic::new("this is no list")))
}
