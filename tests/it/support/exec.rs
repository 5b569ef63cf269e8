//! Runs plans made by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use kata_ci::env::Environment;
use kata_ci::event::{Event, JobFinished};
use kata_ci::exec;
use kata_ci::exec::{Control, RunOptions};
use kata_ci::fs::Directory;
use kata_ci::model::{Command, JobId};
use kata_ci::plan::{Job, Plan};
use tempfile::TempDir;

/// A variable in every job of a bench, by which its leftovers are found.
const MARK: &str = "KATA_CI_TEST_MARK";

/// A directory to run jobs in.
pub struct Bench {
    place: Arc<TempDir>,
    mark: String,
    pub settings: RunOptions,
}

/// The result of a run.
pub struct Ran {
    pub events: Vec<Event>,
    pub elapsed: Duration,
    /// Keeps the logs.
    place: Arc<TempDir>,
}

impl Bench {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let place = Arc::new(tempfile::tempdir().unwrap());
        let logs = Directory::hold(place.path())
            .unwrap()
            .below("logs")
            .unwrap();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            mark: format!("{}-{count}.", process::id()),
            settings: RunOptions {
                done: Default::default(),
                parallel: 4,
                max_fail: None,
                logs,
                written_meanwhile: Vec::new(),
                require_all: false,
                program: env!("CARGO_BIN_EXE_kata-ci").into(),
                isolated: Default::default(),
            },
            place,
        }
    }

    /// Returns a path in the directory of the jobs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Returns a job that runs a script and is judged by its exit code.
    pub fn script(&self, component: &str, text: &str) -> Job {
        self.job(component, Command::Script(text.into()))
    }

    pub fn job(&self, component: &str, command: Command) -> Job {
        let id = JobId::new(component, "test");
        Job {
            environment: Environment::from([
                ("PATH".into(), std::env::var_os("PATH").unwrap()),
                (MARK.into(), self.mark.clone().into()),
            ]),
            ..Job::new(id, command, self.place.path().to_owned())
        }
    }

    /// Runs the jobs and checks that nothing is left of them.
    pub fn run(&self, jobs: impl Into<Vec<Job>>) -> Ran {
        self.run_watched(jobs, |_, _| {})
    }

    /// Runs the jobs without that check.
    pub fn run_unchecked(&self, jobs: impl Into<Vec<Job>>) -> Ran {
        let (control, controlled) = unbounded();
        self.run_with(jobs, |_, _| {}, &control, &controlled)
    }

    /// Runs like [`Bench::run`], with a callback for each event that can control the run.
    pub fn run_watched(
        &self,
        jobs: impl Into<Vec<Job>>,
        watch: impl FnMut(&Event, &Sender<Control>) + Send,
    ) -> Ran {
        let (control, controlled) = unbounded();
        let ran = self.run_with(jobs, watch, &control, &controlled);
        self.assert_nothing_left();
        ran
    }

    fn run_with(
        &self,
        jobs: impl Into<Vec<Job>>,
        mut watch: impl FnMut(&Event, &Sender<Control>) + Send,
        control: &Sender<Control>,
        controlled: &Receiver<Control>,
    ) -> Ran {
        let plan = Plan { jobs: jobs.into() };
        let (sender, receiver) = bounded(16);
        let start = Instant::now();
        let (events, elapsed) = std::thread::scope(|scope| {
            let consumer = scope.spawn(|| {
                let mut events = Vec::new();
                for event in receiver {
                    watch(&event, control);
                    events.push(event);
                }
                events
            });
            exec::run(&plan, &self.settings, &sender, controlled);
            let elapsed = start.elapsed();
            drop(sender);
            (consumer.join().unwrap(), elapsed)
        });
        Ran {
            events,
            elapsed,
            place: Arc::clone(&self.place),
        }
    }

    /// Expects that no process of any job of this bench is left.
    pub fn assert_nothing_left(&self) {
        let left = self.left();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    fn left(&self) -> Vec<String> {
        marked(&self.mark)
    }
}

/// Returns the leftovers of all benches of a process.
pub fn left_of(process: u32) -> Vec<String> {
    marked(&format!("{process}-"))
}

fn marked(mark: &str) -> Vec<String> {
    let mark = format!("{MARK}={mark}");
    let words = |path: PathBuf| std::fs::read(path).unwrap_or_default();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| contains(&words(entry.path().join("environ")), mark.as_bytes()))
        .map(|entry| {
            let words = words(entry.path().join("cmdline"));
            format!(
                "{} {}",
                entry.file_name().display(),
                String::from_utf8_lossy(&words)
            )
        })
        .collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

impl Ran {
    /// Returns the end of the component's job.
    pub fn finished(&self, component: &str) -> &JobFinished {
        let ends: Vec<_> = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::JobFinished(finished) if finished.job.component() == component => {
                    Some(finished)
                }
                _ => None,
            })
            .collect();
        assert_eq!(ends.len(), 1, "one end of {component}: {ends:?}");
        ends[0]
    }

    /// Returns `OUTCOME: REASON` of the component's job.
    pub fn verdict(&self, component: &str) -> String {
        let finished = self.finished(component);
        format!("{}: {}", finished.outcome.word(), finished.reason)
    }

    pub fn log(&self, component: &str) -> String {
        let bytes =
            std::fs::read(self.place.path().join(format!("logs/{component}.test.log"))).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn assert_within(&self, limit: Duration) {
        assert!(self.elapsed <= limit, "took {:?}", self.elapsed);
    }
}

/// Runs the calling test again in a process of its own, for effects on the whole process. Returns
/// true in that process.
pub fn is_alone(test: &str) -> bool {
    is_alone_behind(&["env"], test)
}

/// Does the same with another program, which gets the test as its last arguments.
pub fn is_alone_behind(words: &[&str], test: &str) -> bool {
    const ALONE: &str = "KATA_CI_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let output = process::Command::new(words[0])
        .args(&words[1..])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}
