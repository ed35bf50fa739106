//! The settings of the Runtime API proxy.

use pipeline::payload::Keep;

use super::setting::{Settings, switch};

/// What is copied of each invocation, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payloads {
    /// What of it becomes a record.
    pub keep: Keep,
    /// The most of one event or response.
    pub bytes_max: usize,
}

/// An API's request or a message is a few KiB; this holds most of a batch, too.
const PAYLOAD_KIB: u64 = 64;

impl Payloads {
    /// None unless `LIMELIGHT_PAYLOADS` asks for it.
    pub(super) fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let bytes_max = settings.bytes("LIMELIGHT_PAYLOAD_KIB", PAYLOAD_KIB, 1..=1_024, 1_024);
        let text = settings.text("LIMELIGHT_PAYLOADS")?;
        let keep = match (switch(&text), text.to_ascii_lowercase().as_str()) {
            (Some(false), _) => return None,
            (Some(true), _) | (None, "all") => Keep::All,
            (None, "triggers") => Keep::Triggers,
            (None, "events") => Keep::Events,
            (None, _) => {
                settings.fault(format!(
                    "LIMELIGHT_PAYLOADS must be off, triggers, events or all, is {text:?}; using off"
                ));
                return None;
            }
        };
        Some(Self { keep, bytes_max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn read(text: &str) -> (Option<Keep>, usize) {
        let variable = |name: &str| (name == "LIMELIGHT_PAYLOADS").then(|| OsString::from(text));
        let mut settings = Settings::new(&variable);
        let keep = Payloads::read(&mut settings).map(|payloads| payloads.keep);
        (keep, settings.faults().len())
    }

    #[test]
    fn it_is_off_unless_it_is_asked_for() {
        assert_eq!([read(""), read("off")], [(None, 0), (None, 0)]);
        assert_eq!([read("triggers"), read("Events")], [(Some(Keep::Triggers), 0), (Some(Keep::Events), 0)]);
        assert_eq!([read("all"), read("true")], [(Some(Keep::All), 0), (Some(Keep::All), 0)]);
        assert_eq!(read("some"), (None, 1));
    }
}
