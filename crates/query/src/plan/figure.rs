//! What is worked out of each group: inputs (one per event), calculations (one per group), and formulas over these.
//!
//! Where events carry how many of their kind they stand for (`$limelight.samplingInterval`), counts, sums, means and
//! percentiles count each of them so often.

use super::resolve::{Catalogue, Source, common_kind, number, value};
use super::{TablePlan, arithmetic, condition};
use crate::ast::{Filter, Key, Query};
use crate::calculation::{Calculation, Operator};
use crate::column::ColumnKind;
use crate::formula::Term;
use crate::sql::{Dialect, Expr, write};

/// A figure's place in a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureColumn {
    /// What it is called in the answer.
    pub label: String,
    /// The result's column.
    pub column: String,
}

/// How a figure of a time comes from those of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roll {
    /// They are added.
    Sum,
    /// The least of them.
    Least,
    /// The greatest of them.
    Greatest,
}

/// All that is worked out.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    /// The query's own first, then those that only formulas and conditions need.
    calculations: Vec<Worked>,
    inputs: Vec<Input>,
    formulas: Vec<(String, Expr)>,
    /// Which groups are shown.
    pub(super) having: Option<Expr>,
    shown: usize,
    /// Whether some of the events stand for several.
    pub(super) weighted: bool,
}

#[derive(Debug, Clone)]
struct Worked {
    calculation: Calculation,
    input: Option<usize>,
}

/// One value of each event; calculations may share it.
#[derive(Debug, Clone, PartialEq)]
struct Input {
    key: Option<Key>,
    /// Distinct values are counted whatever they are; everything else wants numbers.
    distinct: bool,
    condition: Option<Filter>,
}

/// The key that says for how many events one stands.
pub(crate) const INTERVAL_KEY: &str = "$limelight.samplingInterval";

impl Figures {
    pub(super) fn new(query: &Query, catalogues: &[Catalogue], tables: &mut [TablePlan]) -> Self {
        let mut figures = Self { shown: query.calculations.len(), ..Self::default() };
        for calculation in &query.calculations {
            figures.add(calculation, catalogues, tables);
        }
        let conditions = query.having.iter().flat_map(|having| having.sides());
        let formulas = query.formulas.iter().map(|formula| &formula.arithmetic);
        for term in formulas.chain(conditions).flat_map(|arithmetic| arithmetic.leaves()) {
            if let Term::Calculated(calculation) = term {
                figures.add_hidden(calculation, catalogues, tables);
            }
        }
        let expression = |formula: &crate::Formula| {
            let expr = arithmetic::expression(&formula.arithmetic, &|term| figures.term(query, term));
            (formula.alias.clone(), expr)
        };
        let formulas = query.formulas.iter().map(expression).collect();
        figures.formulas = formulas;
        let having = |having| arithmetic::having(having, &|term| figures.term(query, term));
        figures.having = query.having.as_ref().map(having);
        figures.weigh(catalogues, tables);
        figures
    }

    /// The figures of the answer.
    pub(super) fn columns(&self) -> impl Iterator<Item = FigureColumn> {
        let column = |prefix, index, label| FigureColumn { label, column: format!("{prefix}{index}") };
        let calculations = self.calculations.iter().take(self.shown).enumerate();
        let formulas = self.formulas.iter().enumerate();
        calculations
            .map(move |(index, worked)| column("c", index, worked.calculation.label()))
            .chain(formulas.map(move |(index, (label, _))| column("r", index, label.clone())))
    }

    /// How each calculation's column of a time comes from those of its parts; none if one does not, or if there is
    /// something to work out of them.
    pub(super) fn rolls(&self) -> Option<Vec<(String, Roll)>> {
        let roll = |(index, worked): (usize, &Worked)| {
            let roll = match worked.calculation.operator {
                Operator::Count | Operator::Sum => Roll::Sum,
                Operator::Min => Roll::Least,
                Operator::Max => Roll::Greatest,
                _ => return None,
            };
            Some((format!("c{index}"), roll))
        };
        if self.has_second_step() { None } else { self.calculations.iter().enumerate().map(roll).collect() }
    }

    pub(super) fn has_percentile(&self) -> bool {
        let percentile = |worked: &Worked| {
            matches!(worked.calculation.operator, Operator::Median | Operator::Percentile(_))
        };
        self.calculations.iter().any(percentile)
    }

    /// Whether there is something to work out of the calculations' figures.
    pub(super) fn has_second_step(&self) -> bool {
        !self.formulas.is_empty() || self.having.is_some()
    }

    /// The calculations as columns of a grouped statement.
    pub(super) fn first_step(&self, dialect: &dyn Dialect) -> Vec<String> {
        let named =
            |(index, worked): (usize, &Worked)| format!("{} AS c{index}", worked.sql(self.weighted, dialect));
        self.calculations.iter().enumerate().map(named).collect()
    }

    /// The calculations and the formulas as columns of a statement around the grouped one.
    pub(super) fn second_step(&self, dialect: &dyn Dialect) -> Vec<String> {
        let calculations = (0..self.calculations.len()).map(|index| format!("c{index}"));
        let formulas = self.formulas.iter().enumerate();
        let formulas = formulas.map(|(index, (_, expr))| format!("{} AS r{index}", write(expr, dialect)));
        calculations.chain(formulas).collect()
    }

    /// The column that a label names, the first one's if there is none.
    pub(super) fn ordered(&self, query: &Query) -> String {
        let wanted = query.order_by.as_ref().map(|order_by| order_by.value.as_str());
        let calculation = wanted.and_then(|wanted| query.ordered_calculation(wanted));
        let formula = wanted.and_then(|wanted| query.formula(wanted));
        match (calculation, formula) {
            (Some(index), _) => format!("c{index}"),
            (None, Some(index)) => format!("r{index}"),
            (None, None) => if self.shown > 0 { "c0" } else { "r0" }.to_owned(),
        }
    }

    fn add(&mut self, calculation: &Calculation, catalogues: &[Catalogue], tables: &mut [TablePlan]) {
        let input = Input {
            key: calculation.key.clone(),
            distinct: calculation.operator == Operator::CountDistinct,
            condition: calculation.condition.clone(),
        };
        let wanted = input.key.is_some() || input.condition.is_some();
        let known = self.inputs.iter().position(|known| *known == input);
        let input = wanted.then(|| {
            known.unwrap_or_else(|| {
                input.add_to(catalogues, tables);
                self.inputs.push(input);
                self.inputs.len() - 1
            })
        });
        self.calculations.push(Worked { calculation: calculation.clone(), input });
    }

    fn add_hidden(&mut self, calculation: &Calculation, catalogues: &[Catalogue], tables: &mut [TablePlan]) {
        if self.place(calculation).is_none() {
            self.add(calculation, catalogues, tables);
        }
    }

    fn place(&self, calculation: &Calculation) -> Option<usize> {
        self.calculations.iter().position(|known| known.calculation.same_as(calculation))
    }

    /// The float that a figure is.
    fn term(&self, query: &Query, term: &Term) -> Expr {
        let calculated = |index| Expr::ToFloat(Box::new(Expr::Inner("c", index)));
        let found = match term {
            Term::Calculated(calculation) => self.place(calculation).map(calculated),
            Term::Named(name) => query.named_calculation(name).map(calculated).or_else(|| {
                let formula = query.formulas.get(query.formula(name)?)?;
                Some(arithmetic::expression(&formula.arithmetic, &|term| self.term(query, term)))
            }),
        };
        // The checks let no other term through.
        found.unwrap_or(Expr::Null(ColumnKind::Float))
    }

    fn weigh(&mut self, catalogues: &[Catalogue], tables: &mut [TablePlan]) {
        let key = Key::new(INTERVAL_KEY);
        for (catalogue, table) in catalogues.iter().zip(tables) {
            if catalogue.has_column(INTERVAL_KEY) {
                let weights = vec![number(&catalogue.sources(&key)), Expr::Float(1.0)];
                table.weight = Some(Expr::First(weights));
                self.weighted = true;
            }
        }
    }
}

impl Input {
    fn add_to(&self, catalogues: &[Catalogue], tables: &mut [TablePlan]) {
        let sources: Vec<Vec<Source>> = match &self.key {
            Some(key) => catalogues.iter().map(|known| known.sources(key)).collect(),
            None => vec![Vec::new(); catalogues.len()],
        };
        let kind = common_kind(sources.iter().flatten());
        for ((catalogue, table), sources) in catalogues.iter().zip(tables).zip(&sources) {
            let whole = match (&self.key, self.distinct) {
                (None, _) => Expr::Int(1),
                (Some(_), true) => value(sources, kind),
                (Some(_), false) => number(sources),
            };
            table.inputs.push(match &self.condition {
                Some(wanted) => Expr::When(Box::new(condition::filter(wanted, catalogue)), Box::new(whole)),
                None => whole,
            });
        }
    }
}

impl Worked {
    fn sql(&self, weighted: bool, dialect: &dyn Dialect) -> String {
        let operator = self.calculation.operator;
        let Some(input) = self.input else {
            return if weighted { "COALESCE(SUM(w), 0)" } else { "COUNT(*)" }.to_owned();
        };
        let value = format!("v{input}");
        let weight = format!("SUM(CASE WHEN {value} IS NOT NULL THEN w END)");
        let percentile = |fraction| dialect.percentile(&value, weighted.then_some("w"), fraction);
        match (operator, weighted) {
            (Operator::Count, false) => format!("COUNT({value})"),
            (Operator::Count, true) => format!("COALESCE({weight}, 0)"),
            (Operator::Sum, true) => format!("SUM({value} * w)"),
            (Operator::Avg, true) => format!("SUM({value} * w) / {weight}"),
            (Operator::Sum, false) => format!("SUM({value})"),
            (Operator::Avg, false) => format!("AVG({value})"),
            (Operator::CountDistinct, _) => dialect.count_distinct(&value),
            (Operator::Min, _) => format!("MIN({value})"),
            (Operator::Max, _) => format!("MAX({value})"),
            (Operator::Stddev, _) => dialect.stddev(&value),
            (Operator::Variance, _) => dialect.variance(&value),
            (Operator::Median, _) => percentile(0.5),
            (Operator::Percentile(thousandths), _) => percentile(f64::from(thousandths) / 1_000.0),
        }
    }
}
