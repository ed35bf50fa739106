//! Text that is safe to show, coloured, and cut to a width.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Makes one line of any text: control characters, escape sequences and characters that change the direction of
/// writing become visible (`\x1b`, `\n`, `\u{202e}`) instead of acting on the terminal.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    text.chars().for_each(|character| push_visible(&mut shown, character));
    Cow::Owned(shown)
}

/// The same, but line breaks stay, each followed by `indent` blanks: for stack traces.
pub fn visible_lines(text: &str, indent: usize) -> String {
    let lines: Vec<_> = text.trim_end_matches(['\n', '\r']).lines().map(visible).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

fn push_visible(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        // Writing into a string does not fail.
        c if acts(c) && u32::from(c) < 0x100 => drop(write!(shown, "\\x{:02x}", u32::from(c))),
        c if acts(c) => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
        c => shown.push(c),
    }
}

/// Whether a terminal would do something else with it than show it.
pub(super) fn acts(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xad                    // soft hyphen
            | 0x061c | 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 // direction
            | 0x200b | 0x2060..=0x2064 | 0xfeff // nothing to see
            | 0x2028 | 0x2029       // line and paragraph separators
            | 0xfff9..=0xfffb       // interlinear annotations
            | 0xe0000..=0xe0fff) // tags
}

/// Columns that the text takes in a terminal.
pub fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// The text in at most `columns`, with `…` where it was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut room = columns.saturating_sub(1);
    let mut kept = String::new();
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        kept.push(character);
    }
    if columns > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// Fits and pads on the right.
pub fn left(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let room = columns - width(&text).min(columns);
    format!("{text}{}", " ".repeat(room))
}

/// Fits and pads on the left.
pub fn right(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let room = columns - width(&text).min(columns);
    format!("{}{text}", " ".repeat(room))
}

/// A terminal's own colours, so that they suit its background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Faults.
    Red,
    /// What went well.
    Green,
    /// Warnings.
    Yellow,
    /// Marks.
    Blue,
    /// Datasets.
    Magenta,
    /// Times.
    Cyan,
    /// What matters less.
    Dim,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Magenta => "35",
            Self::Cyan => "36",
            Self::Dim => "2",
        }
    }
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Colours only on a terminal that knows them, and not if `NO_COLOR` is set (<https://no-color.org>).
    pub fn new(terminal: bool) -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { colours: terminal && !forbidden }
    }

    /// None at all.
    pub const fn none() -> Self {
        Self { colours: false }
    }

    /// Always.
    pub const fn always() -> Self {
        Self { colours: true }
    }

    /// Whether it paints.
    pub const fn colours(self) -> bool {
        self.colours
    }

    /// The text in a colour.
    pub fn colour(self, colour: Colour, text: &str) -> String {
        self.wrap(colour.code(), text)
    }

    /// The text in a colour, bold.
    pub fn bold(self, colour: Colour, text: &str) -> String {
        self.wrap(&format!("1;{}", colour.code()), text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colours && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_act_on_a_terminal_is_shown_instead() {
        assert_eq!(visible("plain – ünïcode 漢字 👩‍🚀"), "plain – ünïcode 漢字 👩‍🚀");
        assert_eq!(visible("\x1b[2J\x1b]0;owned\x07"), "\\x1b[2J\\x1b]0;owned\\x07");
        assert_eq!(visible("a\nb\tc\r\u{9b}31m"), "a\\nb\\tc\\r\\x9b31m");
        assert_eq!(visible("user\u{202e}txt.exe"), "user\\u{202e}txt.exe");
        assert_eq!(visible_lines("Error: x\n  at y\x1b[1m\n", 2), "Error: x\n    at y\\x1b[1m");
    }

    #[test]
    fn wide_characters_count_as_wide() {
        assert_eq!(left("漢字", 6), "漢字  ");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(right("ab", 4), "  ab");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_can_act(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(acts));
            prop_assert!(visible_lines(&text, 3).chars().all(|c| c == '\n' || !acts(c)));
        }

        #[test]
        fn what_fits_fits(text in any::<String>(), columns in 0usize..40) {
            prop_assert!(width(&fit(&text, columns)) <= columns);
            prop_assert_eq!(width(&left(&visible(&text), columns)), columns);
        }
    }
}
