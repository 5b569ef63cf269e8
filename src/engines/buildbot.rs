//! Buildbot: the builds that a `Trigger` starts, each a scheduler with its properties. Its
//! `getSchedulersAndProperties` returns the list `shards`; `merge` is started when they have ended.

use serde_json::json;

use super::MERGE;
use crate::plan::PlanFile;

/// Returns a JSON object.
pub(super) fn emit(plan: &PlanFile) -> String {
    let build = |shard: usize| {
        json!({
            "sched_name": "kata-ci-shard",
            "props_to_set": { "plan_id": plan.plan_id, "shard": shard },
            "unimportant": false,
        })
    };
    let shards: Vec<_> = (plan.filled().iter())
        .map(|shard| build(shard.index))
        .collect();
    let document = json!({
        "plan_id": plan.plan_id,
        "shards": shards,
        "merge": {
            "sched_name": MERGE,
            "props_to_set": { "plan_id": plan.plan_id },
            "unimportant": false,
        },
    });
    format!("{document:#}\n")
}
