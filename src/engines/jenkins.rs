//! Jenkins: a script for the step `load`, which runs the shards in parallel on agents with the
//! label `kata-ci`. The plan is stashed as `kata-ci-plan` before; each shard stashes its results.

use super::{EmitOptions, MERGE};
use crate::plan::PlanFile;

/// Returns the Groovy script.
pub(super) fn emit(plan: &PlanFile, options: &EmitOptions) -> String {
    format!(
        r#"// Plan {id}, made by kata-ci. A Jenkinsfile stashes {plan} as kata-ci-plan, and loads this.
def shards = [:]
for (int i = 0; i < {count}; i++) {{
    def shard = i
    shards["shard ${{shard}}"] = {{
        // An agent that is lost is no failure of the tests.
        retry(count: {attempts}, conditions: [agent(), nonresumable()]) {{
            node('kata-ci') {{
                checkout scm
                unstash 'kata-ci-plan'
                int code = 75
                // A directory for all attempts: a shard that is worth another try ends with 75.
                while (code == 75) {{
                    code = sh(returnStatus: true, script: "kata-ci run --plan '{plan}' --shard ${{shard}} --attempts {attempts} --report-dir results")
                }}
                stash name: "kata-ci-results-${{shard}}", includes: 'results/**', allowEmpty: true
            }}
        }}
    }}
}}
stage('shards') {{
    catchError(buildResult: 'SUCCESS', stageResult: 'UNSTABLE') {{
        parallel shards
    }}
}}
stage('{MERGE}') {{
    node('kata-ci') {{
        unstash 'kata-ci-plan'
        sh 'rm -rf results && mkdir results'
        for (int i = 0; i < {count}; i++) {{
            def shard = i
            // What is missing is an error for each of its jobs.
            catchError(buildResult: 'SUCCESS', stageResult: 'SUCCESS') {{
                unstash "kata-ci-results-${{shard}}"
            }}
        }}
        try {{
            sh "kata-ci report merge --plan '{plan}' results -o junit.xml"
        }} finally {{
            junit 'junit.xml'
        }}
    }}
}}
"#,
        id = plan.plan_id,
        plan = options.plan,
        count = plan.filled().len(),
        attempts = options.attempts,
    )
}
