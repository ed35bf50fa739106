//! DataFusion as we want it: memory with a bound, filters inside the scan, nothing that is kept from query to query
//! except what the store shares.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use query::RunError;

use super::{arithmetic, bucket, failed, overflow, pattern, percentile};
use crate::store::Snapshot;

/// Memory that all queries of one process share for sorting and grouping; past it they spill to disk or fail with a
/// clear error. Leaves the rest of a 1 GB process to scans and results.
pub(super) const MEMORY_BYTES_MAX: usize = 512 << 20;

/// How deep a statement may be nested. Ours are as deep as the query's filter (bounded by its checks) and the balanced
/// trees of long conditions; the parser's own bound of 50 is meant for text of strangers.
const RECURSION_MAX: usize = 200;

/// What queries share.
pub(super) fn runtime() -> Arc<RuntimeEnv> {
    let pool = Arc::new(FairSpillPool::new(MEMORY_BYTES_MAX));
    // Only a temporary directory could fail here, and none is made before something spills.
    let bounded = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc();
    bounded.unwrap_or_else(|_| Arc::new(RuntimeEnv::default()))
}

/// A session that knows these datasets by their names.
pub(super) fn context(runtime: &Arc<RuntimeEnv>, snapshots: &[Snapshot]) -> Result<SessionContext, RunError> {
    let context = empty(runtime)?;
    for snapshot in snapshots {
        register(&context, snapshot, snapshot.provider.clone())?;
    }
    Ok(context)
}

/// The same, and each row tells where it stands.
pub(super) fn placed(runtime: &Arc<RuntimeEnv>, snapshots: &[Snapshot]) -> Result<SessionContext, RunError> {
    let context = empty(runtime)?;
    for snapshot in snapshots {
        register(&context, snapshot, Arc::new(snapshot.scan.with_places()))?;
    }
    Ok(context)
}

fn register(
    context: &SessionContext,
    snapshot: &Snapshot,
    provider: Arc<dyn TableProvider>,
) -> Result<(), RunError> {
    let name = TableReference::bare(snapshot.dataset.as_str());
    context.register_table(name, provider).map(drop).map_err(failed)
}

fn empty(runtime: &Arc<RuntimeEnv>) -> Result<SessionContext, RunError> {
    let partitions = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_information_schema(false);
    let options = config.options_mut();
    // Only the columns of rows that pass the filter are decoded, the most selective condition first.
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    let recursion = RECURSION_MAX.to_string();
    options.set("datafusion.sql_parser.recursion_limit", &recursion).map_err(failed)?;
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime.clone())
        .build();
    let context = SessionContext::new_with_state(state);
    overflow::functions().for_each(|function| context.register_udf(function));
    arithmetic::functions().into_iter().for_each(|function| context.register_udf(function));
    context.register_udf(pattern::function());
    context.register_udf(bucket::function());
    context.register_udaf(percentile::function());
    Ok(context)
}
