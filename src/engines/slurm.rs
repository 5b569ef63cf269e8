//! Slurm: an array with a task for each shard, and a job that merges when all tasks are over. The
//! plan, the workspace and the results lie in directories that all nodes share.

use std::path::Path;

use super::{EmitOptions, MERGE};
use crate::plan::PlanFile;
use crate::probe::quoted;

/// The mark at the end of the plan in the script. No line of a plan is this.
const END: &str = "KATA_CI_PLAN";

/// Returns a script for a shell where sbatch is.
pub(super) fn emit(plan: &PlanFile, options: &EmitOptions) -> String {
    let content = plan.to_bytes();
    let scripts = Scripts {
        program: Path::new("kata-ci"),
        workspace: &options.workspace,
        results: "\"$results\"".to_owned(),
        attempts: options.attempts,
    };
    format!(
        r#"#!/bin/sh
# Plan {id}, made by kata-ci: submits {count} shards to Slurm, and prints the numbers of the array and of the merge.
# Usage: sh THIS [DIRECTORY]    a directory for plan and results that all nodes share
#                               [default: kata-ci-{short} in the current directory]
set -eu
export results=${{1:-$PWD/kata-ci-{short}}}
mkdir -p "$results/results"
cat >"$results/plan.json" <<'{END}'
{content}{END}
array=$(sbatch --parsable --job-name=kata-ci-shards --array=0-{last} --requeue --open-mode=append --export=ALL \
	--output="$results/shard-%a.out" <<'{END}'
{shard}{END}
)
merge=$(sbatch --parsable --job-name={MERGE} --dependency="afterany:$array" --export=ALL \
	--output="$results/merge.out" <<'{END}'
{merge}{END}
)
echo "$array $merge"
"#,
        id = plan.plan_id,
        short = plan.short_id(),
        count = plan.filled().len(),
        last = plan.filled().len().saturating_sub(1),
        content = String::from_utf8_lossy(&content),
        shard = scripts.shard(),
        merge = scripts.merge(),
    )
}

/// The programs and places of the scripts, as a shell reads them.
pub(super) struct Scripts<'a> {
    /// The program.
    pub program: &'a Path,
    /// The workspace.
    pub workspace: &'a Path,
    /// The directory of plan and results.
    pub results: String,
    /// The most attempts of a shard.
    pub attempts: u32,
}

impl Scripts<'_> {
    /// Returns the script of a task of the array.
    pub(super) fn shard(&self) -> String {
        let Self {
            results, attempts, ..
        } = self;
        format!(
            "#!/bin/sh\nexec {} run -C {} --plan {results}/plan.json --attempts {attempts} --report-dir {results}/results\n",
            quoted(self.program),
            quoted(self.workspace),
        )
    }

    /// Returns the script of the merge.
    pub(super) fn merge(&self) -> String {
        let results = &self.results;
        format!(
            "#!/bin/sh\nexec {} report merge --plan {results}/plan.json {results}/results -o {results}/junit.xml\n",
            quoted(self.program),
        )
    }
}
