//! GitHub Actions: one line for `$GITHUB_OUTPUT`, from which a job takes its matrix.

use serde_json::json;

use crate::plan::PlanFile;

/// Returns the line. The names have no number of shards, so that they stay the same.
pub(super) fn emit(plan: &PlanFile) -> String {
    let shards = plan.filled().iter();
    let include: Vec<_> = shards
        .map(|shard| {
            json!({
                "shard": shard.index,
                "minutes": minutes(shard.estimate),
            })
        })
        .collect();
    format!("matrix={}\n", json!({ "include": include }))
}

/// Returns the whole minutes that a shard takes, rounded up.
fn minutes(seconds: f64) -> u64 {
    (seconds / 60.0).ceil() as u64
}
