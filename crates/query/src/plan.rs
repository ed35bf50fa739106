//! A query against the datasets' columns: which rows count, what is worked out of them, and the SQL statements that
//! answer it. The store makes one per query and runs its statements.

mod resolve;
mod condition;
mod statement;
mod note;

pub use resolve::Table;
pub use statement::GroupValue;

use resolve::{Catalogue, Source};

use crate::answer::Field;
use crate::ast::{Order, Query, View};
use crate::calculation::{Calculation, Operator};
use crate::column::ColumnKind;
use crate::sql::Expr;

/// A query resolved against its datasets.
#[derive(Debug, Clone)]
pub struct Plan<'q> {
    query: &'q Query,
    tables: Vec<TablePlan>,
    groups: Vec<GroupColumn>,
    /// What is worked out, in the order of the query: of which input.
    figures: Vec<Figure>,
    /// The kinds of the inputs, which several calculations may share.
    inputs: Vec<ColumnKind>,
    notes: Vec<String>,
    fields: Vec<Field>,
}

/// One dataset's part.
#[derive(Debug, Clone)]
struct TablePlan {
    dataset: String,
    filter: Expr,
    groups: Vec<Expr>,
    inputs: Vec<Expr>,
}

/// A key that is grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupColumn {
    /// The key as written.
    pub label: String,
    /// What its values are in the result.
    pub kind: ColumnKind,
}

/// One calculated column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it is called in the answer.
    pub label: String,
    operator: Operator,
    input: Option<usize>,
}

impl<'q> Plan<'q> {
    /// Resolves a checked query; `tables` are the datasets that it names, in its order.
    pub fn new(query: &'q Query, tables: &[Table]) -> Self {
        let catalogues: Vec<Catalogue> = tables.iter().map(|table| Catalogue::new(*table)).collect();
        let mut plan = Self {
            query,
            tables: catalogues.iter().map(|catalogue| TablePlan::new(query, catalogue)).collect(),
            groups: Vec::new(),
            figures: Vec::new(),
            inputs: Vec::new(),
            notes: note::notes(query, &catalogues),
            fields: note::fields(&catalogues),
        };
        if query.view == View::Calculations {
            plan.add_groups(&catalogues);
            plan.add_figures(&catalogues);
        }
        plan
    }

    /// What a reader of the answer should know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The keys that the datasets have.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The keys grouped by, in the order of the result's columns.
    pub fn groups(&self) -> &[GroupColumn] {
        &self.groups
    }

    /// The calculated columns, in the order of the result's columns.
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// The datasets, in the order of the statements about one of them.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.dataset.as_str())
    }

    fn add_groups(&mut self, catalogues: &[Catalogue]) {
        for group in &self.query.group_by {
            let sources: Vec<Vec<Source>> =
                catalogues.iter().map(|known| known.sources(&group.key)).collect();
            let kind = resolve::common_kind(sources.iter().flatten());
            for (table, sources) in self.tables.iter_mut().zip(&sources) {
                table.groups.push(resolve::value(sources, kind));
            }
            self.groups.push(GroupColumn { label: group.key.as_str().to_owned(), kind });
        }
    }

    fn add_figures(&mut self, catalogues: &[Catalogue]) {
        let mut known: Vec<(&str, bool)> = Vec::new();
        let query = self.query;
        for calculation in &query.calculations {
            let input = calculation.key.as_ref().map(|key| {
                // Distinct values are counted whatever they are; everything else wants numbers.
                let wanted = (key.as_str(), calculation.operator == Operator::CountDistinct);
                known.iter().position(|input| *input == wanted).unwrap_or_else(|| {
                    known.push(wanted);
                    self.add_input(calculation, catalogues);
                    known.len() - 1
                })
            });
            self.figures.push(Figure { label: calculation.label(), operator: calculation.operator, input });
        }
    }

    fn add_input(&mut self, calculation: &Calculation, catalogues: &[Catalogue]) {
        let Some(key) = &calculation.key else { return };
        let sources: Vec<Vec<Source>> = catalogues.iter().map(|known| known.sources(key)).collect();
        let distinct = calculation.operator == Operator::CountDistinct;
        let kind = if distinct { resolve::common_kind(sources.iter().flatten()) } else { ColumnKind::Float };
        for (table, sources) in self.tables.iter_mut().zip(&sources) {
            table.inputs.push(if distinct {
                resolve::value(sources, kind)
            } else {
                resolve::number(sources)
            });
        }
        self.inputs.push(kind);
    }

    /// The figure that the groups are ordered by: the first one unless said otherwise.
    fn order(&self) -> (usize, Order) {
        match &self.query.order_by {
            Some(order_by) => (self.query.ordered_calculation(&order_by.value).unwrap_or(0), order_by.order),
            None => (0, Order::Descending),
        }
    }
}

impl TablePlan {
    fn new(query: &Query, catalogue: &Catalogue) -> Self {
        let needle = query.needle.as_ref().map(|needle| condition::needle(needle, catalogue));
        let filter = condition::filter(&query.filter, catalogue);
        let rows: Vec<Expr> = [Some(filter), needle].into_iter().flatten().collect();
        Self {
            dataset: catalogue.dataset.to_owned(),
            filter: Expr::All(rows.into_iter().filter(|expr| *expr != Expr::All(Vec::new())).collect()),
            groups: Vec::new(),
            inputs: Vec::new(),
        }
    }
}
