//! What a reader finds wrong, as it finds it. Bounded: each fault holds the text that it is in, and a long text of nothing
//! but faults would otherwise cost its length squared. Who reads on for more may ask whether more is taken.

use super::{Diagnostic, Diagnostics};

/// Nobody mends more at once; and what is wrong so often is probably no query at all.
pub(crate) const FAULTS_MAX: usize = 20;

/// The first faults.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<Diagnostic>);

impl Found {
    /// Takes a fault, which is only made if there is room for it.
    pub(crate) fn push(&mut self, make: impl FnOnce() -> Diagnostic) {
        if !self.is_full() {
            self.0.push(make());
        }
    }

    /// Whether what comes now is not taken: who reads a long list stops.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= FAULTS_MAX
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults in the order in which they were found.
    pub(crate) fn into_kept(self) -> Vec<Diagnostic> {
        self.0
    }

    /// `good` if nothing is wrong, else everything that is, with a word about what may not be told.
    pub(crate) fn or_ok<T>(mut self, good: T) -> Result<T, Diagnostics> {
        if self.is_empty() {
            return Ok(good);
        }
        if self.is_full() {
            self.0
                .push(Diagnostic::new(format!("these are the first {FAULTS_MAX} faults, there may be more")));
        }
        Err(Diagnostics(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_made_and_the_last_word_is_that_there_may_be_more() {
        let (mut found, mut made) = (Found::default(), 0);
        for _ in 0..FAULTS_MAX + 5 {
            found.push(|| {
                made += 1;
                Diagnostic::new("wrong")
            });
        }
        assert_eq!(made, FAULTS_MAX);
        let told = found.or_ok(()).unwrap_err();
        assert_eq!(told.iter().count(), FAULTS_MAX + 1);
        assert!(told.to_string().ends_with("there may be more"));
        assert_eq!(Found::default().or_ok(7), Ok(7));
    }
}
