//! One variable at a time: its text, its type, its range, and the fault if it has one.

use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A setting that cannot be used as it is; the text names the variable, what it holds, and what is used instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What people write for on and off.
pub(super) const SWITCH: [(&str, bool); 8] = [
    ("true", true),
    ("false", false),
    ("on", true),
    ("off", false),
    ("yes", true),
    ("no", false),
    ("1", true),
    ("0", false),
];

/// Whether the text is a word for on or off, and for which of them.
pub(super) fn switch(text: &str) -> Option<bool> {
    SWITCH.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, on)| *on)
}

/// The environment, and what was wrong in it so far.
pub(super) struct Settings<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    faults: Vec<Fault>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(variable: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self { variable, faults: Vec::new() }
    }

    pub(super) fn faults(self) -> Vec<Fault> {
        self.faults
    }

    pub(super) fn fault(&mut self, text: String) {
        self.faults.push(Fault(text));
    }

    /// The trimmed text; an empty one counts as not set.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let Ok(text) = (self.variable)(name)?.into_string() else {
            self.fault(format!("{name} is not UTF-8 and is ignored"));
            return None;
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// On or off; off by default.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        let Some(text) = self.text(name) else { return false };
        switch(&text).unwrap_or_else(|| {
            self.fault(format!("{name} must be true or false, is {text:?}; using false"));
            false
        })
    }

    /// One of some words, in any case; the first is the default.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let default = words.first()?;
        let Some(text) = self.text(name) else { return Some(default.1) };
        let chosen = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        if chosen.is_none() {
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let list = list.join(", ");
            self.fault(format!("{name} must be one of {list}, is {text:?}; using {}", default.0));
        }
        Some(chosen.unwrap_or(default).1)
    }

    /// Texts between commas, trimmed; empty ones do not count.
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// A whole number in its range.
    pub(super) fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(text) = self.text(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = range.into_inner();
                self.fault(format!(
                    "{name} must be a whole number from {least} to {most}, is {text:?}; using {default}"
                ));
                default
            }
        }
    }

    /// A time span in milliseconds.
    pub(super) fn millis(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(name, default, range))
    }

    /// A size in units of `unit_bytes`.
    pub(super) fn bytes(
        &mut self,
        name: &str,
        default: u64,
        range: RangeInclusive<u64>,
        unit_bytes: u64,
    ) -> usize {
        let units = self.number(name, default, range);
        usize::try_from(units.saturating_mul(unit_bytes)).unwrap_or(usize::MAX)
    }

    /// A port above the reserved ones, or 0 for any free one.
    pub(super) fn port(&mut self, name: &str, default: u16) -> u16 {
        if self.text(name).as_deref() == Some("0") {
            return 0;
        }
        u16::try_from(self.number(name, default.into(), 1_024..=u16::MAX.into())).unwrap_or(default)
    }
}
