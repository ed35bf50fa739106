//! What leaves the sandbox: scrubbing, sampling, the least level, and whether there are enhanced metrics.

use std::time::Duration;

use obfuscation::{Action, HashKey, Patterns, Reason, Rule};
use pipeline::sample::{Rate, Sampling};

use super::setting::{SWITCH, Settings};

/// What a team wants of its telemetry, and how.
#[derive(Debug, Clone)]
pub struct Selection {
    /// What passes.
    pub gate: pipeline::Selection,
    /// Whether the platform's and the kernel's figures become metric points.
    pub metrics: bool,
}

impl Selection {
    pub(super) fn read(settings: &mut Settings<'_>) -> Self {
        let rule = rule(settings);
        let level_min = level_min(settings);
        let sampling = sampling(settings);
        let metrics = settings.choice("LIMELIGHT_METRICS", &SWITCH).unwrap_or(true);
        Self { gate: pipeline::Selection { rule, level_min, sampling }, metrics }
    }
}

/// The values of `LIMELIGHT_SCRUB`.
#[derive(Clone, Copy)]
enum Scrub {
    Mask,
    Drop,
    Hash,
    Off,
}

/// A key that can be guessed protects nothing.
const KEY_BYTES_MIN: usize = 16;

fn rule(settings: &mut Settings<'_>) -> Option<Rule> {
    const NAME: &str = "LIMELIGHT_SCRUB";
    let words = [("mask", Scrub::Mask), ("drop", Scrub::Drop), ("hash", Scrub::Hash), ("off", Scrub::Off)];
    let action = match settings.choice(NAME, &words)? {
        Scrub::Mask => Action::Mask,
        Scrub::Drop => Action::Drop,
        Scrub::Hash => hash(settings),
        Scrub::Off => return None,
    };
    let mut rule = Rule::default().with_action(action).with_patterns(patterns(settings));
    for path in settings.list("LIMELIGHT_SCRUB_ALLOW") {
        rule = rule.allow(&path);
    }
    for path in settings.list("LIMELIGHT_SCRUB_DENY") {
        rule = rule.deny(&path);
    }
    Some(rule)
}

/// The key's text is never repeated in a fault.
fn hash(settings: &mut Settings<'_>) -> Action {
    const NAME: &str = "LIMELIGHT_SCRUB_KEY";
    match settings.text(NAME) {
        Some(key) if key.len() >= KEY_BYTES_MIN => Action::Hash(HashKey::new(key.as_bytes())),
        Some(_) => {
            settings.fault(format!("{NAME} must have {KEY_BYTES_MIN} bytes or more to hash with; masking"));
            Action::Mask
        }
        None => {
            settings.fault(format!("{NAME} is not set, and LIMELIGHT_SCRUB is hash; masking"));
            Action::Mask
        }
    }
}

fn patterns(settings: &mut Settings<'_>) -> Patterns {
    const NAME: &str = "LIMELIGHT_SCRUB_PATTERNS";
    let words = settings.list(NAME);
    match words.as_slice() {
        [] => return Patterns::default(),
        [word] if word.eq_ignore_ascii_case("none") => return Patterns::NONE,
        _ => {}
    }
    let mut patterns = Patterns::NONE;
    for word in words {
        let kinds = Reason::ALL.into_iter().filter(|kind| *kind != Reason::Key);
        match kinds.clone().find(|kind| kind.as_str().eq_ignore_ascii_case(&word)) {
            Some(kind) => patterns = patterns.with(kind),
            None if word.eq_ignore_ascii_case("default") => {
                patterns = Patterns::default().and(patterns);
            }
            None => {
                let known: Vec<&str> = kinds.map(Reason::as_str).collect();
                let known = known.join(", ");
                settings.fault(format!("{NAME} knows none, default, {known}; {word:?} is ignored"));
            }
        }
    }
    // A list of nothing but mistakes must not switch protection off.
    if patterns == Patterns::NONE { Patterns::default() } else { patterns }
}

fn level_min(settings: &mut Settings<'_>) -> Option<model::Level> {
    const NAME: &str = "LIMELIGHT_LOG_LEVEL";
    let text = settings.text(NAME)?;
    let level = text.parse().ok();
    if level.is_none() {
        settings.fault(format!(
            "{NAME} must be trace, debug, info, warn, error or fatal, is {text:?}; keeping all"
        ));
    }
    level
}

/// None if every invocation is kept.
fn sampling(settings: &mut Settings<'_>) -> Option<Sampling> {
    const NAME: &str = "LIMELIGHT_SAMPLE_RATE";
    let slow_from = slow_from(settings);
    let text = settings.text(NAME)?;
    let Some(rate) = text.parse().ok().and_then(|share| Rate::new(share).ok()) else {
        settings.fault(format!("{NAME} must be a number from 0 to 1, is {text:?}; keeping all"));
        return None;
    };
    (!rate.keeps_all()).then_some(Sampling { rate, slow_from })
}

/// None if it is to be learnt.
fn slow_from(settings: &mut Settings<'_>) -> Option<Duration> {
    const NAME: &str = "LIMELIGHT_SAMPLE_SLOW_MS";
    let text = settings.text(NAME)?;
    if let Ok(millis @ 1..=900_000) = text.parse() {
        return Some(Duration::from_millis(millis));
    }
    settings.fault(format!("{NAME} must be a whole number from 1 to 900000, is {text:?}; learning it"));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn read(variables: &[(&str, &str)]) -> (Selection, Vec<String>) {
        let variable = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        let mut settings = Settings::new(&variable);
        let selection = Selection::read(&mut settings);
        (selection, settings.faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn by_default_everything_goes_scrubbed_and_measured() {
        let (selection, faults) = read(&[]);
        assert_eq!(faults, [""; 0]);
        assert_eq!(selection.gate, pipeline::Selection::default());
        assert!(selection.metrics);
    }

    #[test]
    fn everything_can_be_set() {
        let (selection, faults) = read(&[
            ("LIMELIGHT_SCRUB", "Hash"),
            ("LIMELIGHT_SCRUB_KEY", "0123456789abcdef"),
            ("LIMELIGHT_SCRUB_ALLOW", "auth_type, request.headers.authorization,"),
            ("LIMELIGHT_SCRUB_DENY", "iban"),
            ("LIMELIGHT_SCRUB_PATTERNS", "card, email"),
            ("LIMELIGHT_LOG_LEVEL", "WARNING"),
            ("LIMELIGHT_SAMPLE_RATE", "0.25"),
            ("LIMELIGHT_SAMPLE_SLOW_MS", "750"),
            ("LIMELIGHT_METRICS", "off"),
        ]);
        assert_eq!(faults, [""; 0]);
        let rule = Rule::default()
            .with_action(Action::Hash(HashKey::new(b"0123456789abcdef")))
            .with_patterns(Patterns::NONE.with(Reason::Card).with(Reason::Email))
            .allow("auth_type")
            .allow("request.headers.authorization")
            .deny("iban");
        assert_eq!(selection.gate.rule, Some(rule));
        assert_eq!(selection.gate.level_min, Some(model::Level::Warn));
        let sampling = selection.gate.sampling.unwrap();
        assert_eq!(sampling.rate, Rate::new(0.25).unwrap());
        assert_eq!(sampling.slow_from, Some(Duration::from_millis(750)));
        assert!(!selection.metrics);
    }

    #[test]
    fn all_faults_are_told_at_once_and_never_lower_the_protection() {
        let (selection, faults) = read(&[
            ("LIMELIGHT_SCRUB", "hash"),
            ("LIMELIGHT_SCRUB_KEY", "too short"),
            ("LIMELIGHT_SCRUB_PATTERNS", "cards"),
            ("LIMELIGHT_LOG_LEVEL", "loud"),
            ("LIMELIGHT_SAMPLE_RATE", "10%"),
            ("LIMELIGHT_SAMPLE_SLOW_MS", "0"),
            ("LIMELIGHT_METRICS", "perhaps"),
        ]);
        assert_eq!(faults.len(), 6, "{faults:?}");
        assert!(!faults.iter().any(|fault| fault.contains("too short")), "{faults:?}");
        assert_eq!(selection.gate, pipeline::Selection::default());
        assert!(selection.metrics);
    }

    #[test]
    fn scrubbing_can_be_off_and_a_rate_of_one_is_no_sampling() {
        let (selection, faults) = read(&[
            ("LIMELIGHT_SCRUB", "off"),
            ("LIMELIGHT_SCRUB_PATTERNS", "none"),
            ("LIMELIGHT_SAMPLE_RATE", "1"),
        ]);
        assert_eq!(faults, [""; 0]);
        assert_eq!((selection.gate.rule, selection.gate.sampling), (None, None));
    }

    #[test]
    fn the_defaults_can_be_named_with_more() {
        let (selection, _) = read(&[("LIMELIGHT_SCRUB_PATTERNS", "default,email")]);
        let expected = Rule::default().with_patterns(Patterns::default().with(Reason::Email));
        assert_eq!(selection.gate.rule, Some(expected));
    }
}
