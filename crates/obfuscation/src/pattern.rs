//! Secrets that give themselves away by their shape, wherever in a text they stand: text → the places to scrub, from
//! left to right. Called by `walk` for every text of every event, so it walks the bytes once: `anchor` tells the few
//! that something could begin or turn at, each kind's module looks at its own anchors, and what it looks at is bounded
//! or consumed, so that no text takes more than linear time.
//!
//! Scrubbing twice finds nothing new, because what stands beside a find never changes what a kind sees: a find begins
//! and ends where a word does, a mark begins and ends with brackets, and no kind looks back across a find or a mark
//! (`Place::floor`).

mod anchor;
mod place;
mod assignment;
mod aws_key;
mod card;
mod email;
mod jwt;
mod private_key;
mod scheme;
mod token;
mod url;

use std::ops::Range;

use crate::entry::Holds;
use crate::mark;
use crate::reason::Reason;
use place::Place;

pub(crate) use card::is_card;

/// Which kinds are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patterns(u16);

impl Patterns {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// With this kind. [`Reason::Key`] is no pattern: names are always looked at.
    #[must_use]
    pub fn with(self, kind: Reason) -> Self {
        Self(self.0 | kind.bit())
    }

    /// These and those.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub(crate) fn has(self, kind: Reason) -> bool {
        self.0 & kind.bit() != 0
    }
}

impl Default for Patterns {
    /// Everything but e-mail addresses, which the reference does not list: many teams search by them.
    fn default() -> Self {
        let kinds = Reason::ALL.into_iter().filter(|kind| !matches!(kind, Reason::Key | Reason::Email));
        kinds.fold(Self::NONE, Self::with)
    }
}

/// A secret in a text. Both ends are between characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    pub(crate) reason: Reason,
}

/// One walk over one text.
pub(crate) struct Scan<'t> {
    text: &'t str,
    patterns: Patterns,
    /// Where to go on.
    at: usize,
    /// Where the find before ended.
    floor: usize,
    /// No web token begins before this: one was looked for in the same run of characters.
    no_jwt_before: usize,
    /// Nothing is looked for from here on; what began before may go beyond.
    border: usize,
}

impl<'t> Scan<'t> {
    /// None if nothing in the text is worth a look, as in most short ones.
    #[inline]
    pub(crate) fn new(text: &'t str, patterns: Patterns) -> Option<Self> {
        let at = anchor::next(text.as_bytes(), 0)?;
        Some(Self { text, patterns, at, floor: 0, no_jwt_before: 0, border: text.len() })
    }

    /// As [`Scan::new`], for what gives itself away before a border in the text.
    pub(crate) fn before(text: &'t str, border: usize, patterns: Patterns) -> Option<Self> {
        Some(Self { border, ..Self::new(text, patterns)? })
    }

    /// What was found at a range.
    pub(crate) fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    /// The next secret. `holds` says what may be secret behind a key in the text, and none if nothing is.
    pub(crate) fn next(&mut self, holds: &mut dyn FnMut(&str) -> Option<Holds>) -> Option<Found> {
        loop {
            let text = self.text.as_bytes();
            let anchor = anchor::next(text, self.at).filter(|anchor| *anchor < self.border)?;
            let mark = mark::leading(text.get(anchor..)?);
            if mark > 0 {
                self.skip(anchor + mark);
                continue;
            }
            let place = Place::new(self.text, self.floor, anchor);
            self.at = anchor + 1;
            if let Some(found) = self.look(&place, holds) {
                self.skip(found.range.end);
                return Some(found);
            }
        }
    }

    /// What was scrubbed, now or before, is not looked at.
    fn skip(&mut self, end: usize) {
        self.at = end;
        self.floor = end;
    }

    fn look(&mut self, place: &Place<'_>, holds: &mut dyn FnMut(&str) -> Option<Holds>) -> Option<Found> {
        let patterns = self.patterns;
        let when = |kind: Reason, find: fn(&Place<'_>) -> Option<Range<usize>>| {
            let range = patterns.has(kind).then(|| find(place))??;
            Some(Found { range, reason: kind })
        };
        match place.anchor() {
            b'0'..=b'9' => {
                let found = when(Reason::Card, card::find);
                self.at = place.run_end(place.at, |byte| byte.is_ascii_digit());
                found
            }
            b'A' => when(Reason::AwsKey, aws_key::find).or_else(|| when(Reason::Token, token::google)),
            b'b' | b'B' => {
                when(Reason::Bearer, scheme::bearer).or_else(|| when(Reason::Basic, scheme::basic))
            }
            b'J' if place.at >= self.no_jwt_before && jwt::may_begin(place) => {
                self.no_jwt_before = place.run_end(place.at, place::is_base64url);
                when(Reason::Jwt, jwt::find)
            }
            b'S' => when(Reason::Token, token::sendgrid),
            b'_' => when(Reason::Token, token::underscored),
            b'-' => {
                when(Reason::PrivateKey, private_key::find).or_else(|| when(Reason::Token, token::dashed))
            }
            b'@' => when(Reason::Email, email::find),
            b':' => when(Reason::UrlPassword, url::find).or_else(|| self.assignment(place, holds)),
            b'=' => self.assignment(place, holds),
            _ => None,
        }
    }

    fn assignment(&self, place: &Place<'_>, holds: &mut dyn FnMut(&str) -> Option<Holds>) -> Option<Found> {
        let range = self.patterns.has(Reason::Assignment).then(|| assignment::find(place, holds))??;
        Some(Found { range, reason: Reason::Assignment })
    }
}
