use std::fs::File;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::event::{Event, FORMAT_VERSION, Isolation, Record, RunStarted};

const ALL: Option<u32> = None;

/// A directory of runs, and the workspace they belong to.
struct Runs {
    temporary: TempDir,
    workspace: TempDir,
}

impl Runs {
    fn new() -> Self {
        Self {
            temporary: tempfile::tempdir().unwrap(),
            workspace: tempfile::tempdir().unwrap(),
        }
    }

    fn at(&self, id: &str) -> PathBuf {
        self.temporary.path().join(id)
    }

    /// Adds a finished run of a workspace that no longer exists.
    fn run(&self, id: &str, days: u32) -> PathBuf {
        self.run_of(Path::new("/nonexistent"), id, days, Some("failed"))
    }

    /// Adds a run with this outcome of its job; without one the run has not ended.
    fn run_of(&self, workspace: &Path, id: &str, days: u32, outcome: Option<&str>) -> PathBuf {
        let directory = self.at(id);
        fs::create_dir_all(directory.join("logs")).unwrap();
        fs::write(directory.join("logs/a.test.log"), "output").unwrap();
        let journal = directory.join("events.jsonl");
        fs::write(&journal, started(workspace, id)).unwrap();
        let written = SystemTime::now() - DAY * days - Duration::from_secs(60);
        let file = File::options().append(true).open(&journal).unwrap();
        file.set_modified(written).unwrap();
        if let Some(outcome) = outcome {
            let result = serde_json::json!({
                "workspace": workspace,
                "jobs": [{"id": "a.test", "outcome": outcome, "seconds": 1.0}],
            });
            fs::write(directory.join("result.json"), result.to_string()).unwrap();
        }
        directory
    }

    /// Returns the names that are left, of runs and of others.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.temporary.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn started(workspace: &Path, id: &str) -> String {
    let record = Record {
        v: FORMAT_VERSION,
        seq: 0,
        time: jiff::Timestamp::now(),
        event: Event::RunStarted(RunStarted {
            run_id: id.to_owned(),
            version: "0.1.0".to_owned(),
            pipeline: "makefile".to_owned(),
            workspace: workspace.display().to_string(),
            machine: None,
            revisions: Default::default(),
            components: Vec::new(),
            steps: Vec::new(),
            jobs: Vec::new(),
            fingerprint: None,
            parallel: 1,
            again: String::new(),
            isolation: Isolation::default(),
            since: None,
            rerun_of: None,
            case: None,
            notices: Vec::new(),
            shard: None,
        }),
    };
    serde_json::to_string(&record).unwrap() + "\n"
}

fn id(number: u32) -> String {
    format!("20260503T1000{number:02}Z-1")
}

fn limits(runs: u32, days: u32) -> KeepLimits {
    KeepLimits {
        runs: Some(runs),
        days: Some(days),
    }
}

/// Limits that keep no run.
fn none() -> KeepLimits {
    limits(1, 1)
}

#[test]
fn runs_are_removed_by_number_and_by_age() {
    let runs = Runs::new();
    for number in 0..6 {
        runs.run(&id(number), 0);
    }
    runs.run(&id(6), 40);
    let own = runs.run(&id(7), 0);
    let pruned = prune(&own, limits(4, 30));
    assert_eq!((pruned.old, pruned.many), (1, 4));
    assert_eq!(pruned.errors, [""; 0]);
    assert_eq!(runs.left(), [id(4), id(5), id(7)]);
    assert_eq!(
        pruned.lines(limits(4, 30)),
        [
            "removed 1 earlier run older than 30 days",
            "removed 4 earlier runs: more than 4 were kept"
        ]
    );
    let keep_all = KeepLimits {
        runs: ALL,
        days: ALL,
    };
    let nothing = prune(&own, keep_all);
    assert_eq!(nothing, Pruned::default());
    assert!(nothing.lines(keep_all).is_empty());
}

#[test]
fn what_something_depends_on_stays() {
    let runs = Runs::new();
    let own = runs.run(&id(50), 0);
    runs.run(&id(1), 99);
    // The run that `latest` names, of another kata-ci that ended later.
    runs.run(&id(2), 99);
    symlink(id(2), runs.at("latest")).unwrap();
    // A run that still goes on.
    let going_on = runs.run_of(Path::new("/nonexistent"), &id(3), 99, None);
    let held = lock(&going_on).unwrap();
    // The last run that did not end, and one before it.
    let workspace = runs.workspace.path();
    runs.run_of(workspace, &id(10), 99, None);
    runs.run_of(workspace, &id(11), 99, None);
    // The last five passes, and one before them.
    for number in 19..25 {
        runs.run_of(workspace, &id(number), 99, Some("passed"));
    }
    // The last run, and one before it.
    runs.run_of(workspace, &id(30), 99, Some("failed"));
    runs.run_of(workspace, &id(31), 99, Some("failed"));
    let pruned = prune(&own, none());
    let mut expected: Vec<_> = [2, 3, 11, 20, 21, 22, 23, 24, 31, 50].map(id).to_vec();
    expected.push("latest".to_owned());
    assert_eq!(runs.left(), expected);
    assert_eq!((pruned.old, pruned.errors.len()), (4, 0));
    drop(held);
    prune(&own, none());
    assert!(!going_on.exists());
}

#[test]
fn durations_are_the_same_after_pruning() {
    let runs = Runs::new();
    let workspace = runs.workspace.path();
    for number in 0..30 {
        let outcome = if number % 3 == 0 { "passed" } else { "failed" };
        runs.run_of(workspace, &id(number), number, Some(outcome));
    }
    let own = runs.run_of(workspace, &id(40), 0, Some("failed"));
    let durations = || {
        crate::run::durations::durations(
            &crate::run::store::directories(runs.temporary.path()),
            workspace,
        )
    };
    let before = durations();
    assert_eq!(before.len(), 1);
    assert!(prune(&own, none()).old > 20);
    assert_eq!(durations(), before);
}

#[test]
fn what_is_no_run_is_never_touched() {
    let runs = Runs::new();
    let own = runs.run(&id(50), 0);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "").unwrap();
    // A run with a file of somebody else in it.
    fs::write(runs.run(&id(1), 99).join("notes.txt"), "mine").unwrap();
    // No journal, no complete line, a foreign journal, the journal of another run, a link to one.
    fs::create_dir(runs.at(&id(2))).unwrap();
    fs::write(runs.run(&id(3), 99).join("events.jsonl"), "{").unwrap();
    fs::write(runs.run(&id(4), 99).join("events.jsonl"), "{\"a\": 1}\n").unwrap();
    let other = started(Path::new("/nonexistent"), &id(6));
    fs::write(runs.run(&id(5), 99).join("events.jsonl"), other).unwrap();
    let journal = runs.run(&id(6), 99).join("events.jsonl");
    fs::rename(&journal, outside.path().join("events.jsonl")).unwrap();
    symlink(outside.path().join("events.jsonl"), &journal).unwrap();
    // A link to a run, and a run under another name.
    fs::rename(runs.run(&id(7), 99), outside.path().join(id(7))).unwrap();
    symlink(outside.path().join(id(7)), runs.at(&id(7))).unwrap();
    fs::rename(runs.run(&id(8), 99), runs.at("mine")).unwrap();
    let before = runs.left();
    // Only the age counts here: some of these have been written just now.
    for limits in [none(), limits(1, 30)] {
        assert_eq!(prune(&own, limits), Pruned::default());
    }
    assert_eq!(runs.left(), before);
    assert!(outside.path().join(id(7)).join("result.json").exists());
}

#[test]
fn links_in_a_run_are_not_followed() {
    let runs = Runs::new();
    let own = runs.run(&id(50), 0);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "").unwrap();
    let run = runs.run(&id(1), 99);
    symlink(outside.path(), run.join("logs/away")).unwrap();
    assert_eq!(prune(&own, none()).old, 1);
    assert!(outside.path().join("precious").exists());
    assert!(!run.exists());
}

#[test]
fn a_removal_that_did_not_end_is_ended_by_the_next_run() {
    let runs = Runs::new();
    let own = runs.run(&id(50), 0);
    let half = runs.at(&format!("{REMOVED}{}", id(1)));
    fs::rename(runs.run(&id(1), 0), &half).unwrap();
    fs::remove_file(half.join("events.jsonl")).unwrap();
    fs::create_dir(runs.at(".removed-mine")).unwrap();
    let held = lock(&half).unwrap();
    let keep_all = KeepLimits {
        runs: ALL,
        days: ALL,
    };
    prune(&own, keep_all);
    assert!(half.exists(), "somebody is at it");
    drop(held);
    assert_eq!(prune(&own, keep_all), Pruned::default());
    assert_eq!(runs.left(), [".removed-mine".to_owned(), id(50)]);
}

#[test]
fn of_several_who_prune_at_once_each_removes_what_no_other_does() {
    let runs = Runs::new();
    let own = runs.run(&id(59), 0);
    for number in 0..50 {
        runs.run(&id(number), 99);
    }
    let all: Vec<Pruned> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| prune(&own, none())))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(all.iter().map(|one| one.old).sum::<usize>(), 50);
    let errors: Vec<_> = all.iter().flat_map(|one| &one.errors).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(runs.left(), [id(59)]);
}
