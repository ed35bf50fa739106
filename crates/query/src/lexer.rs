//! Characters become tokens, one at a time and on demand, because `/` begins a regular expression in some places and
//! a word (`/aws/lambda/checkout`) in others; only the parser knows which. Never fails: what is not finished is a token
//! of its own.

use std::ops::Range;

/// The smallest part of the text form that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword, key, value or number: everything up to a blank, quote, bracket, comma or comparison.
    Word(String),
    /// `'text'`, without its quotes and escapes: typed like a word.
    Quoted(String),
    /// `"text"`, without its quotes and escapes: always text.
    Text(String),
    /// `` `key` ``, without its quotes.
    BackQuoted(String),
    /// `= != > >= < <=`
    Comparison(&'static str),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenSquare,
    /// `]`
    CloseSquare,
    /// `,`
    Comma,
    /// A quote that is never closed, with the quote.
    Unfinished(char),
    /// A character that means nothing here.
    Stray(char),
    /// Nothing is left.
    End,
}

/// Walks through a text.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, at: 0 }
    }

    /// The next token and its bytes.
    pub(crate) fn next(&mut self) -> (Token, Range<usize>) {
        self.skip_blank();
        let start = self.at;
        let token = self.token();
        (token, start..self.at)
    }

    /// From `start` (which stands on a `/`) to the next `/` that is not escaped; none if there is none.
    pub(crate) fn regex(&mut self, start: usize) -> Option<(String, Range<usize>)> {
        let body = self.source.get(start..)?.strip_prefix('/')?;
        let mut escaped = false;
        let end = body.find(|c| {
            let closes = c == '/' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?;
        self.at = start + 1 + end + 1;
        Some((unslashed(body.get(..end)?), start..self.at))
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn token(&mut self) -> Token {
        let Some(first) = self.bump() else { return Token::End };
        match first {
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenSquare,
            ']' => Token::CloseSquare,
            ',' => Token::Comma,
            // No operation, but what people type who think of another language; the parser says so.
            '=' if self.take('=') => Token::Comparison("=="),
            '=' => Token::Comparison("="),
            '>' if self.take('=') => Token::Comparison(">="),
            '>' => Token::Comparison(">"),
            '<' if self.take('=') => Token::Comparison("<="),
            '<' => Token::Comparison("<"),
            '!' if self.take('=') => Token::Comparison("!="),
            '\'' => self.quoted('\'').map_or(Token::Unfinished('\''), Token::Quoted),
            '"' => self.quoted('"').map_or(Token::Unfinished('"'), Token::Text),
            '`' => self.back_quoted().map_or(Token::Unfinished('`'), Token::BackQuoted),
            _ if ends_word(first) => Token::Stray(first),
            _ => self.word(first),
        }
    }

    fn word(&mut self, first: char) -> Token {
        let mut word = String::from(first);
        while let Some(next) = self.rest().chars().next() {
            if ends_word(next) {
                break;
            }
            word.push(next);
            self.at += next.len_utf8();
        }
        Token::Word(word)
    }

    /// Up to the closing quote. A backslash before a quote, a backslash, `n`, `t` or `r` is an escape; before anything
    /// else it stays, so that a regular expression needs no doubling.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        while let Some(c) = self.bump() {
            match c {
                c if c == quote => return Some(text),
                '\\' => match self.bump()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    c @ ('\'' | '"' | '\\') => text.push(c),
                    c => text.extend(['\\', c]),
                },
                c => text.push(c),
            }
        }
        None
    }

    /// Up to the closing back-quote; a doubled one stands for itself.
    fn back_quoted(&mut self) -> Option<String> {
        let mut key = String::new();
        while let Some(c) = self.bump() {
            if c == '`' && !self.take('`') {
                return Some(key);
            }
            key.push(c);
        }
        None
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }
}

/// A regular expression with `\/` as `/`.
pub(crate) fn unslashed(regex: &str) -> String {
    let mut text = String::new();
    let mut chars = regex.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('/') => text.push('/'),
                Some(escaped) => text.extend(['\\', escaped]),
                None => text.push('\\'),
            },
            c => text.push(c),
        }
    }
    text
}

/// Whether a character cannot stand in a bare word.
pub(crate) fn ends_word(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '(' | ')' | '[' | ']' | ',' | '\'' | '"' | '`' | '=' | '<' | '>' | '!')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        loop {
            match lexer.next().0 {
                Token::End => return tokens,
                token => tokens.push(token),
            }
        }
    }

    #[test]
    fn words_end_at_blanks_quotes_brackets_and_comparisons() {
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(
            tokens("P99(@duration) a>=-1.5 /aws/x"),
            [
                word("P99"),
                Token::Open,
                word("@duration"),
                Token::Close,
                word("a"),
                Token::Comparison(">="),
                word("-1.5"),
                word("/aws/x")
            ]
        );
    }

    #[test]
    fn an_escape_is_taken_away_only_where_it_is_one() {
        assert_eq!(tokens(r#""a\"b\\c\d\n""#), [Token::Text("a\"b\\c\\d\n".to_owned())]);
        assert_eq!(tokens("`a ``b`"), [Token::BackQuoted("a `b".to_owned())]);
    }

    #[test]
    fn what_is_not_finished_is_a_token_too() {
        assert_eq!(tokens("\"abc"), [Token::Unfinished('"')]);
        assert_eq!(tokens("`abc"), [Token::Unfinished('`')]);
        assert_eq!(tokens("!"), [Token::Stray('!')]);
    }

    #[test]
    fn a_regex_keeps_its_escapes_but_the_one_of_its_end() {
        let mut lexer = Lexer::new(r"/a\/\d+/ x");
        assert_eq!(lexer.regex(0), Some((r"a/\d+".to_owned(), 0..8)));
        assert_eq!(lexer.next().0, Token::Word("x".to_owned()));
        assert_eq!(Lexer::new("/open").regex(0), None);
    }
}
