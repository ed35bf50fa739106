//! A regular expression of the language (Rust's) in words that other engines read the same way.
//!
//! Engines differ in what `.` `$` `\w` `(?i)` mean and in what they can name. So the expression is taken apart, and
//! written again with nothing but literals, explicit classes, repetitions, alternatives and anchors that mean one
//! thing everywhere: whatever depends on flags is a class by then. Only whether it is found matters, so groups that
//! capture are groups.

use std::fmt::Write as _;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use super::Construct;

/// An expression that was written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Portable {
    pub(crate) pattern: String,
    /// What in it engines say differently.
    pub(crate) constructs: Vec<Construct>,
}

impl Portable {
    /// Of a pattern that was checked. One that cannot be read finds nothing, as in the engine that would refuse it.
    pub(crate) fn of(pattern: &str, match_case: bool) -> Self {
        let parsed = ParserBuilder::new().case_insensitive(!match_case).build().parse(pattern);
        let mut writer = Writer(Self { pattern: String::new(), constructs: Vec::new() });
        match parsed {
            Ok(hir) => writer.write(&hir),
            Err(_) => writer.push(NOTHING),
        }
        writer.0
    }
}

/// What is found nowhere: a character before the beginning.
const NOTHING: &str = r".\A";

struct Writer(Portable);

impl Writer {
    fn push(&mut self, text: &str) {
        self.0.pattern.push_str(text);
    }

    fn needs(&mut self, construct: Construct) {
        if !self.0.constructs.contains(&construct) {
            self.0.constructs.push(construct);
        }
    }

    fn write(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                String::from_utf8_lossy(&literal.0).chars().for_each(|c| self.character(c));
            }
            HirKind::Class(class) => self.class(class),
            HirKind::Look(look) => self.look(*look),
            HirKind::Repetition(repetition) => self.repetition(repetition),
            HirKind::Capture(capture) => self.group(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.operand(part)),
            HirKind::Alternation(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    self.push(if at == 0 { "" } else { "|" });
                    self.operand(part);
                }
            }
        }
    }

    fn group(&mut self, hir: &Hir) {
        self.push("(?:");
        self.write(hir);
        self.push(")");
    }

    /// A part of a row: an alternative inside it binds less.
    fn operand(&mut self, hir: &Hir) {
        if matches!(hir.kind(), HirKind::Alternation(_)) { self.group(hir) } else { self.write(hir) }
    }

    fn repetition(&mut self, repetition: &Repetition) {
        let single = match repetition.sub.kind() {
            HirKind::Class(_) => true,
            HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).chars().count() == 1,
            _ => false,
        };
        if single {
            self.write(&repetition.sub)
        } else {
            self.group(&repetition.sub)
        }
        let times = match (repetition.min, repetition.max) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) if least == most => format!("{{{least}}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        self.push(&times);
    }

    fn look(&mut self, look: Look) {
        match look {
            Look::Start => self.push(r"\A"),
            Look::End => self.push(r"\z"),
            Look::StartLF => self.push("(?m:^)"),
            Look::EndLF => self.push("(?m:$)"),
            Look::StartCRLF | Look::EndCRLF => {
                self.needs(Construct::CarriageReturnLine);
                self.push(NOTHING);
            }
            Look::WordAsciiNegate | Look::WordUnicodeNegate => {
                self.needs(Construct::WordBoundary);
                self.push(r"\B");
            }
            // Half boundaries are what `\<` and `\>` are made of.
            _ => {
                self.needs(Construct::WordBoundary);
                self.push(r"\b");
            }
        }
    }

    fn class(&mut self, class: &Class) {
        let class = match class {
            Class::Unicode(class) => class.clone(),
            // Bytes of ASCII: others were refused.
            Class::Bytes(bytes) => {
                let range = |range: &regex_syntax::hir::ClassBytesRange| {
                    ClassUnicodeRange::new(range.start().into(), range.end().into())
                };
                ClassUnicode::new(bytes.iter().map(range))
            }
        };
        let mut others = class.clone();
        others.negate();
        match (class.ranges().len(), others.ranges().len()) {
            (0, _) => self.push(NOTHING),
            // Any character at all.
            (_, 0) => self.push(r"(?s:.)"),
            (ranges, without) if without < ranges => self.listed("[^", &others),
            _ => self.listed("[", &class),
        }
    }

    fn listed(&mut self, open: &str, class: &ClassUnicode) {
        self.push(open);
        for range in class.ranges() {
            self.character(range.start());
            if range.end() != range.start() {
                self.push("-");
                self.character(range.end());
            }
        }
        self.push("]");
    }

    fn character(&mut self, c: char) {
        match c {
            // Control characters would not survive every wire; two digits are read alike everywhere.
            c if c.is_ascii_control() => _ = write!(self.0.pattern, "\\x{:02x}", u32::from(c)),
            // No others: an escaped `<` or quote is an anchor in some engines.
            c if r"\.+*?()|[]{}^$-&~".contains(c) => {
                self.push("\\");
                self.0.pattern.push(c);
            }
            c => self.0.pattern.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::{Regex, RegexBuilder};

    use super::*;

    fn portable(pattern: &str) -> String {
        Portable::of(pattern, true).pattern
    }

    #[test]
    fn what_depends_on_flags_and_engines_is_written_out() {
        assert_eq!(portable("^a.b$"), r"\Aa[^\x0a]b\z");
        assert_eq!(portable("(?s)a.b"), "a(?s:.)b");
        assert_eq!(portable("(?P<name>ab)+|c{2,}"), "(?:(?:ab))+|c{2,}");
        assert_eq!(portable("(?-u:\\d)[^\"]"), "[0-9][^\"]");
        assert_eq!(Portable::of("GET /é", false).pattern, "[Gg][Ee][Tt] /[Éé]");
        assert_eq!(portable("(?m)^x"), "(?m:^)x");
        assert_eq!(Portable::of(r"\bx", true).constructs, [Construct::WordBoundary]);
        assert_eq!(Portable::of(r"(?mR)$", true).constructs, [Construct::CarriageReturnLine]);
    }

    proptest! {
        #[test]
        fn the_same_is_found(
            pattern in "[ab.^$?*+|\\[\\]()\\\\wdsSbk{2,}\n-]{0,10}",
            text in "[abkKs0-9 .\n\r_é\u{212a}-]{0,12}",
            match_case in any::<bool>(),
        ) {
            let Ok(asked) = RegexBuilder::new(&pattern).case_insensitive(!match_case).build() else { return Ok(()) };
            let portable = Portable::of(&pattern, match_case);
            if portable.constructs.is_empty() {
                let again = Regex::new(&portable.pattern).map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(asked.is_match(&text), again.is_match(&text), "{} as {}", pattern, portable.pattern);
            }
        }
    }
}
