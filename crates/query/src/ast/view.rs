//! What an answer is made of: figures, events, or wholes (requests, invocations, traces), each with its facts.

/// The answer's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Aggregates and series.
    Calculations,
    /// The events themselves, newest first.
    #[default]
    Events,
    /// One row for each of what many events are parts of.
    Wholes(Whole),
}

/// What many events are parts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whole {
    /// All events of one request id: logs, spans and Lambda's report.
    Request,
    /// One run of a Lambda function: the platform's span, joined with its report. A request that was tried again has
    /// several.
    Invocation,
    /// All events of one trace id, as its root span and the spans below it.
    Trace,
}

/// Something that is known of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// What it is called in the answer, in `HAVING` and in `ORDER BY`. Behind a dot stands a key inside an object.
    pub name: &'static str,
    /// What its values are.
    pub kind: FactKind,
}

/// What the values of a fact are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// Text, or null.
    Text,
    /// Several texts, sorted.
    Texts,
    /// A number, or null.
    Number,
    /// RFC 3339 in the answer, milliseconds since the epoch where it is compared.
    Time,
    /// True or false in the answer, 1 or 0 where it is compared.
    Flag,
}

impl FactKind {
    /// Whether it can be compared and ordered by.
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::Number | Self::Time | Self::Flag)
    }
}

impl View {
    /// Every view with its name. `patterns` is a name too: it is read as figures grouped by the pattern.
    pub const ALL: [(&str, Self); 5] = [
        ("calculations", Self::Calculations),
        ("events", Self::Events),
        ("requests", Self::Wholes(Whole::Request)),
        ("invocations", Self::Wholes(Whole::Invocation)),
        ("traces", Self::Wholes(Whole::Trace)),
    ];

    /// The view of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, view)| *view)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("events", |(name, _)| *name)
    }

    /// Of which wholes it shows one row each.
    pub fn whole(self) -> Option<Whole> {
        match self {
            Self::Wholes(whole) => Some(whole),
            Self::Calculations | Self::Events => None,
        }
    }
}

impl Whole {
    /// All that is known of one, in the order in which a person reads it; the first is its identity.
    pub fn facts(self) -> &'static [Fact] {
        match self {
            Self::Request => &REQUEST,
            Self::Invocation => &INVOCATION,
            Self::Trace => &TRACE,
        }
    }

    /// The fact of that name.
    pub fn fact(self, name: &str) -> Option<Fact> {
        self.facts().iter().copied().find(|fact| fact.name == name)
    }
}

const fn fact(name: &'static str, kind: FactKind) -> Fact {
    Fact { name, kind }
}

const REQUEST: [Fact; 24] = [
    fact("requestId", FactKind::Text),
    fact("start", FactKind::Time),
    fact("duration", FactKind::Number),
    fact("namespaces", FactKind::Texts),
    fact("services", FactKind::Texts),
    fact("status", FactKind::Text),
    fact("error", FactKind::Text),
    fact("coldStart", FactKind::Flag),
    fact("events", FactKind::Number),
    fact("spans", FactKind::Number),
    fact("logs", FactKind::Number),
    fact("levels.trace", FactKind::Number),
    fact("levels.debug", FactKind::Number),
    fact("levels.info", FactKind::Number),
    fact("levels.warn", FactKind::Number),
    fact("levels.error", FactKind::Number),
    fact("levels.fatal", FactKind::Number),
    fact("errors", FactKind::Number),
    fact("billedDuration", FactKind::Number),
    fact("memorySize", FactKind::Number),
    fact("maxMemoryUsed", FactKind::Number),
    fact("initDuration", FactKind::Number),
    fact("invocations", FactKind::Number),
    fact("traceId", FactKind::Text),
];

const INVOCATION: [Fact; 14] = [
    fact("spanId", FactKind::Text),
    fact("requestId", FactKind::Text),
    fact("start", FactKind::Time),
    fact("duration", FactKind::Number),
    fact("namespace", FactKind::Text),
    fact("service", FactKind::Text),
    fact("status", FactKind::Text),
    fact("error", FactKind::Text),
    fact("coldStart", FactKind::Flag),
    fact("billedDuration", FactKind::Number),
    fact("memorySize", FactKind::Number),
    fact("maxMemoryUsed", FactKind::Number),
    fact("initDuration", FactKind::Number),
    fact("traceId", FactKind::Text),
];

const TRACE: [Fact; 11] = [
    fact("traceId", FactKind::Text),
    fact("start", FactKind::Time),
    fact("duration", FactKind::Number),
    fact("name", FactKind::Text),
    fact("namespace", FactKind::Text),
    fact("services", FactKind::Texts),
    fact("status", FactKind::Text),
    fact("error", FactKind::Text),
    fact("spans", FactKind::Number),
    fact("logs", FactKind::Number),
    fact("errors", FactKind::Number),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_begins_with_its_identity_and_names_no_fact_twice() {
        for whole in [Whole::Request, Whole::Invocation, Whole::Trace] {
            let facts = whole.facts();
            assert_eq!(facts[0].kind, FactKind::Text, "{whole:?}");
            for fact in facts {
                assert_eq!(facts.iter().filter(|other| other.name == fact.name).count(), 1, "{}", fact.name);
            }
        }
    }

    #[test]
    fn a_view_is_found_by_its_name() {
        for (name, view) in View::ALL {
            assert_eq!(View::named(&name.to_uppercase()), Some(view));
            assert_eq!(view.name(), name);
        }
        assert_eq!(View::named("patterns"), None);
    }
}
