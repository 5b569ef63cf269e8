//! Tests `kata-ci submit` against a real Slurm with two nodes: what is lost is run again or is an
//! error, and the exit code is that of one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::plan::commit;
use crate::support::engines::Slurm;
use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi, Started, until};

/// A repository with components whose test says where it runs, and then does this.
fn workspace(components: usize, recipe: &str) -> TempDir {
    let place = tempfile::tempdir().expect("a directory");
    let mut pipeline = "version = 1\n[[step]]\nname = \"test\"\nrun = [\"make\", \"test\"]\nisolate = \"off\"\nnetwork = \"on\"\n".to_owned();
    for number in 0..components {
        pipeline += &format!("[[component]]\nname = \"c{number}\"\n");
        let makefile = format!(
            "test:\n\t@touch {}/started-{number}\n\t@{recipe}\n\t@printf '1..1\\nok 1 - good\\n'\n",
            "$(MARKS)"
        );
        write(&place.path().join(format!("c{number}/Makefile")), &makefile);
    }
    pipeline += "[env]\nMARKS = \"@MARKS@\"\n";
    let marks = place.path().join("marks");
    fs::create_dir(&marks).expect("made");
    write(&place.path().join(".gitignore"), "marks\n");
    write(
        &place.path().join("kata-ci.toml"),
        &pipeline.replace("@MARKS@", marks.to_str().expect("a path")),
    );
    git(place.path(), &["init", "-q", "-b", "master"]);
    commit(place.path());
    place
}

struct Story {
    slurm: Slurm,
    workspace: TempDir,
    aside: TempDir,
}

impl Story {
    fn new(components: usize, recipe: &str) -> Option<Self> {
        Some(Self {
            slurm: Slurm::start()?,
            workspace: workspace(components, recipe),
            aside: tempfile::tempdir().expect("a directory"),
        })
    }

    fn command(&self, arguments: &[&str]) -> KataCi {
        KataCi::bare()
            .args(["submit", "--engine", "slurm", "-C"])
            .args([
                self.workspace.path(),
                Path::new("--report-dir"),
                self.aside.path(),
            ])
            .args(arguments)
            .env("SLURM_CONF", self.slurm.configuration())
            .env("XDG_CACHE_HOME", self.aside.path().join("cache"))
    }

    fn submit(&self, shards: usize) -> Started {
        self.command(&["--shards", &shards.to_string()]).start()
    }

    fn mark(&self, name: &str) -> PathBuf {
        self.workspace.path().join("marks").join(name)
    }

    /// Returns the numbers of the attempts with a result, and the machines.
    fn results(&self, shards: usize) -> Vec<(u32, String)> {
        let read = |shard: usize| {
            let place = self.aside.path().join(format!("results/shard-{shard}"));
            let attempts = fs::read_dir(place).expect("attempts").flatten();
            attempts
                .filter_map(|attempt| {
                    let text = fs::read_to_string(attempt.path().join("result.json")).ok()?;
                    let result: serde_json::Value = serde_json::from_str(&text).expect("a result");
                    let worker = result["worker"].as_str().expect("a worker").to_owned();
                    Some((result["attempt"].as_u64().expect("a number") as u32, worker))
                })
                .collect::<Vec<_>>()
        };
        (0..shards).flat_map(read).collect()
    }

    fn merged(&self) -> String {
        fs::read_to_string(self.aside.path().join("junit.xml")).expect("junit.xml")
    }
}

/// Returns the ids of kata-ci processes that run this shard.
fn shard_processes(aside: &Path, shard: usize) -> Vec<i32> {
    let wanted = format!("{}/results", aside.display());
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    processes
        .filter_map(|process| {
            let id = process.file_name().to_str()?.parse().ok()?;
            let line = fs::read(process.path().join("cmdline")).ok()?;
            let words: Vec<_> = line.split(|byte| *byte == 0).collect();
            let environment = fs::read(process.path().join("environ")).ok()?;
            let task = format!("SLURM_ARRAY_TASK_ID={shard}");
            let is_task = environment
                .split(|byte| *byte == 0)
                .any(|one| one == task.as_bytes());
            let is_run =
                words.get(1) == Some(&b"run".as_slice()) && words.contains(&wanted.as_bytes());
            (is_task && is_run).then_some(id)
        })
        .collect()
}

#[test]
fn shards_run_on_both_nodes_and_those_of_a_lost_one_run_again() {
    let Some(mut story) = Story::new(8, "sleep 3") else {
        return;
    };
    let submitted = story.submit(8);
    until("two shards run", || {
        (0..8)
            .filter(|number| story.mark(&format!("started-{number}")).exists())
            .count()
            >= 2
    });
    story.slurm.lose("w1");
    story.slurm.bring_back("w1");
    let finished = submitted.finish().expect_code(0);
    let results = story.results(8);
    assert_eq!(results.len(), 8, "{results:?}\n{}", finished.printed());
    assert_eq!(
        results.iter().filter(|(attempt, _)| *attempt == 2).count(),
        1,
        "{results:?}"
    );
    assert!(
        results.iter().any(|(_, worker)| worker == "w1"),
        "{results:?}"
    );
    assert!(
        results.iter().any(|(_, worker)| worker == "w2"),
        "{results:?}"
    );
    assert!(
        finished.stderr.contains("queued again"),
        "{}",
        finished.stderr
    );
    assert!(finished.stderr.contains("8 passed"), "{}", finished.stderr);
    // Taken up again, it is over at once, with the same end.
    let resumed = story.command(&["--resume"]).finish().expect_code(0);
    assert!(resumed.stderr.contains("8 passed"), "{}", resumed.stderr);
}

#[test]
fn a_shard_whose_process_is_killed_is_an_error_and_so_is_the_whole() {
    let Some(story) = Story::new(2, "sleep 20") else {
        return;
    };
    let submitted = story.submit(2);
    until("the first shard runs", || story.mark("started-0").exists());
    for process in shard_processes(story.aside.path(), 0) {
        kill(Pid::from_raw(process), Signal::SIGKILL).expect("killed");
    }
    let finished = submitted.finish().expect_code(75);
    let merged = story.merged();
    assert!(
        merged.contains("shard 0 has no result: attempt 1 on w"),
        "{merged}"
    );
    assert!(finished.stderr.contains("1 error"), "{}", finished.stderr);
}

#[test]
fn what_is_worth_another_try_is_queued_again_until_its_cap() {
    let Some(story) = Story::new(2, "true") else {
        return;
    };
    // A shard that cannot make its checkout ends with 75; the second time it can.
    let cache = story.aside.path().join("blocked");
    write(&cache, "a file, where a directory is needed");
    let submitted = story
        .command(&["--shards", "2"])
        .env("XDG_CACHE_HOME", &cache)
        .start();
    until("both shards were tried", || {
        (0..2).all(|shard| {
            story
                .aside
                .path()
                .join(format!("results/shard-{shard}/attempt-1"))
                .exists()
        })
    });
    until("one was tried again", || {
        story
            .aside
            .path()
            .join("results/shard-0/attempt-2")
            .exists()
    });
    let finished = submitted.finish();
    // The cap is 3: after it the engine is told not to try again.
    assert_eq!(finished.code, 75, "{}", finished.printed());
    for shard in 0..2 {
        let place = story.aside.path().join(format!("results/shard-{shard}"));
        assert_eq!(fs::read_dir(&place).expect("attempts").count(), 3);
    }
    assert!(story.merged().contains("has no result"));
}

#[test]
fn an_interrupt_cancels_all() {
    let Some(story) = Story::new(4, "sleep 60") else {
        return;
    };
    let began = Instant::now();
    let submitted = story.submit(4);
    until("two shards run", || {
        (0..4)
            .filter(|number| story.mark(&format!("started-{number}")).exists())
            .count()
            >= 2
    });
    submitted.signal(Signal::SIGINT);
    let finished: Finished = submitted.finish().expect_code(130);
    assert!(finished.stderr.contains("cancelled"), "{}", finished.stderr);
    assert!(began.elapsed() < Duration::from_secs(120));
    assert!(!story.mark("started-3").exists());
}

#[test]
#[ignore = "takes two minutes"]
fn eight_shards_of_30_seconds_take_little_more_than_the_ideal() {
    let Some(story) = Story::new(8, "sleep 30") else {
        return;
    };
    let began = Instant::now();
    story.submit(8).finish().expect_code(0);
    let ratio = began.elapsed().as_secs_f64() / 120.0;
    eprintln!("8 shards of 30 s on 2 nodes: {ratio:.3} of the ideal");
    assert!(ratio <= 1.1, "{ratio}");
}

#[test]
fn the_script_of_a_plan_is_ready_to_be_submitted() {
    let Some(story) = Story::new(2, "true") else {
        return;
    };
    let binary = Path::new(env!("CARGO_BIN_EXE_kata-ci"));
    let script = KataCi::bare()
        .args(["plan", "--shards", "2", "--format", "slurm", "-C"])
        .args([story.workspace.path()])
        .finish()
        .expect_code(0);
    let file = story.aside.path().join("submit.sh");
    write(&file, &script.stdout);
    let programs = binary.parent().expect("a directory").display();
    let path = std::env::var("PATH").expect("a PATH");
    let submitted = std::process::Command::new("sh")
        .arg(&file)
        .arg(story.aside.path().join("shared"))
        .env("PATH", format!("{programs}:{path}"))
        .env("SLURM_CONF", story.slurm.configuration())
        .env("XDG_CACHE_HOME", story.aside.path().join("cache"))
        .output()
        .expect("sh runs");
    let said = String::from_utf8_lossy(&submitted.stderr);
    assert!(submitted.status.success(), "{said}");
    let merged = story.aside.path().join("shared/junit.xml");
    until("the merge", || merged.exists());
    let merged = fs::read_to_string(merged).expect("the merged file");
    assert!(
        merged.contains("c0.test") && merged.contains("c1.test"),
        "{merged}"
    );
    assert!(!merged.contains("<error"), "{merged}");
}
