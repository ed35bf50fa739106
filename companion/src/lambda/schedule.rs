//! A schedule's event (EventBridge): look after the files, for as long as the invocation has time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::companion::Companion;

pub(super) fn is_event(event: &Value) -> bool {
    event.get("source").and_then(Value::as_str) == Some("aws.events")
        || event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event")
}

/// Half of the time is for beginning steps: the last of them has the other half.
pub(super) async fn handle(companion: &Companion, time_max: Duration) -> Value {
    let upkeep = companion.look_after(time_max / 2).await;
    let answer = json!({
        "compactions": upkeep.compactions,
        "compactedFiles": upkeep.compacted.files,
        "compactedBytes": upkeep.compacted.bytes_after,
        "duplicates": upkeep.compacted.duplicates,
        "retainedFiles": upkeep.retained.files,
        "vacuumedFiles": upkeep.vacuumed.files,
        "vacuumedLogFiles": upkeep.vacuumed.log_files,
        "unfinished": upkeep.unfinished,
        "failures": upkeep.failures,
    });
    tracing::info!(%answer, "looked after the files");
    answer
}
