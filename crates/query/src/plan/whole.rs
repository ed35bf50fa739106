//! Wholes: what many events are parts of (requests, invocations, traces), each with facts that are put together from
//! all of them.
//!
//! A whole is in the answer if one of its events inside the timeframe fulfils the query's conditions; its facts are then
//! of all its events, also of those that do not, and of those shortly before and after the timeframe. So a request is
//! found by one of its lines and shown with its report, however late that came.
//!
//! Three statements: the first wholes in the order asked for, with every figure; then, of those alone, who took part
//! ([`Plan::whole_members`]) and the events that speak for them ([`Plan::whole_heads`]).

mod sheet;

use std::time::Duration;

pub(super) use sheet::Sheet;

use super::{Plan, TablePlan, arithmetic};
use crate::ast::{FactKind, Filter, Order, Timeframe, Whole};
use crate::column::ColumnKind;
use crate::envelope::Envelope;
use crate::formula::Term;
use crate::sql::{Dialect, Expr, write};

/// How far outside the timeframe an event of a whole may be. Lambda's longest invocation takes 15 minutes.
const AROUND: Duration = Duration::from_mins(15);

/// The columns of [`Plan::whole_heads`], in order: the whole, microseconds since the epoch, and what the event says of
/// itself; `told` is what Lambda said of the end, in its own word.
pub const HEAD_COLUMNS: [&str; 11] =
    ["i", "t", "kind", "namespace", "service", "name", "status", "told", "error", "trace", "request"];

impl Plan<'_> {
    /// The first wholes in the order asked for, one more than the limit so that it shows whether there are more.
    /// Columns: `i` (its identity) · `f0`… the facts of [`Plan::whole_figures`], as floats.
    pub fn wholes(&self, dialect: &dyn Dialect) -> Option<String> {
        let sheet = self.wholes.as_ref()?;
        let facts = sheet.facts.iter().enumerate();
        let facts = facts.map(|(index, (_, expr))| format!("{} AS f{index}", write(expr, dialect)));
        let facts: Vec<String> = ["i".to_owned()].into_iter().chain(facts).collect();
        let mut sql = format!(
            "SELECT {} FROM ({}) AS a WHERE {}",
            facts.join(", "),
            self.grouped(sheet, dialect),
            self.shown(sheet, dialect)
        );
        if let Some(having) = &self.query.having {
            let having = arithmetic::having(having, &|term| sheet.term(term));
            sql = format!("SELECT * FROM ({sql}) AS b WHERE {}", write(&having, dialect));
        }
        let order = self.query.order_by.as_ref();
        let fact = sheet.place(order.map_or("start", |order_by| order_by.value.as_str())).unwrap_or(0);
        let direction = match order.map(|order_by| order_by.order) {
            Some(Order::Ascending) => "ASC",
            _ => "DESC",
        };
        let limit = self.query.limit.saturating_add(1);
        Some(format!(
            "SELECT * FROM ({sql}) AS o ORDER BY f{fact} {direction} NULLS LAST, i ASC LIMIT {limit}"
        ))
    }

    /// The names of the figures of [`Plan::wholes`], in the order of its columns, and what they are.
    pub fn whole_figures(&self) -> impl Iterator<Item = (&'static str, FactKind)> {
        let facts = self.wholes.iter().flat_map(|sheet| &sheet.facts);
        let whole = self.query.view.whole();
        facts.filter_map(move |(name, _)| Some((*name, whole?.fact(name)?.kind)))
    }

    /// Who took part in these wholes. Columns: `i` · `namespace` · `service` · `trace` · `error`, with one row for each
    /// namespace and service of a whole.
    pub fn whole_members(&self, dialect: &dyn Dialect, ids: &[String]) -> Option<String> {
        let sheet = self.wholes.as_ref()?;
        let part = |(table, identity): (&TablePlan, &Expr)| {
            let columns =
                [Envelope::Namespace, Envelope::Service].map(|field| dialect.identifier(field.physical()));
            let [trace, error] =
                [Envelope::TraceId, Envelope::Error].map(|field| write(&known(field), dialect));
            let [namespace, service] = columns;
            let from = self.around(table, dialect);
            let wanted = one_of(sheet.named(identity), ids, dialect);
            let identity = write(identity, dialect);
            format!(
                "SELECT {identity} AS i, {namespace} AS p, {service} AS s, {trace} AS tr, {error} AS er FROM {from} \
                 AND {wanted}"
            )
        };
        let parts: Vec<String> = self.tables.iter().zip(sheet.identity()).map(part).collect();
        Some(format!(
            "SELECT i, p AS namespace, s AS service, MIN(tr) AS trace, MIN(er) AS error FROM ({}) AS e GROUP BY i, p, s",
            parts.join(" UNION ALL ")
        ))
    }

    /// The events that speak for these wholes: root spans of traces; the platform's spans and reports of invocations
    /// and requests; at most `rows_max`. Columns: [`HEAD_COLUMNS`].
    pub fn whole_heads(&self, dialect: &dyn Dialect, ids: &[String], rows_max: u64) -> Option<String> {
        let sheet = self.wholes.as_ref()?;
        let part = |((table, identity), head): ((&TablePlan, &Expr), &sheet::Head)| {
            let columns = head.columns(identity);
            let columns = columns.iter().zip(HEAD_COLUMNS);
            let columns: Vec<String> =
                columns.map(|(expr, name)| format!("{} AS {name}", write(expr, dialect))).collect();
            let (from, wanted) = (self.around(table, dialect), one_of(sheet.named(identity), ids, dialect));
            let condition = write(&head.condition, dialect);
            format!("SELECT {} FROM {from} AND ({condition}) AND {wanted}", columns.join(", "))
        };
        let parts = self.tables.iter().zip(sheet.identity()).zip(&sheet.heads).map(part);
        let parts = parts.collect::<Vec<_>>().join(" UNION ALL ");
        Some(format!("SELECT * FROM ({parts}) AS e LIMIT {rows_max}"))
    }

    /// Per whole: every measure, and how many of its events are inside the timeframe.
    fn grouped(&self, sheet: &Sheet, dialect: &dyn Dialect) -> String {
        let parts = self.tables.iter().zip(&sheet.tables);
        let parts: Vec<String> = parts.map(|(table, of)| self.parts(sheet, table, of, dialect)).collect();
        let inside = format!("COUNT(CASE WHEN {} THEN 1 END) AS inside", self.within("t", dialect));
        let measures = sheet.measures.iter().enumerate();
        let measures = measures.map(|(index, how)| format!("{}(v{index}) AS m{index}", how.name()));
        let columns: Vec<String> = ["i".to_owned(), inside].into_iter().chain(measures).collect();
        let chosen = match self.chooses() {
            true => format!(" WHERE c IN ({})", self.chosen(sheet, dialect)),
            false => String::new(),
        };
        format!("SELECT {} FROM ({}) AS e{chosen} GROUP BY i", columns.join(", "), parts.join(" UNION ALL "))
    }

    /// One row for each event of a dataset that is part of a whole.
    fn parts(&self, sheet: &Sheet, table: &TablePlan, of: &sheet::Inputs, dialect: &dyn Dialect) -> String {
        let identity = write(&of.identity, dialect);
        let chooser = write(&known(sheet.chosen_by()), dialect);
        let time = dialect.identifier(Envelope::Timestamp.physical());
        let inputs = of.inputs.iter().enumerate();
        let inputs = inputs.map(|(index, expr)| format!("{} AS v{index}", write(expr, dialect)));
        let columns = [format!("{identity} AS i"), format!("{chooser} AS c"), format!("{time} AS t")];
        let columns: Vec<String> = columns.into_iter().chain(inputs).collect();
        let from = self.around(table, dialect);
        format!("SELECT {} FROM {from} AND {identity} IS NOT NULL", columns.join(", "))
    }

    /// Whether there is more to choose by than the time.
    fn chooses(&self) -> bool {
        self.query.filter != Filter::everything() || self.query.needle.is_some()
    }

    /// The ids of those that have an event which fulfils the query's conditions.
    fn chosen(&self, sheet: &Sheet, dialect: &dyn Dialect) -> String {
        let chooser = write(&known(sheet.chosen_by()), dialect);
        let part = |table: &TablePlan| {
            let from = dialect.identifier(&table.dataset);
            let filter = self.row_filter(table, dialect);
            format!("SELECT {chooser} AS c FROM {from} WHERE {filter} AND {chooser} IS NOT NULL")
        };
        self.tables.iter().map(part).collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// Which of the grouped rows are wholes of the answer: those chosen by time alone must have an event inside it.
    fn shown(&self, sheet: &Sheet, dialect: &dyn Dialect) -> String {
        let is = write(&sheet.is_whole, dialect);
        if self.chooses() { is } else { format!("{is} AND inside > 0") }
    }

    /// A dataset and the time in which events of wholes are looked for.
    fn around(&self, table: &TablePlan, dialect: &dyn Dialect) -> String {
        let Timeframe { from, to } = self.frame.times;
        let wide = Timeframe { from: from.minus(AROUND), to: to.plus(AROUND) };
        format!("{} WHERE {}", dialect.identifier(&table.dataset), super::statement::inside(wide, dialect))
    }

    /// Whether a time is inside the query's.
    fn within(&self, time: &str, dialect: &dyn Dialect) -> String {
        let [from, to] =
            [self.frame.times.from, self.frame.times.to].map(|end| dialect.time(end.as_micros()));
        format!("{time} >= {from} AND {time} < {to}")
    }
}

impl Sheet {
    fn identity(&self) -> impl Iterator<Item = &Expr> {
        self.tables.iter().map(|table| &table.identity)
    }

    /// What tells whether an event is part of one of some wholes: the bare column where there is one, so that
    /// statistics and bloom filters leave files out.
    fn named(&self, identity: &Expr) -> Expr {
        match self.whole {
            Whole::Request | Whole::Trace => Expr::Column(self.chosen_by().physical().to_owned()),
            Whole::Invocation => identity.clone(),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.facts.iter().position(|(fact, _)| *fact == name)
    }

    /// A fact as a figure that is compared. The checks let no other term through.
    fn term(&self, term: &Term) -> Expr {
        let place = match term {
            Term::Named(name) => self.place(name),
            Term::Calculated(_) => None,
        };
        place.map_or(Expr::Null(ColumnKind::Float), |index| Expr::Inner("f", index))
    }

    /// By which field of its events a whole is chosen. Of an invocation it is the request: its lines may stand in spans
    /// of their own.
    fn chosen_by(&self) -> Envelope {
        match self.whole {
            Whole::Request | Whole::Invocation => Envelope::RequestId,
            Whole::Trace => Envelope::TraceId,
        }
    }
}

/// A text of the envelope where it is known; the columns are empty where it is not.
pub(super) fn known(field: Envelope) -> Expr {
    let text = Expr::Column(field.physical().to_owned());
    let there = Expr::Compare(
        crate::ast::Comparison::Greater,
        Box::new(text.clone()),
        Box::new(Expr::Text(String::new())),
    );
    Expr::When(Box::new(there), Box::new(text))
}

/// Whether an expression is one of these texts.
fn one_of(expr: Expr, ids: &[String], dialect: &dyn Dialect) -> String {
    let ids: Vec<Expr> = ids.iter().cloned().map(Expr::Text).collect();
    write(&Expr::In(Box::new(expr), ids), dialect)
}
