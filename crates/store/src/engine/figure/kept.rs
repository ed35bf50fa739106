//! What is needed of each event, read once for all statements of a query where the events are few: the figures of groups
//! and those of their buckets do not follow from each other, and each statement would look for the same events again.

use query::{Plan, RunError};

use crate::engine::execute::{Execution, Keep};

/// More events are read again by each statement. Finding out that there are more costs so many of them, a tenth of what
/// is read of a million. In tests few, so that both ways are taken there.
const EVENTS_MAX: u64 = if cfg!(test) { 12 } else { 65_536 };
/// Bytes in memory of what is kept; an event may be grouped by long texts.
const BYTES_MAX: usize = 32 << 20;

/// The plan over a table with its events, if it has several statements and few events; else the plan as it is. `table` is
/// a name that no dataset has.
pub(super) async fn kept<'q>(
    plan: &Plan<'q>,
    table: &'static str,
    execution: &mut Execution,
) -> Result<Plan<'q>, RunError> {
    // Whoever else runs the statements does not see our memory.
    if execution.is_elsewhere() || !plan.has_several_statements() {
        return Ok(plan.clone());
    }
    let sql = plan.each_event(execution.dialect(), EVENTS_MAX + 1);
    let keep = Keep { table, rows_max: EVENTS_MAX, bytes_max: BYTES_MAX };
    Ok(if execution.keep(&sql, &keep).await? { plan.over(table) } else { plan.clone() })
}
