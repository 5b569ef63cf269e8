use super::*;
use crate::model::JobId;
use crate::plan::{PlanContent, PlanFile, PlannedJob, Shard};

fn plan(shards: usize) -> PlanFile {
    let shard = |index: usize| Shard {
        index,
        estimate: 90.0,
        jobs: vec![PlannedJob {
            id: JobId::new(&format!("c{index}"), "test"),
            estimate: Some(90.0),
            part: None,
        }],
    };
    let mut shards: Vec<_> = (0..shards).map(shard).collect();
    shards.push(Shard {
        index: shards.len(),
        estimate: 0.0,
        jobs: Vec::new(),
    });
    PlanFile::new(PlanContent {
        name: "kata-v1".to_owned(),
        shards,
        ..PlanContent::default()
    })
    .unwrap()
}

fn options() -> EmitOptions {
    EmitOptions {
        plan: "plan.json".to_owned(),
        workspace: "/srv/kata containers".into(),
        image: "registry.example.com/kata-ci:1".to_owned(),
        runtime_class: "kata".to_owned(),
        claim: "kata-ci-results".to_owned(),
        attempts: 3,
    }
}

const ALL: [(Engine, &str); 7] = [
    (Engine::GitHub, "github"),
    (Engine::GitLab, "gitlab"),
    (Engine::Jenkins, "jenkins"),
    (Engine::Slurm, "slurm"),
    (Engine::Buildbot, "buildbot"),
    (Engine::Kubernetes, "kubernetes"),
    (Engine::Zuul, "zuul"),
];

#[test]
fn each_engine_gets_the_plan_in_its_own_words() {
    for (engine, name) in ALL {
        let text = emit(engine, &plan(2), &options()).unwrap();
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn the_merge_has_one_name_and_shards_without_jobs_are_left_out() {
    for (engine, name) in ALL {
        let text = emit(engine, &plan(3), &options()).unwrap();
        // GitHub's own file has the merge.
        assert!(engine == Engine::GitHub || text.contains(MERGE), "{name}");
        assert!(
            !text.contains("shard-3") && !text.contains("\"3\""),
            "{name}"
        );
    }
}

#[test]
fn what_an_engine_does_not_take_is_refused() {
    for (engine, name) in ALL {
        let refusal = emit(engine, &plan(0), &options());
        assert_eq!(refusal, Err(EmitError::Empty), "{name}");
    }
    let most = |engine, count| emit(engine, &plan(count), &options()).is_ok();
    assert!(most(Engine::GitHub, 256) && !most(Engine::GitHub, 257));
    assert!(most(Engine::GitLab, 200) && !most(Engine::GitLab, 201));
    assert!(most(Engine::Slurm, 1000) && !most(Engine::Slurm, 1001));
    let github = emit(Engine::GitHub, &plan(256), &options()).unwrap();
    assert_eq!(github.lines().count(), 1);
    let large = emit(Engine::Kubernetes, &plan(9000), &options()).unwrap_err();
    assert!(
        large.to_string().contains("a ConfigMap holds at most"),
        "{large}"
    );
}
