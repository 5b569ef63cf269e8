//! Tests `kata-ci plan`: the same plan from the same commits, balanced over recorded durations, and
//! none of what is not committed.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::workspace::{git, kata, write};
use crate::support::{Finished, KataCi};

/// A repository with components `c0`, `c1`, … that have `make check` and `make test`.
pub fn repository(components: usize) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    for number in 0..components {
        let makefile = "check:\n\t@echo checked\ntest:\n\t@printf '1..1\\nok 1 - good\\n'\n";
        write(&place.path().join(format!("c{number}/Makefile")), makefile);
    }
    git(place.path(), &["init", "-q", "-b", "master"]);
    git(
        place.path(),
        &[
            "remote",
            "add",
            "origin",
            "https://ada:secret@example.com/kata",
        ],
    );
    commit(place.path());
    place
}

pub fn commit(directory: &Path) {
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "all"]);
}

pub fn plan(directory: &Path, arguments: &[&str]) -> Finished {
    KataCi::bare()
        .args(["plan", "-C"])
        .args([directory])
        .args(arguments)
        .finish()
}

pub fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).expect("a plan")
}

/// Returns the jobs of each shard.
fn jobs(plan: &Value) -> Vec<Vec<&str>> {
    let shards = plan["shards"].as_array().expect("shards").iter();
    shards
        .map(|shard| {
            let jobs = shard["jobs"].as_array().expect("jobs").iter();
            jobs.map(|job| job["id"].as_str().expect("an id")).collect()
        })
        .collect()
}

#[test]
fn the_same_commits_make_the_same_plan() {
    let place = repository(3);
    let plan_it = || plan(place.path(), &["--shards", "2", "--format", "json"]).expect_code(0);
    let (one, other) = (plan_it(), plan_it());
    assert_eq!(one.stdout, other.stdout);
    let made = json(&one);
    let head = git(place.path(), &["rev-parse", "HEAD"]);
    assert_eq!(made["revisions"]["c1"], head.as_str());
    assert_eq!(made["sources"]["c1"], "https://example.com/kata");
    assert_eq!(made["repositories"]["c1"], ".");
    let mut all: Vec<_> = jobs(&made).concat();
    all.sort_unstable();
    let expected = [
        "c0.check", "c0.test", "c1.check", "c1.test", "c2.check", "c2.test",
    ];
    assert_eq!(all, expected);
    write(&place.path().join("c0/new"), "");
    commit(place.path());
    assert_ne!(json(&plan_it())["plan_id"], made["plan_id"]);
}

#[test]
fn what_is_not_committed_is_not_planned() {
    let place = repository(2);
    let at = |name: &str| place.path().join(name);
    write(&at("notes"), "mine");
    let noted = plan(place.path(), &["--shards", "2"]).expect_code(0);
    assert!(
        noted.stderr.contains("not in the plan: notes"),
        "{}",
        noted.stderr
    );
    write(&at("c1/Makefile"), "check:\n\tfalse\n");
    let dirty = plan(place.path(), &["--shards", "2"]).expect_code(2);
    assert!(
        dirty.stderr.contains("not committed: c1/Makefile"),
        "{}",
        dirty.stderr
    );
    // The commit is still there to be planned.
    let head = plan(
        place.path(),
        &["--shards", "2", "--rev", "HEAD", "--format", "json"],
    );
    let made = json(&head.expect_code(0));
    assert_eq!(jobs(&made).concat().len(), 4);
    let paths: Vec<_> = made["pipeline"]["component"]
        .as_array()
        .expect("them")
        .iter()
        .map(|one| one["path"].as_str().expect("a path"))
        .collect();
    assert_eq!(paths, ["c0", "c1"]);
    git(place.path(), &["checkout", "-q", "c1/Makefile"]);
    write(&at("c2/Makefile"), "test:\n");
    let new = plan(place.path(), &["--shards", "2"]).expect_code(2);
    assert!(
        new.stderr.contains("`c2` is not committed"),
        "{}",
        new.stderr
    );
    let outside = tempfile::tempdir().expect("a directory");
    write(&outside.path().join("c/Makefile"), "test:\n");
    let outside = plan(outside.path(), &["--shards", "2"]).expect_code(2);
    assert!(
        outside.stderr.contains("is in no git repository"),
        "{}",
        outside.stderr
    );
}

#[test]
fn recorded_durations_of_any_junit_balance_the_shards() {
    let place = repository(4);
    let suite = |name: &str, seconds: u32| {
        format!(r#"<testsuite name="{name}" time="{seconds}"><testcase name="t"/></testsuite>"#)
    };
    let times = [("c0", 60), ("c1", 50), ("c2", 30), ("c3", 40)];
    let suites: String = times
        .iter()
        .map(|(name, time)| suite(&format!("{name}.test"), *time))
        .collect();
    let outside = tempfile::tempdir().expect("a directory");
    let file = outside.path().join("times.xml");
    write(&file, &format!("<testsuites>{suites}</testsuites>"));
    let durations = ["--durations", file.to_str().expect("a path")];
    let ask = |more: &[&str]| {
        let arguments = [&["-s", "test"], more, &durations].concat();
        plan(place.path(), &arguments)
    };
    let made = json(&ask(&["--shards", "2", "--format", "json"]).expect_code(0));
    assert_eq!(
        jobs(&made),
        [["c0.test", "c2.test"], ["c1.test", "c3.test"]]
    );
    assert_eq!(made["shards"][0]["estimate"], 90.0);
    let human = ask(&["--max-seconds", "100"]).expect_code(0);
    assert!(
        human.stdout.contains("4 jobs on 2 shards"),
        "{}",
        human.stdout
    );
    let both = plan(place.path(), &["--max-seconds", "100", "--shards", "2"]);
    both.expect_code(2);
    let unknown = plan(place.path(), &["--max-seconds", "100"]).expect_code(2);
    assert!(
        unknown.stderr.contains("no job has a recorded duration"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn the_repositories_of_kata_v1_are_pinned_each() {
    let place = kata("gopath");
    let gopath = place.path().join("src/github.com/kata-containers");
    let made = KataCi::bare()
        .env("GOPATH", place.path())
        .args(["plan", "--shards", "3", "--format", "json", "-C"])
        .args([&gopath])
        .finish()
        .expect_code(0);
    let made = json(&made);
    for component in ["runtime", "agent", "shim", "proxy", "tests"] {
        let head = git(&gopath.join(component), &["rev-parse", "HEAD"]);
        assert_eq!(made["revisions"][component], head.as_str(), "{component}");
        assert_eq!(made["repositories"][component], component);
    }
    assert_eq!(made["pipeline"]["layout"], "gopath");
}

#[test]
fn a_secret_is_not_in_the_plan() {
    let place = repository(1);
    let token = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    write(
        &place.path().join("kata-ci.toml"),
        &format!("version = 1\nextends = \"makefile\"\n[env]\nGITHUB_TOKEN = \"{token}\"\n"),
    );
    commit(place.path());
    let made = plan(place.path(), &["--shards", "1", "--format", "json"]).expect_code(0);
    assert!(!made.stdout.contains(token) && made.stderr.contains("GITHUB_TOKEN"));
    assert_eq!(json(&made)["secrets"][0], "GITHUB_TOKEN");
}

#[test]
fn two_thousand_jobs_of_a_thousand_components_are_found_and_planned_within_a_second() {
    let place = repository(1000);
    // The shell tells the time of its children, which other tests do not add to.
    let timed = ["sh", "-c", r#""$0" "$@"; times"#];
    let binary = Path::new(env!("CARGO_BIN_EXE_kata-ci"));
    let made = KataCi::bare()
        .args(["plan", "--shards", "16", "-C"])
        .args([place.path()])
        .through(&timed, binary)
        .finish()
        .expect_code(0);
    assert!(
        made.stdout.contains("2000 jobs on 16 shards"),
        "{}",
        made.stdout
    );
    let times = made
        .stdout
        .lines()
        .last()
        .expect("the times")
        .split_whitespace();
    let seconds = |time: &str| -> f64 {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').expect("a time");
        minutes.parse::<f64>().expect("minutes") * 60.0 + seconds.parse::<f64>().expect("seconds")
    };
    let used: f64 = times.map(seconds).sum();
    eprintln!("2,000 jobs of 1,000 components: {used:.2} s of processor time");
    // Binaries of tests are hardly optimised.
    assert!(
        used < if cfg!(debug_assertions) { 3.0 } else { 1.0 },
        "{used}"
    );
}
