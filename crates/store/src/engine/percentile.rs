//! The percentile of floats as an aggregate of DataFusion: `percentile_of(value, fraction)`, and with a third argument
//! each value counted as often as its weight says. DataFusion's own keeps every value whatever their number, knows no
//! weights, and interpolates in millionths.

mod quantile;
mod sketch;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, ListArray, ListBuilder,
};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, TypeSignature,
    Volatility,
};
use datafusion::physical_expr::expressions::Literal;
use query::sql::PERCENTILE;

use quantile::Quantile;
pub(super) use quantile::{EXACT_VALUES_MAX, SKETCH_ERROR};

/// The aggregate, to be registered in a session.
pub(super) fn function() -> AggregateUDF {
    let floats = |count| TypeSignature::Exact(vec![DataType::Float64; count]);
    let signature = Signature::one_of(vec![floats(2), floats(3)], Volatility::Immutable);
    AggregateUDF::from(Percentile { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    signature: Signature,
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        PERCENTILE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let floats = DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
        let field = |name, data_type| Arc::new(Field::new(format!("{PERCENTILE}_{name}"), data_type, true));
        Ok(vec![
            field("values", floats.clone()),
            field("weights", floats),
            field("sketched", DataType::Boolean),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One(Groups::new(&args)?)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(&args)?))
    }
}

/// The values of each group.
#[derive(Debug)]
struct Groups {
    fraction: f64,
    groups: Vec<Quantile>,
    /// Bytes that the groups hold; kept up as they grow, because it is asked for after every batch.
    bytes: usize,
}

impl Groups {
    fn new(args: &AccumulatorArgs) -> Result<Self> {
        let fraction = args.exprs.get(1).and_then(|expr| expr.downcast_ref::<Literal>());
        match fraction.map(Literal::value) {
            Some(ScalarValue::Float64(Some(fraction))) if (0.0..=1.0).contains(fraction) => {
                Ok(Self { fraction: *fraction, groups: Vec::new(), bytes: 0 })
            }
            _ => Err(exec_datafusion_err!("{PERCENTILE} wants a constant fraction from 0 to 1")),
        }
    }

    fn grow(&mut self, total: usize) {
        self.groups.resize_with(total, Quantile::default);
    }

    fn change(&mut self, group: usize, change: impl FnOnce(&mut Quantile)) {
        if let Some(quantile) = self.groups.get_mut(group) {
            let before = quantile.bytes();
            change(quantile);
            self.bytes = (self.bytes + quantile.bytes()).saturating_sub(before);
        }
    }

    fn take(&mut self, emit: EmitTo) -> Vec<Quantile> {
        let taken = emit.take_needed(&mut self.groups);
        self.bytes = self.groups.iter().map(Quantile::bytes).sum();
        taken
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let rows = Rows::of(values, filter)?;
        for (row, group) in group_indices.iter().enumerate() {
            if let Some((value, weight)) = rows.get(row) {
                self.change(*group, |quantile| quantile.add(value, weight));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let [values, weights, sketched] = states else {
            return Err(exec_datafusion_err!("{PERCENTILE} has a state of three parts"));
        };
        let (values, weights) = (values.as_list::<i32>(), weights.as_list::<i32>());
        let sketched = sketched.as_boolean();
        for (row, group) in group_indices.iter().enumerate() {
            if values.is_null(row) {
                continue;
            }
            let (values, weights) = (values.value(row), weights.value(row));
            let floats = |array: &ArrayRef| array.as_primitive::<Float64Type>().values().to_vec();
            let other = (floats(&values), floats(&weights), sketched.value(row));
            self.change(*group, |quantile| quantile.merge(&other.0, &other.1, other.2));
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let fraction = self.fraction;
        let figures = self.take(emit).into_iter().map(|quantile| quantile.at(fraction));
        Ok(Arc::new(figures.collect::<Float64Array>()))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(states(self.take(emit).iter()))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = Rows::of(values, filter)?;
        let single = (0..rows.values.len()).map(|row| {
            let mut quantile = Quantile::default();
            if let Some((value, weight)) = rows.get(row) {
                quantile.add(value, weight);
            }
            quantile
        });
        Ok(states(single.collect::<Vec<_>>().iter()))
    }

    fn size(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Quantile>()
    }
}

/// The groups' states: values, weights (none where each value counts once), whether the values are a sketch's.
fn states<'q>(groups: impl Iterator<Item = &'q Quantile>) -> Vec<ArrayRef> {
    let mut values = ListBuilder::new(Float64Builder::new());
    let mut weights = ListBuilder::new(Float64Builder::new());
    let mut sketched = Vec::new();
    for group in groups {
        let (of_group, their_weights) = group.points();
        values.append_value(of_group.into_iter().map(Some));
        weights.append_value(their_weights.into_iter().map(Some));
        sketched.push(group.is_sketched());
    }
    let list = |list: ListArray| Arc::new(list) as ArrayRef;
    vec![list(values.finish()), list(weights.finish()), Arc::new(BooleanArray::from(sketched))]
}

/// A batch's values and weights.
struct Rows<'a> {
    values: &'a Float64Array,
    weights: Option<&'a Float64Array>,
    filter: Option<&'a BooleanArray>,
}

impl<'a> Rows<'a> {
    fn of(arguments: &'a [ArrayRef], filter: Option<&'a BooleanArray>) -> Result<Self> {
        let floats = |at: usize| arguments.get(at).and_then(|array| array.as_primitive_opt::<Float64Type>());
        let values = floats(0).ok_or_else(|| exec_datafusion_err!("{PERCENTILE} wants floats"))?;
        Ok(Self { values, weights: floats(2), filter })
    }

    /// A row's finite value, and how often it counts.
    fn get(&self, row: usize) -> Option<(f64, f64)> {
        let wanted = self.filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let value = (wanted && self.values.is_valid(row)).then(|| self.values.value(row))?;
        let weight = self.weights.map_or(1.0, |weights| weights.value(row));
        (value.is_finite() && weight > 0.0 && weight.is_finite()).then_some((value, weight))
    }
}

/// Without groups all rows are one.
#[derive(Debug)]
struct One(Groups);

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |array| array.len());
        self.0.update_batch(values, &vec![0; rows], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |array| array.len());
        self.0.merge_batch(states, &vec![0; rows], 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.grow(1);
        ScalarValue::try_from_array(&self.0.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.grow(1);
        let states = self.0.state(EmitTo::All)?;
        states.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
