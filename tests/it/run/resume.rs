//! Tests `--resume`: a killed run continues, with the same result as an uninterrupted one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::workspace::{git, kata, makefiles, write};
use crate::support::{Finished, KataCi, Started, run_in, until};

/// A workspace, and reports that several runs share.
struct Place {
    workspace: tempfile::TempDir,
    reports: tempfile::TempDir,
}

impl Place {
    fn new(workspace: tempfile::TempDir) -> Self {
        Self {
            workspace,
            reports: tempfile::tempdir().expect("a directory"),
        }
    }

    fn kata_ci(&self, more: &[&str]) -> KataCi {
        KataCi::bare()
            .args(["run", "-C"])
            .args([self.workspace.path()])
            .args(["--report-dir"])
            .args([self.reports.path()])
            .args(more)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.reports.path().join(name)
    }

    fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("events.jsonl")).expect("the journal");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a record"))
            .collect()
    }

    fn wait_for_log(&self, job: &str, text: &str) {
        let log = self.file(&format!("logs/{job}.log"));
        until(&format!("{text} in the log of {job}"), || {
            std::fs::read_to_string(&log).is_ok_and(|printed| printed.contains(text))
        });
    }

    fn result(&self) -> Value {
        let text = std::fs::read_to_string(self.file("result.json")).expect("result.json");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Returns the outcome of every job, and every case with its element.
    fn outcome(&self) -> (Value, BTreeMap<String, String>, BTreeSet<[String; 3]>) {
        let result = self.result();
        let jobs = result["jobs"].as_array().expect("jobs").iter();
        let text = |job: &Value, key: &str| job[key].as_str().expect("a text").to_owned();
        let outcomes = jobs
            .map(|job| (text(job, "id"), text(job, "outcome")))
            .collect();
        let junit = std::fs::read_to_string(self.file("junit.xml")).expect("junit.xml");
        let document = roxmltree::Document::parse(&junit).expect("XML");
        let cases = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"));
        let cases = cases.map(|case| {
            let status = case
                .first_element_child()
                .map_or("passed", |child| child.tag_name().name());
            let attribute = |name| case.attribute(name).unwrap_or_default().to_owned();
            [attribute("classname"), attribute("name"), status.to_owned()]
        });
        (result["exit"].clone(), outcomes, cases.collect())
    }
}

fn kill(started: Started) {
    started.signal(Signal::SIGKILL);
    started.finish().expect_code(137);
}

/// Creates two jobs in sequence; the second waits for the file `go`.
fn waiting() -> Place {
    let workspace = makefiles(&[
        ("a", "check:\n @echo a ran\n.PHONY: check"),
        (
            "b",
            "check:\n @echo b waits; while [ ! -e ../go ]; do sleep 0.02; done; echo b ran\n.PHONY: check",
        ),
    ]);
    write(&workspace.path().join(".gitignore"), "/go\n");
    git(workspace.path(), &["init", "--quiet"]);
    git(workspace.path(), &["add", "--all"]);
    git(workspace.path(), &["commit", "--quiet", "--message", "all"]);
    Place::new(workspace)
}

const STEP: [&str; 3] = ["-s", "check", "-j1"];

/// Creates a run that was killed during the second of two jobs.
fn killed() -> Place {
    let place = waiting();
    let run = place.kata_ci(&STEP).start();
    place.wait_for_log("b.check", "b waits");
    kill(run);
    write(&place.workspace.path().join("go"), "");
    place
}

fn resume(place: &Place, more: &[&str]) -> Finished {
    place.kata_ci(&[&["--resume"], more].concat()).finish()
}

#[test]
fn what_is_finished_is_kept_and_the_rest_runs() {
    let place = killed();
    let before = place.journal();
    let run = resume(&place, &STEP).expect_code(0);
    let after = place.journal();
    assert_eq!(after[..before.len()], before[..]);
    let numbers: Vec<_> = after.iter().map(|record| record["seq"].as_u64()).collect();
    assert_eq!(
        numbers,
        (0..after.len() as u64).map(Some).collect::<Vec<_>>()
    );
    let events = |kind: &str| -> Vec<&Value> {
        let found = after.iter().filter(|record| record["event"] == kind);
        found.map(|record| &record["job"]).collect()
    };
    assert_eq!(events("job-started"), ["a.check", "b.check", "b.check"]);
    assert_eq!(events("job-finished"), ["a.check", "b.check"]);
    assert_eq!(after[before.len()]["event"], "run-resumed");
    let result = place.result();
    assert_eq!(result["run_id"], before[0]["run_id"]);
    assert_eq!(result["jobs"].as_array().map(Vec::len), Some(2));
    let printed = run.printed();
    assert!(printed.contains("1 job is finished, 1 left"), "{printed}");
    let log = std::fs::read_to_string(place.file("logs/b.check.log")).expect("the log");
    assert_eq!(log, "b waits\nb ran\n");
}

#[test]
fn a_run_that_was_cancelled_names_what_it_found_and_goes_on() {
    let text = "test:\n\t@echo 1..3; echo 'not ok 1 early'; echo waiting; test -e \"$$HOME/go\" || sleep 1000\n.PHONY: test\n";
    let workspace = makefiles(&[("slow", &text.replace("$$HOME/go", "../go"))]);
    git(workspace.path(), &["init", "-q"]);
    std::fs::write(workspace.path().join(".gitignore"), "go\n").unwrap();
    git(workspace.path(), &["add", "."]);
    git(workspace.path(), &["commit", "-q", "-m", "all"]);
    let place = Place::new(workspace);
    let started = place.kata_ci(&["-s", "test"]).start();
    place.wait_for_log("slow.test", "waiting");
    started.signal(Signal::SIGINT);
    let cancelled = started.finish().expect_code(130);
    let said = cancelled.printed();
    assert!(said.contains("early"), "{said}");
    std::fs::write(place.workspace.path().join("go"), "").unwrap();
    let again = resume(&place, &["-s", "test"]).expect_code(1);
    assert!(
        again.printed().contains("resumes run"),
        "{}",
        again.printed()
    );
    assert_eq!(place.result()["jobs"][0]["outcome"], "failed");
}

#[test]
fn without_naming_steps_again_it_is_the_same_run() {
    let place = killed();
    resume(&place, &[]).expect_code(0);
    assert_eq!(place.result()["jobs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_line_that_was_cut_short_is_cut_off() {
    let place = killed();
    let journal = place.file("events.jsonl");
    let mut text = std::fs::read_to_string(&journal).expect("the journal");
    text.push_str(r#"{"v":1,"seq":9,"time":"2026-"#);
    std::fs::write(&journal, text).expect("written");
    resume(&place, &[]).expect_code(0);
    assert!(
        place
            .journal()
            .iter()
            .any(|record| record["event"] == "run-finished")
    );
}

#[test]
fn a_journal_that_cannot_be_read_is_said() {
    let place = killed();
    std::fs::write(place.file("events.jsonl"), "{\"v\":99}\n").expect("written");
    let run = resume(&place, &[]).expect_code(75);
    assert!(run.stderr.contains("events.jsonl:1"), "{}", run.stderr);
}

#[test]
fn a_run_that_was_killed_before_its_reports_were_written_gets_them() {
    let place = waiting();
    write(&place.workspace.path().join("go"), "");
    place.kata_ci(&STEP).finish().expect_code(0);
    let expected = place.outcome();
    for report in ["result.json", "junit.xml"] {
        std::fs::remove_file(place.file(report)).expect("removed");
    }
    resume(&place, &[]).expect_code(0);
    assert_eq!(place.outcome(), expected);
    let journal = place.journal();
    let ends = journal
        .iter()
        .filter(|record| record["event"] == "run-finished");
    assert_eq!(ends.count(), 1);
}

#[test]
fn what_changed_is_named_and_refused() {
    type Change = fn(&Place) -> KataCi;
    let changes: [(&str, Change); 5] = [
        ("the tracked files of a, b", |place| {
            write(
                &place.workspace.path().join("a/Makefile"),
                "check:\n\t@echo changed\n",
            );
            place.kata_ci(&["--resume"])
        }),
        ("the tracked files of a, b", |place| {
            git(
                place.workspace.path(),
                &["commit", "--quiet", "--allow-empty", "--message", "x"],
            );
            place.kata_ci(&["--resume"])
        }),
        ("the environment: LANG", |place| {
            place.kata_ci(&["--resume"]).env("LANG", "C")
        }),
        ("the pipeline, an option", |place| {
            place.kata_ci(&["--resume", "--timeout", "5m"])
        }),
        ("b.check, which is not selected", |place| {
            place.kata_ci(&["--resume", "a"])
        }),
    ];
    for (why, change) in changes {
        let place = killed();
        let before = std::fs::read(place.file("events.jsonl")).expect("the journal");
        let run = change(&place).finish().expect_code(2);
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        assert!(run.stderr.contains("kata-ci run"), "{}", run.stderr);
        assert_eq!(
            std::fs::read(place.file("events.jsonl")).expect("it"),
            before
        );
    }
}

#[test]
fn another_commit_of_the_tests_repository_is_refused() {
    let place = Place::new(kata("gopath"));
    let check = ["proxy", "-s", "check"];
    let run = place.kata_ci(&check).start();
    until("the run has begun", || {
        std::fs::read_to_string(place.file("events.jsonl")).is_ok_and(|text| text.contains('\n'))
    });
    kill(run);
    let tests = (place.workspace.path()).join("src/github.com/kata-containers/tests");
    git(
        &tests,
        &["commit", "--quiet", "--allow-empty", "--message", "x"],
    );
    let refused = resume(&place, &check).expect_code(2);
    let why = "these changed: the tracked files of tests";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
}

#[test]
fn what_was_skipped_is_asked_again() {
    let place = waiting();
    write(
        &place.workspace.path().join("kata-ci.toml"),
        "version = 1\nextends = \"makefile\"\n[[component]]\nname = \"a\"\nrequires = [\"program:no-such-program-of-kata-ci\"]\n[[component]]\nname = \"b\"\n",
    );
    let run = place.kata_ci(&STEP).start();
    place.wait_for_log("b.check", "b waits");
    kill(run);
    write(&place.workspace.path().join("go"), "");
    resume(&place, &["--require-all"]).expect_code(69);
    let (_, outcomes, _) = place.outcome();
    assert_eq!(outcomes["a.check"], "error");
    assert_eq!(outcomes["b.check"], "passed");
}

#[test]
fn a_run_that_goes_on_is_left_alone() {
    let place = waiting();
    let run = place.kata_ci(&STEP).start();
    place.wait_for_log("b.check", "b waits");
    let refused = resume(&place, &[]).expect_code(2);
    assert!(refused.stderr.contains("is going on"), "{}", refused.stderr);
    let refused = place.kata_ci(&["--rerun-failed"]).finish().expect_code(2);
    assert!(refused.stderr.contains("is going on"), "{}", refused.stderr);
    write(&place.workspace.path().join("go"), "");
    run.finish().expect_code(0);
    let ended = resume(&place, &[]).expect_code(4);
    assert!(ended.stderr.contains("has ended"), "{}", ended.stderr);
}

#[test]
fn outside_of_git_it_cannot_be_told_whether_something_changed() {
    let place = waiting();
    std::fs::remove_dir_all(place.workspace.path().join(".git")).expect("removed");
    let run = place.kata_ci(&STEP).start();
    place.wait_for_log("b.check", "b waits");
    kill(run);
    let refused = resume(&place, &[]).expect_code(2);
    assert!(
        refused.stderr.contains("no git repository"),
        "{}",
        refused.stderr
    );
}

#[test]
fn the_last_run_is_found_where_runs_are_kept() {
    let place = waiting();
    let state = tempfile::tempdir().expect("a directory");
    let start = |more: &[&str]| {
        KataCi::bare()
            .args(["run", "-C"])
            .args([place.workspace.path()])
            .args(more)
            .env("XDG_STATE_HOME", state.path())
    };
    let run = start(&STEP).start();
    let latest = state.path().join("kata-ci/runs/latest");
    until("b waits", || {
        let log = std::fs::read_to_string(latest.join("logs/b.check.log"));
        log.is_ok_and(|log| log.contains("b waits"))
    });
    kill(run);
    write(&place.workspace.path().join("go"), "");
    start(&["--resume"]).finish().expect_code(0);
    assert!(latest.join("result.json").exists());
    start(&["--resume"]).finish().expect_code(4);
}

/// Kills a run of the demo's workspace at a random moment, and sometimes its continuation too.
struct Soak {
    place: Place,
    expected: (Value, BTreeMap<String, String>, BTreeSet<[String; 3]>),
    longest: Duration,
    random: u64,
    kills: usize,
}

impl Soak {
    fn new() -> Self {
        let place = Place::new(kata("gopath"));
        // Twice, because the first run fills Go's cache.
        place.kata_ci(&[]).finish().expect_code(0);
        let start = Instant::now();
        place.kata_ci(&[]).finish().expect_code(0);
        let seed = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("a time");
        eprintln!(
            "seed {}, a run takes {:?}",
            seed.as_nanos() as u64,
            start.elapsed()
        );
        Self {
            expected: place.outcome(),
            place,
            longest: start.elapsed(),
            random: seed.as_nanos() as u64,
            kills: 0,
        }
    }

    /// Returns a random number below 1, by SplitMix64.
    fn random(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Starts a run and kills it after a random time. Returns true if it was killed before it
    /// ended.
    fn killed(&mut self, more: &[&str]) -> bool {
        let moment = self.longest.mul_f64(self.random());
        let run = self.place.kata_ci(more).start();
        std::thread::sleep(moment);
        run.signal(Signal::SIGKILL);
        let code = run.finish().code;
        assert!([0, 4, 137].contains(&code), "exit code {code}");
        self.kills += usize::from(code == 137);
        code == 137
    }

    fn round(&mut self) {
        if !self.killed(&[]) {
            return;
        }
        while self.random() < 0.3 && self.killed(&["--resume"]) {}
        let finished = self.finished_logs();
        let run = self.place.kata_ci(&["--resume"]).finish();
        match run.code {
            0 => assert_eq!(self.finished_logs_of(&finished), finished),
            // It was killed before it had begun, or after it had ended.
            4 => drop(self.place.kata_ci(&[]).finish().expect_code(0)),
            code => panic!("exit code {code}: {}", run.printed()),
        }
        assert_eq!(self.place.outcome(), self.expected);
        self.check_journal();
    }

    /// Returns the time of the last write to the log of each finished job.
    fn finished_logs(&self) -> BTreeMap<String, SystemTime> {
        let Ok(text) = std::fs::read_to_string(self.place.file("events.jsonl")) else {
            return BTreeMap::new();
        };
        let records = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let logs = records
            .filter(|record| record["event"] == "job-finished")
            .filter_map(|record| record["log"].as_str().map(str::to_owned));
        logs.map(|log| (log.clone(), self.written(&log))).collect()
    }

    fn finished_logs_of(
        &self,
        logs: &BTreeMap<String, SystemTime>,
    ) -> BTreeMap<String, SystemTime> {
        logs.keys()
            .map(|log| (log.clone(), self.written(log)))
            .collect()
    }

    fn written(&self, log: &str) -> SystemTime {
        let metadata = self.place.file(log).metadata().expect("the log");
        metadata.modified().expect("its time")
    }

    /// Checks that finished jobs did not start again, and finished once.
    fn check_journal(&self) {
        let mut finished = BTreeSet::new();
        for record in self.place.journal() {
            let job = record["job"].to_string();
            match record["event"].as_str() {
                Some("job-started") => assert!(!finished.contains(&job), "{job} ran twice"),
                Some("job-finished") => assert!(finished.insert(job.clone()), "{job} ended twice"),
                _ => {}
            }
        }
        assert_eq!(finished.len(), self.expected.1.len());
    }

    fn rounds(mut self, kills: usize) {
        while self.kills < kills {
            self.round();
            eprintln!("{} of {kills} kills", self.kills);
        }
        eprintln!("{} kills, no difference", self.kills);
    }
}

#[test]
fn killed_at_random_moments_the_result_is_that_of_an_undisturbed_run() {
    Soak::new().rounds(3);
}

#[test]
#[ignore = "takes a quarter of an hour: make soak"]
fn killed_at_fifty_random_moments_the_result_is_that_of_an_undisturbed_run() {
    Soak::new().rounds(50);
}

#[test]
fn only_one_of_these_options_makes_sense() {
    for other in [
        &["--since", "HEAD"][..],
        &["--rerun-failed"],
        &["--dry-run"],
    ] {
        let run = run_in(Path::new("/"))
            .args(["--resume"])
            .args(other)
            .finish();
        run.expect_code(2);
    }
}
