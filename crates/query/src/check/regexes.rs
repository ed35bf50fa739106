//! The regular expressions of one query. Each is compiled here once, to say what is wrong with it, and by the engine once
//! more for every thread; so their number and their size together are bounded, not only each for itself.

use regex::{Error, RegexBuilder};

use super::condition::text;
use crate::diagnostic::Diagnostic;

/// More than any query that a person wrote had.
const COUNT_MAX: usize = 50;
/// Compiled sizes that are tried, bytes: what an expression counts is the first one that it fits into. The last is the
/// `regex` crate's own default, so that what passes here compiles in the engine.
const SIZES: [usize; 4] = [1 << 16, 1 << 18, 1 << 20, 10 << 20];
/// All of them together, bytes: two of the largest, a few of the usual.
const SIZE_MAX: usize = 20 << 20;

/// What was compiled so far.
#[derive(Debug, Default)]
pub(super) struct Regexes {
    count: usize,
    size: usize,
}

impl Regexes {
    /// What is wrong with one more expression.
    pub(super) fn fault(&mut self, pattern: &str, match_case: bool) -> Option<Diagnostic> {
        if let Some(fault) = text(pattern) {
            return Some(fault);
        }
        self.count += 1;
        if self.count > COUNT_MAX {
            let fault = format!("more than {COUNT_MAX} regular expressions are too many for one query");
            return Some(Diagnostic::new(fault).hint("a|b matches what either of two does"));
        }
        match size(pattern, match_case) {
            Ok(size) => {
                self.size += size;
                (self.size > SIZE_MAX).then(|| {
                    Diagnostic::new("the query's regular expressions are too large together")
                        .hint("repetitions as \\w{1,100} are what takes room; [a-z] takes less than \\w")
                })
            }
            Err(error) => Some(unreadable(&error)),
        }
    }
}

/// The size that an expression counts.
fn size(pattern: &str, match_case: bool) -> Result<usize, Error> {
    let mut reason = Error::CompiledTooBig(0);
    for size in SIZES {
        match RegexBuilder::new(pattern).case_insensitive(!match_case).size_limit(size).build() {
            Ok(_) => return Ok(size),
            Err(error @ Error::CompiledTooBig(_)) => reason = error,
            Err(error) => return Err(error),
        }
    }
    Err(reason)
}

fn unreadable(error: &Error) -> Diagnostic {
    // Its last line says what is wrong; the lines above repeat the pattern.
    let reason = error.to_string();
    let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Diagnostic::new(format!("the regular expression cannot be read: {reason}")).hint(
        "the syntax is that of Rust's regex: no look-around, no back-references; escape [ ( { . with \\",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_read_and_one_more_is_not() {
        let mut regexes = Regexes::default();
        for _ in 0..COUNT_MAX {
            assert_eq!(regexes.fault("^a+$", true), None);
        }
        assert!(regexes.fault("^a+$", true).is_some_and(|fault| fault.message.contains("too many")));
    }

    #[test]
    fn large_ones_use_up_the_room_of_all() {
        let (mut regexes, large) = (Regexes::default(), r"\w{1,60}");
        let read = (0..COUNT_MAX).take_while(|_| regexes.fault(large, false).is_none()).count();
        assert!((1..COUNT_MAX).contains(&read), "{read} were read");
        let fault = Regexes::default().fault(r"\w{1000}", true).unwrap();
        assert!(fault.message.contains("size limit"), "{fault}");
    }
}
