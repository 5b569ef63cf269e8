//! Zuul: a job for each shard, and the merge that depends on them softly, so that it runs whatever
//! became of them. The parent `kata-ci-shard-base` is in the configuration of the site.

use std::fmt::Write as _;

use super::{EmitOptions, MERGE};
use crate::plan::PlanFile;

/// Returns the YAML of jobs and a project.
pub(super) fn emit(plan: &PlanFile, options: &EmitOptions) -> String {
    let mut text = format!("# Plan {}, made by kata-ci.\n", plan.plan_id);
    let (mut listed, mut needed) = (String::new(), String::new());
    for shard in plan.filled() {
        let index = shard.index;
        let _ = write!(
            text,
            "- job:\n    name: kata-ci-shard-{index}\n    parent: kata-ci-shard-base\n    attempts: {attempts}\n    vars:\n      kata_ci_plan: {plan}\n      kata_ci_shard: {index}\n\n",
            attempts = options.attempts,
            plan = options.plan,
        );
        let _ = writeln!(listed, "        - kata-ci-shard-{index}");
        let _ = writeln!(
            needed,
            "            - name: kata-ci-shard-{index}\n              soft: true"
        );
    }
    let _ = write!(
        text,
        "- job:\n    name: {MERGE}\n    parent: kata-ci-merge-base\n    vars:\n      kata_ci_plan: {plan}\n\n- project:\n    check:\n      jobs:\n{listed}        - {MERGE}:\n            dependencies:\n{needed}",
        plan = options.plan,
    );
    text.replace("            - name:", "              - name:")
        .replace("              soft: true", "                soft: true")
}
