//! Tests that jobs with long estimates start first.

use crate::support::KataCi;
use crate::support::workspace::{makefiles, write};

const MAKEFILE: &str = "check:\n @echo ran\n.PHONY: check";

#[test]
fn the_longest_job_of_earlier_runs_is_started_first() {
    let place = makefiles(&[("a", MAKEFILE), ("b", MAKEFILE), ("c", MAKEFILE)]);
    let workspace = place.path().canonicalize().expect("its path");
    let state = tempfile::tempdir().expect("a directory");
    let runs = state.path().join("kata-ci/runs");
    let job = |id: &str, seconds: u32| {
        format!(r#"{{"id": "{id}", "outcome": "passed", "seconds": {seconds}}}"#)
    };
    write(
        &runs.join("20200101T000000Z-1/result.json"),
        &format!(
            r#"{{"workspace": "{}", "jobs": [{}, {}, {}]}}"#,
            workspace.display(),
            job("a.check", 1),
            job("b.check", 2),
            job("c.check", 30)
        ),
    );
    let run = KataCi::bare()
        .args(["run", "-s", "check", "-j1", "--format", "json", "-C"])
        .args([place.path()])
        .env("XDG_STATE_HOME", state.path())
        .finish()
        .expect_code(0);
    let events = |kind: &str| -> Vec<serde_json::Value> {
        run.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .filter(|event: &serde_json::Value| event["event"] == kind)
            .collect()
    };
    let started: Vec<_> = events("job-started")
        .iter()
        .map(|event| event["job"].clone())
        .collect();
    assert_eq!(started, ["c.check", "b.check", "a.check"]);
    let queued = events("job-queued");
    assert_eq!(
        (&queued[0]["job"], &queued[0]["estimate"]),
        (&"a.check".into(), &1.0.into())
    );
}
