//! The brackets that are open at a place of a JSON text.

/// How deep lists and objects may stand in each other: as deep as those who read the text behind us can follow
/// (`serde_json` reads as many and no more).
pub const NESTED_MAX: usize = 127;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    List,
    Object,
}

impl Bracket {
    pub(super) fn closing(self) -> u8 {
        match self {
            Self::List => b']',
            Self::Object => b'}',
        }
    }
}

/// One bit for each open bracket, the innermost the lowest, below a bit that marks the outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nest(u128);

const OUTSIDE: u128 = 1;
const _: () = assert!(NESTED_MAX < u128::BITS as usize);

impl Nest {
    pub(super) fn new() -> Self {
        Self(OUTSIDE)
    }

    /// None if that is too deep.
    pub(super) fn open(&mut self, bracket: Bracket) -> Option<()> {
        let is_free = self.0 >> NESTED_MAX == 0;
        is_free.then(|| self.0 = self.0 << 1 | u128::from(bracket == Bracket::Object))
    }

    pub(super) fn close(&mut self) {
        self.0 = (self.0 >> 1).max(OUTSIDE);
    }

    /// None outside of all brackets.
    pub(super) fn innermost(self) -> Option<Bracket> {
        match self.0 {
            OUTSIDE => None,
            open if open & 1 == 1 => Some(Bracket::Object),
            _ => Some(Bracket::List),
        }
    }
}
