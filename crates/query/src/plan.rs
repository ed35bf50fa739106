//! A query against the datasets' columns: which rows count, what is worked out of them, and the SQL statements that
//! answer it. The store makes one per query and runs its statements.

mod resolve;
mod arithmetic;
mod condition;
mod figure;
mod frame;
mod statement;
mod whole;
mod note;
mod need;

pub use figure::{FigureColumn, Roll};
pub use resolve::Table;
pub use statement::{GroupValue, Members};
pub use whole::HEAD_COLUMNS;

use figure::Figures;
use frame::Frame;
use resolve::{Catalogue, Source};
use whole::Sheet;

use crate::answer::Field;
use crate::ast::{Query, View};
use crate::column::ColumnKind;
use crate::sql::Expr;

/// A query resolved against its datasets.
#[derive(Debug, Clone)]
pub struct Plan<'q> {
    query: &'q Query,
    frame: Frame,
    tables: Vec<TablePlan>,
    groups: Vec<GroupColumn>,
    figures: Figures,
    /// What is put together for each row, where rows are wholes.
    wholes: Option<Sheet>,
    /// The table that has what is needed of each event; none: that is read from the datasets.
    kept: Option<&'static str>,
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
    /// For how many events each one stands; none if each stands for itself.
    weight: Option<Expr>,
}

/// A key that is grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupColumn {
    /// The key as written.
    pub label: String,
    /// What its values are in the result.
    pub kind: ColumnKind,
}

impl<'q> Plan<'q> {
    /// Resolves a checked query; `tables` are the datasets that it names, in its order.
    pub fn new(query: &'q Query, tables: &[Table]) -> Self {
        let catalogues: Vec<Catalogue> =
            tables.iter().map(|table| Catalogue::new(*table, &query.derived)).collect();
        let mut plan = Self {
            query,
            frame: Frame::of(query),
            tables: catalogues.iter().map(|catalogue| TablePlan::new(query, catalogue)).collect(),
            groups: Vec::new(),
            figures: Figures::default(),
            wholes: query.view.whole().map(|whole| Sheet::new(whole, &catalogues)),
            kept: None,
            notes: note::notes(query, &catalogues),
            fields: note::fields(&catalogues),
        };
        if query.view == View::Calculations && query.heatmap.is_none() {
            plan.add_groups(&catalogues);
            plan.figures = Figures::new(query, &catalogues, &mut plan.tables);
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

    /// The figures of the answer and their columns in the result.
    pub fn figures(&self) -> Vec<FigureColumn> {
        self.figures.columns().collect()
    }

    /// The same of the earlier time that the query's is compared with; none if it is compared with none.
    #[must_use]
    pub fn earlier(&self) -> Option<Self> {
        let frame = self.frame.earlier(self.query.compare_ms?);
        Some(Self { frame, kept: None, ..self.clone() })
    }

    /// The same plan where a table has the rows of [`Plan::each_event`].
    #[must_use]
    pub fn over(&self, table: &'static str) -> Self {
        Self { kept: Some(table), ..self.clone() }
    }

    /// Whether groups are asked for by more than one statement: by buckets too, or with the others beside them.
    pub fn has_several_statements(&self) -> bool {
        self.query.granularity_ms.is_some() || self.query.others
    }

    /// When a bucket of the series begins, milliseconds since the epoch.
    pub fn bucket_start_ms(&self, bucket: i64) -> i64 {
        self.frame.bucket_start_ms(bucket)
    }

    /// Whether some of the events stand for several, and figures are corrected by that.
    pub fn is_sampled(&self) -> bool {
        self.figures.weighted
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
            weight: None,
        }
    }
}
