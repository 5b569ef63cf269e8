//! Tests `run --plan` and `report merge --plan`: the commits of the plan and no others, each
//! attempt by itself, and a verdict for every job, whatever was lost.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::plan::{commit, json, repository};
use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

/// A planned workspace, with a directory for the results of all shards.
struct Planned {
    place: TempDir,
    aside: TempDir,
}

impl Planned {
    fn new(components: usize, shards: usize, change: impl Fn(&Path)) -> Self {
        let place = repository(components);
        change(place.path());
        if !git(place.path(), &["status", "--porcelain"]).is_empty() {
            commit(place.path());
        }
        let planned = Self {
            place,
            aside: tempfile::tempdir().expect("a directory"),
        };
        planned.plan(shards, "plan.json");
        planned
    }

    fn plan(&self, shards: usize, name: &str) {
        KataCi::bare()
            .args([
                "plan",
                "--shards",
                &shards.to_string(),
                "--format",
                "json",
                "-C",
            ])
            .args([self.place.path(), Path::new("-o"), &self.file(name)])
            .finish()
            .expect_code(0);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.aside.path().join(name)
    }

    fn shard(&self, index: usize) -> KataCi {
        self.shard_in("results", index)
    }

    fn shard_in(&self, results: &str, index: usize) -> KataCi {
        KataCi::bare()
            .args(["run", "--shard", &index.to_string(), "-C"])
            .args([
                self.place.path(),
                Path::new("--plan"),
                &self.file("plan.json"),
            ])
            .args([Path::new("--report-dir"), &self.file(results)])
            .env("XDG_CACHE_HOME", self.file("cache"))
    }

    fn attempt(&self, shard: usize, attempt: u32) -> PathBuf {
        self.file(&format!("results/shard-{shard}/attempt-{attempt}"))
    }

    fn merge(&self, results: &[&str]) -> Finished {
        let places: Vec<_> = results.iter().map(|name| self.file(name)).collect();
        KataCi::bare()
            .args(["report", "merge", "--plan"])
            .args([self.file("plan.json"), "-o".into(), self.file("merged.xml")])
            .args(places)
            .finish()
    }

    fn merged(&self) -> String {
        fs::read_to_string(self.file("merged.xml")).expect("the merged file")
    }
}

/// Returns each suite with its outcome.
fn outcomes(xml: &str) -> Vec<(String, String)> {
    let document = roxmltree::Document::parse(xml).expect("well-formed");
    let suites = document
        .descendants()
        .filter(|node| node.has_tag_name("testsuite"));
    suites
        .map(|suite| {
            let outcome = suite
                .descendants()
                .find(|node| node.attribute("name") == Some("outcome"))
                .and_then(|node| node.attribute("value"));
            let name = suite.attribute("name").expect("a name");
            (name.to_owned(), outcome.unwrap_or_default().to_owned())
        })
        .collect()
}

#[test]
fn shards_run_the_commits_of_the_plan_and_merge_as_one_run() {
    let planned = Planned::new(3, 2, |place| {
        write(
            &place.join("c1/Makefile"),
            "check:\n\t@echo checked\ntest:\n\t@printf '1..1\\nnot ok 1 - bad\\n'; false\n",
        );
    });
    // Later changes do not count, committed or not.
    write(
        &planned.place.path().join("c0/Makefile"),
        "check:\n\tfalse\n",
    );
    let codes: Vec<_> = (0..2)
        .map(|index| planned.shard(index).finish().code)
        .collect();
    assert_eq!(codes.iter().sum::<i32>(), 1, "{codes:?}");
    let merged = planned.merge(&["results"]).expect_code(1);
    assert!(merged.stderr.contains("1 failed"), "{}", merged.stderr);
    let expected = [
        ("c0.check", "passed"),
        ("c0.test", "passed"),
        ("c1.check", "passed"),
        ("c1.test", "failed"),
        ("c2.check", "passed"),
        ("c2.test", "passed"),
    ];
    let expected = expected.map(|(job, outcome)| (job.to_owned(), outcome.to_owned()));
    assert_eq!(outcomes(&planned.merged()), expected);
    let result = fs::read_to_string(planned.attempt(0, 1).join("result.json")).expect("a result");
    let plan = fs::read_to_string(planned.file("plan.json")).expect("the plan");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    let result: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    assert_eq!(result["plan_id"], plan["plan_id"]);
    assert_eq!(
        (&result["shard"], &result["attempt"]),
        (&0.into(), &1.into())
    );
    // A finished shard does not run again.
    let again = planned.shard(0).finish();
    assert!(
        again.stderr.contains("has ended in attempt 1"),
        "{}",
        again.stderr
    );
    assert!(!planned.attempt(0, 2).exists());
    // The order of the results makes no difference.
    let first = planned.merged();
    for (from, to) in [("0", "one"), ("1", "two")] {
        let from = planned.file(&format!("results/shard-{from}"));
        fs::create_dir_all(planned.file(to)).expect("made");
        fs::rename(from, planned.file(to).join("any")).expect("moved");
    }
    planned.merge(&["one", "two"]).expect_code(1);
    let one = planned.merged();
    planned.merge(&["two", "one"]).expect_code(1);
    assert_eq!(outcomes(&one), outcomes(&first));
    assert_eq!(one, planned.merged());
}

#[test]
fn what_is_lost_is_an_error_for_each_of_its_jobs() {
    let planned = Planned::new(3, 3, |_| {});
    for index in 0..3 {
        planned.shard(index).finish().expect_code(0);
    }
    planned.merge(&["results"]).expect_code(0);
    let count = |planned: &Planned, outcome: &str| {
        let all = outcomes(&planned.merged());
        assert_eq!(all.len(), 6);
        all.iter().filter(|(_, is)| is == outcome).count()
    };
    // Cut in the middle, as by a full disk or an upload that ended early.
    let result = planned.attempt(1, 1).join("result.json");
    let whole = fs::read(&result).expect("a result");
    fs::write(&result, &whole[..whole.len() / 2]).expect("cut");
    let merged = planned.merge(&["results"]).expect_code(75);
    assert_eq!(count(&planned, "error"), 2);
    assert!(
        merged.stderr.contains("shard 1 has no result"),
        "{}",
        merged.stderr
    );
    fs::write(&result, &whole).expect("whole");
    let journal = planned.attempt(1, 1).join("events.jsonl");
    let events = fs::read(&journal).expect("a journal");
    fs::write(&journal, &events[..events.len() / 2]).expect("cut");
    planned.merge(&["results"]).expect_code(75);
    assert_eq!(count(&planned, "error"), 2);
    fs::write(&journal, &events).expect("whole");
    planned.merge(&["results"]).expect_code(0);
    // Another machine has another result of the same attempt.
    planned.shard_in("other", 2).finish().expect_code(0);
    let merged = planned.merge(&["results", "other"]).expect_code(75);
    assert_eq!(count(&planned, "error"), 2);
    assert!(
        merged.stderr.contains("two different results"),
        "{}",
        merged.stderr
    );
    // A later attempt decides.
    fs::rename(
        planned.file("other/shard-2/attempt-1"),
        planned.file("other/shard-2/gone"),
    )
    .expect("moved");
    fs::remove_dir_all(planned.file("other/shard-2/gone")).expect("removed");
    let later = planned.shard_in("other", 2).args(["--attempt", "2"]);
    later.finish().expect_code(0);
    planned.merge(&["results", "other"]).expect_code(0);
    fs::remove_dir_all(planned.file("results/shard-0")).expect("removed");
    planned.merge(&["results", "other"]).expect_code(75);
    assert!(planned.merged().contains("no attempt was found"));
}

#[test]
fn what_failed_in_an_earlier_attempt_and_passed_later_is_flaky() {
    let marks = tempfile::tempdir().expect("a directory");
    let mark = marks.path().join("tried").display().to_string();
    let planned = Planned::new(1, 1, |place| {
        let makefile = format!(
            "check:\n\t@echo checked\ntest:\n\t@test -e {mark} || {{ touch {mark}; printf '1..1\\nnot ok 1 - unsure\\n'; exit 1; }}\n\t@printf '1..1\\nok 1 - unsure\\n'\n"
        );
        write(&place.join("c0/Makefile"), &makefile);
        let pipeline = "version = 1\nextends = \"makefile\"\n[defaults]\nisolate = \"off\"\nnetwork = \"on\"\n";
        write(&place.join("kata-ci.toml"), pipeline);
    });
    planned.shard(0).finish().expect_code(1);
    planned.merge(&["results"]).expect_code(1);
    let later = planned.shard_in("other", 0).args(["--attempt", "2"]);
    later.finish().expect_code(0);
    planned.merge(&["results", "other"]).expect_code(0);
    let merged = planned.merged();
    assert!(merged.contains("<flakyFailure"), "{merged}");
    assert!(!merged.contains("<failure"), "{merged}");
}

#[test]
fn results_of_another_plan_are_refused() {
    let planned = Planned::new(2, 2, |_| {});
    planned.shard(0).finish().expect_code(0);
    planned.plan(1, "plan.json");
    let refused = planned.merge(&["results"]).expect_code(2);
    assert!(
        refused.stderr.contains("is a result of plan"),
        "{}",
        refused.stderr
    );
    let refused = planned.shard(0).finish().expect_code(2);
    assert!(
        refused.stderr.contains("results of another plan"),
        "{}",
        refused.stderr
    );
    let none = planned.shard_in("fresh", 1).finish().expect_code(2);
    assert!(
        none.stderr.contains("there is no shard 1"),
        "{}",
        none.stderr
    );
    let mut text = fs::read_to_string(planned.file("plan.json")).expect("the plan");
    text = text.replace("c1.test", "c0.test");
    fs::write(planned.file("plan.json"), text).expect("written");
    let changed = planned.shard_in("fresh", 0).finish().expect_code(2);
    assert!(
        changed.stderr.contains("it was changed"),
        "{}",
        changed.stderr
    );
}

#[test]
fn a_shard_is_tried_until_its_cap() {
    let planned = Planned::new(1, 1, |_| {});
    // The commit is nowhere: a server may lag, so that another try may go well.
    fs::rename(planned.place.path().join(".git"), planned.file("git")).expect("moved");
    let url = |shard: KataCi| shard.env("GIT_ALLOW_PROTOCOL", "none");
    for code in [75, 75, 69] {
        let tried = url(planned.shard(0)).finish().expect_code(code);
        assert!(
            tried.stderr.contains("cannot be fetched"),
            "{}",
            tried.stderr
        );
    }
    let over = url(planned.shard(0)).finish().expect_code(69);
    assert!(over.stderr.contains("was tried 3 times"), "{}", over.stderr);
    fs::rename(planned.file("git"), planned.place.path().join(".git")).expect("moved");
    planned
        .shard(0)
        .args(["--attempts", "4"])
        .finish()
        .expect_code(0);
    planned.merge(&["results"]).expect_code(0);
    // Slurm counts, too, where no directory is shared.
    let counted = planned.shard_in("fresh", 0).env("SLURM_RESTART_COUNT", "3");
    counted.finish().expect_code(69);
}

#[test]
fn a_machine_without_the_workspace_fetches_it() {
    let place = repository(2);
    let server = tempfile::tempdir().expect("a directory");
    git(server.path(), &["init", "-q", "--bare", "-b", "master"]);
    let url = server.path().to_str().expect("a path");
    git(place.path(), &["remote", "set-url", "origin", url]);
    git(place.path(), &["push", "-q", "origin", "master"]);
    let aside = tempfile::tempdir().expect("a directory");
    let plan = aside.path().join("plan.json");
    let made = KataCi::bare()
        .args(["plan", "--shards", "1", "--format", "json", "-C"])
        .args([place.path(), Path::new("-o"), &plan])
        .finish()
        .expect_code(0);
    assert_eq!(json(&made)["sources"]["c0"], url);
    let empty = tempfile::tempdir().expect("a directory");
    let run = || {
        KataCi::bare()
            .args(["run", "-C"])
            .args([empty.path(), Path::new("--plan"), &plan])
            .args([Path::new("--report-dir"), &aside.path().join("results")])
            .env("XDG_CACHE_HOME", aside.path().join("cache"))
    };
    let unnamed = run().finish().expect_code(2);
    assert!(unnamed.stderr.contains("which shard"), "{}", unnamed.stderr);
    let ran = run().env("CI_NODE_INDEX", "1").finish().expect_code(0);
    assert!(ran.stdout.contains("c1.test"), "{}", ran.printed());
    assert_eq!(fs::read_dir(empty.path()).expect("it is there").count(), 0);
}

#[test]
fn parts_without_a_plan_add_up_to_the_whole() {
    let place = repository(3);
    let jobs = |shard: &str| -> Vec<String> {
        let ran = crate::support::run_in(place.path())
            .args(["--shard", shard])
            .finish();
        let result = ran.expect_code(0).result();
        let jobs = result["jobs"].as_array().expect("jobs").iter();
        jobs.map(|job| job["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let mut all = [jobs("0/2"), jobs("1/2")].concat();
    all.sort();
    assert_eq!(all.len(), 6);
    all.dedup();
    assert_eq!(all.len(), 6);
    crate::support::run_in(place.path())
        .args(["--shard", "2/2"])
        .finish()
        .expect_code(2);
}
