//! Arithmetic over numbers that come from elsewhere: the keys of one event (a derived key), or the figures of one group
//! (a formula, a condition on groups). The parser makes it, the plan turns it into an expression of an engine.
//!
//! A part that has no value, a division by zero, and whatever is no finite number leave the whole without a value.

/// A tree of operators over leaves `L`.
#[derive(Debug, Clone, PartialEq)]
pub enum Arithmetic<L> {
    /// A finite number as written.
    Number(f64),
    /// What comes from elsewhere.
    Of(L),
    /// `- a`
    Negative(Box<Self>),
    /// `sqrt(a)`
    Apply(Function, Box<Self>),
    /// `a + b`
    Join(Sign, Box<Self>, Box<Self>),
}

/// What stands between two numbers, with blanks around it: keys may have these characters inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`; by zero there is no value.
    Over,
    /// `%`, the rest of a division, with the sign of its left side; by zero there is no value.
    Modulo,
    /// `^`
    Power,
}

/// A function of one number. Angles are radians.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Without its sign.
    Abs,
    /// Square root; of a negative number there is no value.
    Sqrt,
    /// Logarithm to the base e; of nothing and less there is no value.
    Ln,
    /// Logarithm to the base 10.
    Log10,
    /// To the nearest whole number, halves away from zero.
    Round,
    /// Down to a whole number.
    Floor,
    /// Up to a whole number.
    Ceil,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Tangent.
    Tan,
    /// Arc sine; outside -1 to 1 there is no value.
    Asin,
    /// Arc cosine; outside -1 to 1 there is no value.
    Acos,
    /// Arc tangent.
    Atan,
}

impl Sign {
    /// Every sign as it is written.
    pub const ALL: [(&str, Self); 6] = [
        ("+", Self::Plus),
        ("-", Self::Minus),
        ("*", Self::Times),
        ("/", Self::Over),
        ("%", Self::Modulo),
        ("^", Self::Power),
    ];

    /// The sign that is written so.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == text).map(|(_, sign)| *sign)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("+", |(name, _)| *name)
    }

    /// How close it binds, 1 to 3. Equal ones are read from the left, `^` from the right.
    pub(crate) fn binding(self) -> u8 {
        match self {
            Self::Plus | Self::Minus => 1,
            Self::Times | Self::Over | Self::Modulo => 2,
            Self::Power => 3,
        }
    }
}

impl Function {
    /// Every function by its name, which SQL knows it by too.
    pub const ALL: [(&str, Self); 13] = [
        ("abs", Self::Abs),
        ("sqrt", Self::Sqrt),
        ("ln", Self::Ln),
        ("log10", Self::Log10),
        ("round", Self::Round),
        ("floor", Self::Floor),
        ("ceil", Self::Ceil),
        ("sin", Self::Sin),
        ("cos", Self::Cos),
        ("tan", Self::Tan),
        ("asin", Self::Asin),
        ("acos", Self::Acos),
        ("atan", Self::Atan),
    ];

    /// The function of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("abs", |(name, _)| *name)
    }
}

impl<L> Arithmetic<L> {
    /// `left sign right`
    #[must_use]
    pub fn join(sign: Sign, left: Self, right: Self) -> Self {
        Self::Join(sign, Box::new(left), Box::new(right))
    }

    /// Every leaf, in the order of the text.
    pub fn leaves(&self) -> Vec<&L> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Of(leaf) => vec![leaf],
            Self::Negative(inner) | Self::Apply(_, inner) => inner.leaves(),
            Self::Join(_, left, right) => {
                let mut leaves = left.leaves();
                leaves.extend(right.leaves());
                leaves
            }
        }
    }

    /// The same tree over other leaves.
    pub fn map<M>(self, with: &mut impl FnMut(L) -> M) -> Arithmetic<M> {
        match self {
            Self::Number(number) => Arithmetic::Number(number),
            Self::Of(leaf) => Arithmetic::Of(with(leaf)),
            Self::Negative(inner) => Arithmetic::Negative(Box::new(inner.map(with))),
            Self::Apply(function, inner) => Arithmetic::Apply(function, Box::new(inner.map(with))),
            Self::Join(sign, left, right) => {
                let left = left.map(with);
                Arithmetic::join(sign, left, right.map(with))
            }
        }
    }

    /// How many operators lie above the deepest leaf.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Number(_) | Self::Of(_) => 0,
            Self::Negative(inner) | Self::Apply(_, inner) => inner.depth() + 1,
            Self::Join(_, left, right) => left.depth().max(right.depth()) + 1,
        }
    }
}
