//! GitLab CI: a child pipeline. The plan comes as an artifact of the job `kata-ci-plan` of the
//! parent; the results of all shards go to the merge as artifacts.

use super::{EmitOptions, MERGE};
use crate::plan::PlanFile;

/// Returns the YAML of the child pipeline.
pub(super) fn emit(plan: &PlanFile, options: &EmitOptions) -> String {
    let shards: Vec<_> = (plan.filled().iter())
        .map(|shard| format!("\"{}\"", shard.index))
        .collect();
    let retries = options.attempts.saturating_sub(1).min(2);
    format!(
        r#"# Plan {id}, made by kata-ci. The parent pipeline's job kata-ci-plan has {plan} as an artifact,
# and triggers this file with `trigger: {{ include: [{{ artifact: …, job: kata-ci-plan }}], strategy: depend }}`
# and `variables: {{ PARENT_PIPELINE_ID: $CI_PIPELINE_ID }}`.
stages: [shards, merge]

shard:
  stage: shards
  needs:
    - pipeline: $PARENT_PIPELINE_ID
      job: kata-ci-plan
  parallel:
    matrix:
      - KATACI_SHARD: [{shards}]
  script:
    - kata-ci run --plan {plan} --report-dir results
  retry:
    max: {retries}
    exit_codes: [75]
    when: [runner_system_failure, stuck_or_timeout_failure]
  artifacts:
    when: always
    paths: [results/]

{MERGE}:
  stage: merge
  when: always
  needs:
    - job: shard
      artifacts: true
    - pipeline: $PARENT_PIPELINE_ID
      job: kata-ci-plan
  script:
    - mkdir -p results
    - kata-ci report merge --plan {plan} results -o junit.xml
  artifacts:
    when: always
    paths: [junit.xml]
    reports:
      junit: junit.xml
"#,
        id = plan.plan_id,
        plan = options.plan,
        shards = shards.join(", "),
    )
}
