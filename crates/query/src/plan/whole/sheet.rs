//! What is put together for each whole: one row of inputs per event, measures of each whole, and facts over these.

use super::known;
use crate::arithmetic::Sign;
use crate::ast::{Comparison, Condition, Filter, Key, Literal, Test, Whole};
use crate::column::ColumnKind;
use crate::envelope::Envelope;
use crate::plan::condition;
use crate::plan::resolve::{Catalogue, number, value};
use crate::sql::Expr;

/// How the inputs of a whole's events become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum How {
    Count,
    Least,
    Greatest,
}

/// Everything that is worked out for a kind of whole.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Sheet {
    pub(super) whole: Whole,
    /// In the order of the plan's tables.
    pub(super) tables: Vec<Inputs>,
    /// How each input becomes a measure, in their order.
    pub(super) measures: Vec<How>,
    /// Facts by name, as floats over the measures.
    pub(super) facts: Vec<(&'static str, Expr)>,
    /// Whether what was grouped is a whole at all, over the measures.
    pub(super) is_whole: Expr,
    /// In the order of the plan's tables.
    pub(super) heads: Vec<Head>,
}

/// What is read of each event of a dataset.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    /// Of which whole it is a part; null if of none.
    pub(super) identity: Expr,
    pub(super) inputs: Vec<Expr>,
}

/// Which events speak for their whole.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) condition: Expr,
    /// What Lambda said of the end, in its own word.
    pub(super) told: Expr,
}

impl Head {
    /// What `HEAD_COLUMNS` names, in its order.
    pub(super) fn columns(&self, identity: &Expr) -> [Expr; 11] {
        [
            identity.clone(),
            micros(),
            known(Envelope::Kind),
            known(Envelope::Namespace),
            known(Envelope::Service),
            known(Envelope::Name),
            known(Envelope::Status),
            self.told.clone(),
            known(Envelope::Error),
            known(Envelope::TraceId),
            known(Envelope::RequestId),
        ]
    }
}

const LEVELS: [(&str, &str); 6] = [
    ("levels.trace", "trace"),
    ("levels.debug", "debug"),
    ("levels.info", "info"),
    ("levels.warn", "warn"),
    ("levels.error", "error"),
    ("levels.fatal", "fatal"),
];

impl How {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Least => "MIN",
            Self::Greatest => "MAX",
        }
    }
}

impl Sheet {
    pub(in crate::plan) fn new(whole: Whole, catalogues: &[Catalogue]) -> Self {
        let events: Vec<Events> = catalogues.iter().map(Events).collect();
        let inputs = |events: &Events| Inputs { identity: events.identity(whole), inputs: Vec::new() };
        let mut sheet = Self {
            whole,
            tables: events.iter().map(inputs).collect(),
            measures: Vec::new(),
            facts: Vec::new(),
            is_whole: Expr::All(Vec::new()),
            heads: events.iter().map(|events| events.head(whole)).collect(),
        };
        match whole {
            Whole::Request => sheet.request(&events),
            Whole::Invocation => sheet.invocation(&events),
            Whole::Trace => sheet.trace(&events),
        }
        sheet
    }

    /// Everything that is read of events.
    pub(in crate::plan) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let inputs = self.tables.iter().flat_map(|of| of.inputs.iter().chain([&of.identity]));
        inputs.chain(self.heads.iter().flat_map(|head| [&head.condition, &head.told]))
    }

    fn request(&mut self, events: &[Events]) {
        self.run(events);
        self.count("events", events, |_| Expr::All(Vec::new()));
        self.count("spans", events, |of| of.is_span());
        self.count("logs", events, |of| of.is_log());
        for (fact, level) in LEVELS {
            self.count(fact, events, |of| Expr::All(vec![of.is_log(), is(Envelope::Level, level)]));
        }
        self.count("errors", events, |of| of.is_error());
        self.count("invocations", events, |of| of.is_invocation());
    }

    fn invocation(&mut self, events: &[Events]) {
        self.run(events);
    }

    fn trace(&mut self, events: &[Events]) {
        let begin = self.measure(How::Least, events, |of| when(of.is_span(), micros()));
        let end = self.measure(How::Greatest, events, |of| when(of.is_span(), of.end_micros()));
        let took = Expr::Join(Sign::Minus, Box::new(end), Box::new(float(begin.clone())));
        self.facts.push(("start", milliseconds(float(begin))));
        self.facts.push(("duration", milliseconds(took)));
        let spans = self.count("spans", events, |of| of.is_span());
        self.count("logs", events, |of| of.is_log());
        self.count("errors", events, |of| of.is_error());
        self.is_whole = positive(spans);
    }

    /// What is known of a run of a function: from the platform's span, its report, and where there is neither from what
    /// the events say of themselves.
    fn run(&mut self, events: &[Events]) {
        let opened = self.measure(How::Least, events, |of| when(of.is_invocation(), micros()));
        let begin = self.measure(How::Least, events, |_| micros());
        let start = Expr::First(vec![float(opened), float(begin)]);
        self.facts.push(("start", milliseconds(start)));
        let duration = Expr::Column(Envelope::Duration.physical().to_owned());
        let span = self.measure(How::Greatest, events, |of| when(of.is_invocation(), duration.clone()));
        let report = self.measure(How::Greatest, events, |of| when(of.is_report(), of.number("@duration")));
        let any = self.measure(How::Greatest, events, |_| duration.clone());
        self.facts.push(("duration", Expr::First(vec![span, report, any])));
        let cold = self.measure(How::Greatest, events, |of| when(of.is_cold(), Expr::Float(1.0)));
        self.facts.push(("coldStart", Expr::First(vec![cold, Expr::Float(0.0)])));
        for (fact, key) in [
            ("billedDuration", "@billedDuration"),
            ("memorySize", "@memorySize"),
            ("maxMemoryUsed", "@maxMemoryUsed"),
            ("initDuration", "@initDuration"),
        ] {
            let measure = self.measure(How::Greatest, events, |of| when(of.is_report(), of.number(key)));
            self.facts.push((fact, measure));
        }
    }

    fn measure(&mut self, how: How, events: &[Events], input: impl Fn(&Events) -> Expr) -> Expr {
        for (table, events) in self.tables.iter_mut().zip(events) {
            table.inputs.push(input(events));
        }
        self.measures.push(how);
        Expr::Inner("m", self.measures.len() - 1)
    }

    fn count(&mut self, fact: &'static str, events: &[Events], which: impl Fn(&Events) -> Expr) -> Expr {
        let count = self.measure(How::Count, events, |of| when(which(of), Expr::Int(1)));
        self.facts.push((fact, float(count.clone())));
        count
    }
}

/// What the events of a dataset say, in its columns.
struct Events<'c, 'd>(&'c Catalogue<'d>);

impl Events<'_, '_> {
    fn identity(&self, whole: Whole) -> Expr {
        match whole {
            Whole::Request => known(Envelope::RequestId),
            Whole::Trace => known(Envelope::TraceId),
            // A report that was read from CloudWatch knows no span, and there is one of each request.
            Whole::Invocation => {
                let name = Expr::First(vec![known(Envelope::SpanId), known(Envelope::RequestId)]);
                when(Expr::Any(vec![self.is_invocation(), self.is_report()]), name)
            }
        }
    }

    fn head(&self, whole: Whole) -> Head {
        let condition = match whole {
            Whole::Request | Whole::Invocation => Expr::Any(vec![self.is_invocation(), self.is_report()]),
            Whole::Trace => {
                let child = Expr::Exists(Box::new(known(Envelope::ParentId)));
                Expr::All(vec![self.is_span(), Expr::Not(Box::new(child))])
            }
        };
        let told = ["aws.lambda.status", "@status"].map(|key| self.text(key));
        Head { condition, told: Expr::First(told.to_vec()) }
    }

    fn is_span(&self) -> Expr {
        is(Envelope::Kind, "span")
    }

    fn is_log(&self) -> Expr {
        is(Envelope::Kind, "log")
    }

    /// The span that the platform tells of. What a function's own instrumentation calls its invocation is inside it.
    fn is_invocation(&self) -> Expr {
        let told = self.holds("aws.lambda.status", Test::Exists);
        Expr::All(vec![self.is_span(), told])
    }

    fn is_report(&self) -> Expr {
        self.holds("@type", Test::Equals(Literal::Text("REPORT".to_owned())))
    }

    fn is_cold(&self) -> Expr {
        let said = self.holds("faas.coldstart", Test::Equals(Literal::Bool(true)));
        let took = Expr::All(vec![self.is_report(), self.holds("@initDuration", Test::Exists)]);
        Expr::Any(vec![Expr::All(vec![self.is_invocation(), said]), took])
    }

    /// As a trace counts them: an error of its own, or a level or status that says so.
    fn is_error(&self) -> Expr {
        let named = Expr::Exists(Box::new(known(Envelope::Error)));
        let levels = ["error", "fatal"].map(|level| is(Envelope::Level, level));
        Expr::Any([named, is(Envelope::Status, "error")].into_iter().chain(levels).collect())
    }

    fn number(&self, key: &str) -> Expr {
        number(&self.0.sources(&Key::new(key)))
    }

    fn text(&self, key: &str) -> Expr {
        value(&self.0.sources(&Key::new(key)), ColumnKind::Text)
    }

    fn holds(&self, key: &str, test: Test) -> Expr {
        condition::filter(&Filter::Is(Condition { key: Key::new(key), test }), self.0)
    }

    fn end_micros(&self) -> Expr {
        let zero = Expr::Float(0.0);
        let took = Expr::First(vec![Expr::Column(Envelope::Duration.physical().to_owned()), zero]);
        let took = Expr::Join(Sign::Times, Box::new(took), Box::new(Expr::Float(1_000.0)));
        Expr::Join(Sign::Plus, Box::new(float(micros())), Box::new(took))
    }
}

fn is(field: Envelope, word: &str) -> Expr {
    let column = Expr::Column(field.physical().to_owned());
    Expr::Equals(Box::new(column), Box::new(Expr::Text(word.to_owned())))
}

fn when(condition: Expr, then: Expr) -> Expr {
    match condition {
        Expr::All(none) if none.is_empty() => then,
        condition => Expr::When(Box::new(condition), Box::new(then)),
    }
}

fn float(expr: Expr) -> Expr {
    Expr::ToFloat(Box::new(expr))
}

fn micros() -> Expr {
    Expr::Micros(Box::new(Expr::Column(Envelope::Timestamp.physical().to_owned())))
}

fn milliseconds(micros: Expr) -> Expr {
    Expr::Join(Sign::Over, Box::new(micros), Box::new(Expr::Float(1_000.0)))
}

fn positive(count: Expr) -> Expr {
    Expr::Compare(Comparison::Greater, Box::new(count), Box::new(Expr::Int(0)))
}
