//! The calculations view: figures per group, and per group and bucket; of the groups that are not shown, together; and
//! of the same groups some time earlier.

mod kept;
mod row;
mod summed;

use std::collections::{BTreeMap, HashMap};

use query::plan::Members;
use query::{
    Aggregate, Answer, Bucket, Calculation, Figures, GroupFigures, GroupValue, Groups, Operator, Plan, Query,
    RunError,
};

use serde_json::Value;

use super::execute::Execution;
use super::percentile::{EXACT_VALUES_MAX, SKETCH_ERROR};
use kept::kept;
use row::{GroupId, Row, read};
use summed::Summed;

/// Rows of a series (buckets by groups): an answer is held in memory and sent in one piece.
const SERIES_ROWS_MAX: u64 = 200_000;

/// Tables of events that were kept. No dataset is called like these.
const KEPT: &str = "$kept";
const KEPT_EARLIER: &str = "$kept_earlier";

/// What the events of a group say, beside its figures.
const EVENTS: [&str; 3] = ["n", "t_first", "t_last"];

pub(super) async fn answer(
    query: &Query,
    plan: &Plan<'_>,
    execution: &mut Execution,
) -> Result<Answer, RunError> {
    let mut answer = match Summed::read(plan, execution).await? {
        Some(summed) => of_summed(summed, plan, execution).await?,
        None => of_groups(query, plan, execution).await?,
    };
    // Of all that is in the answer, the others and the earlier time among it.
    answer.notes.extend(estimates(query, &answer.aggregates));
    answer.notes.extend(corrected(plan, &answer.aggregates));
    Ok(answer)
}

/// All events are one group, and everything of a time is known already.
async fn of_summed(summed: Summed, plan: &Plan<'_>, execution: &mut Execution) -> Result<Answer, RunError> {
    let mut aggregate = summed.whole.aggregate(plan);
    let mut answer = Answer { series: summed.series(plan), ..Answer::default() };
    if let Some(earlier) = plan.earlier() {
        let row = match Summed::read(&earlier, execution).await? {
            Some(before) => {
                let row = before.whole.aggregate(&earlier);
                answer.previous = before.series(&earlier);
                Some(row)
            }
            // Of no events there are figures, too.
            None => {
                let batches =
                    execution.run(&earlier.aggregates(execution.dialect(), Members::All), 1).await?;
                read(&earlier, &batches, &EVENTS)?.first().map(|row| row.aggregate(&earlier))
            }
        };
        aggregate.previous = row.map(|row| row.values);
    }
    answer.aggregates.push(aggregate);
    Ok(answer)
}

/// The groups first, then the buckets of those that are shown.
async fn of_groups(query: &Query, plan: &Plan<'_>, execution: &mut Execution) -> Result<Answer, RunError> {
    let mut answer = Answer::default();
    let plan = &kept(plan, KEPT, execution).await?;
    let rows_max = query.limit.saturating_add(1);
    let batches = execution.run(&plan.aggregates(execution.dialect(), Members::All), rows_max).await?;
    let mut shown = read(plan, &batches, &EVENTS)?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let more = shown.len() > limit;
    shown.truncate(limit);
    if more && !query.others {
        answer.notes.push(format!("there are more than {limit} groups; LIMIT shows more of them"));
    }
    let groups: Vec<Vec<GroupValue>> = shown.iter().map(|row| row.group.clone()).collect();
    let chosen = more || query.having.is_some();
    let shown = Shown { rows: shown, groups, all: !chosen, others: query.others && chosen };
    if shown.rows.is_empty() {
        return Ok(answer);
    }
    answer.aggregates = shown.aggregates(plan, execution).await?;
    answer.series = shown.series(plan, shown.members(), execution).await?;
    if let Some(earlier) = plan.earlier() {
        let earlier = kept(&earlier, KEPT_EARLIER, execution).await?;
        shown.compare(&earlier, &mut answer.aggregates, execution).await?;
        answer.previous = shown.series(&earlier, shown.earlier_members(&earlier), execution).await?;
    }
    Ok(answer)
}

/// Which figures of large groups are not exact.
fn estimates(query: &Query, aggregates: &[Aggregate]) -> Option<String> {
    let figures = aggregates.iter().flat_map(|row| [Some(&row.values), row.previous.as_ref()]).flatten();
    let large = figures.map(stored).max().is_some_and(|count| count > EXACT_VALUES_MAX as u64);
    let percentile = |calculation: &&Calculation| {
        matches!(calculation.operator, Operator::Median | Operator::Percentile(_))
    };
    let first = query.calculations.iter().find(percentile).filter(|_| large)?;
    Some(format!(
        "{} is an estimate where a group has more than {EXACT_VALUES_MAX} values: within {} % (DDSketch)",
        first.label(),
        SKETCH_ERROR * 100.0
    ))
}

/// That stored events may stand for more than themselves.
fn corrected(plan: &Plan<'_>, aggregates: &[Aggregate]) -> Option<String> {
    let stored: u64 = aggregates.iter().map(|row| stored(&row.values)).sum();
    (plan.is_sampled() && stored > 0).then(|| {
        format!(
            "events may be samples: counts, sums, means and percentiles are corrected by \
             $limelight.samplingInterval; what is shown is of {stored} stored events"
        )
    })
}

/// How many events a row's figures are of.
fn stored(figures: &Figures) -> u64 {
    figures.get("_count").and_then(Value::as_u64).unwrap_or(0)
}

/// The groups of an answer.
struct Shown {
    rows: Vec<Row>,
    /// Their values, in the same order.
    groups: Vec<Vec<GroupValue>>,
    /// Whether there are no other groups.
    all: bool,
    /// Whether the others are shown too, as one.
    others: bool,
}

impl Shown {
    fn members(&self) -> Members<'_> {
        if self.all { Members::All } else { Members::These(&self.groups) }
    }

    /// The same groups at an earlier time, which may have had more of them. A group that is new now is looked for all
    /// the same: among these, not among the first of then.
    fn earlier_members(&self, earlier: &Plan<'_>) -> Members<'_> {
        if earlier.groups().is_empty() { Members::All } else { Members::These(&self.groups) }
    }

    /// One row per group, then the others.
    async fn aggregates(
        &self,
        plan: &Plan<'_>,
        execution: &mut Execution,
    ) -> Result<Vec<Aggregate>, RunError> {
        let mut aggregates: Vec<Aggregate> = self.rows.iter().map(|row| row.aggregate(plan)).collect();
        if self.others {
            aggregates.extend(self.other(plan, execution).await?);
        }
        Ok(aggregates)
    }

    async fn other(&self, plan: &Plan<'_>, execution: &mut Execution) -> Result<Option<Aggregate>, RunError> {
        let sql = plan.aggregates(execution.dialect(), Members::Others(&self.groups));
        let batches = execution.run(&sql, 1).await?;
        // Taken together, no events are a row too; there are no other groups then.
        let row = read(plan, &batches, &EVENTS)?.into_iter().find(|row| row.count() > 0);
        Ok(row.map(|row| Aggregate { groups: Groups::new(), others: true, ..row.aggregate(plan) }))
    }

    /// Puts beside each group its figures of an earlier time.
    async fn compare(
        &self,
        earlier: &Plan<'_>,
        aggregates: &mut [Aggregate],
        execution: &mut Execution,
    ) -> Result<(), RunError> {
        let sql = earlier.aggregates(execution.dialect(), self.earlier_members(earlier));
        let batches = execution.run(&sql, self.rows.len() as u64 + 1).await?;
        let before = read(earlier, &batches, &EVENTS)?;
        let before: HashMap<GroupId, &Row> = before.iter().map(|row| (row.id(), row)).collect();
        for (row, aggregate) in self.rows.iter().zip(aggregates.iter_mut()) {
            aggregate.previous = before.get(&row.id()).map(|row| row.aggregate(earlier).values);
        }
        if let Some(others) = aggregates.iter_mut().find(|aggregate| aggregate.others) {
            others.previous = self.other(earlier, execution).await?.map(|before| before.values);
        }
        Ok(())
    }

    /// Buckets in the order of time, the groups in each in the order of the aggregates.
    async fn series(
        &self,
        plan: &Plan<'_>,
        members: Members<'_>,
        execution: &mut Execution,
    ) -> Result<Vec<Bucket>, RunError> {
        let places = self.rows.iter().enumerate().map(|(place, row)| (row.id(), place));
        let places: HashMap<GroupId, usize> = places.collect();
        let mut buckets: BTreeMap<i64, Vec<(usize, GroupFigures)>> = BTreeMap::new();
        for row in self.buckets(plan, members, execution).await? {
            // What an earlier time alone has is not shown.
            let Some(place) = places.get(&row.id()) else { continue };
            buckets.entry(row.bucket()).or_default().push((*place, row.in_bucket(plan)));
        }
        if self.others {
            for row in self.buckets(plan, Members::Others(&self.groups), execution).await? {
                buckets.entry(row.bucket()).or_default().push((self.rows.len(), row.in_bucket(plan)));
            }
        }
        let bucket = |(number, mut data): (i64, Vec<(usize, GroupFigures)>)| {
            data.sort_by_key(|(place, _)| *place);
            let time = plan.bucket_start_ms(number);
            Bucket { time, data: data.into_iter().map(|(_, figures)| figures).collect() }
        };
        Ok(buckets.into_iter().map(bucket).collect())
    }

    async fn buckets(
        &self,
        plan: &Plan<'_>,
        members: Members<'_>,
        execution: &mut Execution,
    ) -> Result<Vec<Row>, RunError> {
        let Some(sql) = plan.series(execution.dialect(), members, SERIES_ROWS_MAX + 1) else {
            return Ok(Vec::new());
        };
        read(plan, &execution.run(&sql, SERIES_ROWS_MAX).await?, &["n", "b"])
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn an_estimate_among_the_others_or_of_an_earlier_time_is_told_too() {
        let query = query::parse_text("P99(d) FROM logs GROUP BY k", Timestamp::EPOCH).unwrap();
        let figures = |count: usize| Figures::from_iter([("_count".to_owned(), Value::from(count))]);
        let small = Aggregate { values: figures(EXACT_VALUES_MAX), ..Aggregate::default() };
        assert_eq!(estimates(&query, std::slice::from_ref(&small)), None);
        let others =
            Aggregate { values: figures(EXACT_VALUES_MAX + 1), others: true, ..Aggregate::default() };
        assert!(estimates(&query, &[small.clone(), others]).is_some());
        let before = Aggregate { previous: Some(figures(EXACT_VALUES_MAX + 1)), ..small };
        assert!(estimates(&query, &[before]).is_some());
    }
}
