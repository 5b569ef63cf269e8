//! Sample runs, made of events, for the tests of the reporters.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::event::{
    CaseFinished, CaseStarted, Enforcement, Event, FORMAT_VERSION, FileChange, Isolation,
    JobFinished, JobQueued, JobStarted, LeftBehind, LeftFile, Notice, Record, RunFinished,
    RunStarted, Span,
};
use crate::fs::Directory;
use crate::model::JobId;
use crate::model::{CaseStatus, Ending, JobOutcome, Tally};
use crate::outcome::Run;

/// Returns a report directory that is not there.
pub fn nowhere() -> Directory {
    Directory::expect(Path::new("/nonexistent")).unwrap()
}

/// A run that is being written.
pub struct Script {
    records: Vec<Record>,
    now: jiff::Timestamp,
}

pub fn id(job: &str) -> JobId {
    let (component, step) = job.split_once('.').unwrap();
    JobId::new(component, step)
}

pub fn case(job: &str, package: &str, name: &str, status: CaseStatus) -> CaseFinished {
    CaseFinished {
        job: id(job),
        attempt: 1,
        package: package.to_owned(),
        name: name.to_owned(),
        status,
        seconds: Some(0.25),
        message: None,
        file: None,
        line: None,
        cached: false,
        findings: Default::default(),
        output: Vec::new(),
    }
}

pub fn end(job: &str, outcome: JobOutcome, reason: &str) -> JobFinished {
    JobFinished {
        job: id(job),
        attempt: 1,
        outcome,
        reason: reason.to_owned(),
        fix: None,
        lasts: false,
        allowed: None,
        ending: Some(Ending::ExitCode(i32::from(outcome == JobOutcome::Failed))),
        seconds: 6.125,
        cpu_seconds: Some(3.5),
        peak_memory: Some(31 << 20),
        peak_memory_of: Default::default(),
        cases: Tally::default(),
        packages_known: true,
        left_behind: Default::default(),
        network_tried: Vec::new(),
        reach: Default::default(),
        log: Some(format!("logs/{job}.log")),
        log_size: 0,
        findings: Default::default(),
    }
}

/// Makes leftovers of each kind, with untrusted names.
pub fn left_behind() -> LeftBehind {
    let file = |path: &str, change| LeftFile {
        path: path.to_owned(),
        change,
    };
    LeftBehind {
        files: vec![
            file("coverage.txt", FileChange::Created),
            file("go.sum", FileChange::Changed),
            file("pkg/\u{1b}[2Jname\nwith a newline", FileChange::Created),
            file("../LICENSE", FileChange::Deleted),
        ],
        more_files: 12,
        shared_with: vec![id("agent.check")],
        processes: vec!["sleep 600 (4711)".to_owned()],
        more_processes: 30,
        mounts: vec!["/run/vc/vm/template (tmpfs)".to_owned()],
        sockets: vec!["tcp 127.0.0.1:8080".to_owned()],
        unknown: vec!["what sudo (4712) listens on: Permission denied (os error 13)".to_owned()],
        ..LeftBehind::default()
    }
}

/// Makes the end of a job that never started.
pub fn never(job: &str, outcome: JobOutcome, reason: &str) -> JobFinished {
    JobFinished {
        attempt: 0,
        ending: None,
        seconds: 0.0,
        cpu_seconds: None,
        peak_memory: None,
        peak_memory_of: Default::default(),
        log: None,
        ..end(job, outcome, reason)
    }
}

impl Script {
    /// Starts a run at a fixed time with these jobs in its plan.
    pub fn new(jobs: &[&str]) -> Self {
        let mut components: Vec<String> = Vec::new();
        for job in jobs {
            let component = id(job).component().to_owned();
            if !components.contains(&component) {
                components.push(component);
            }
        }
        let started = RunStarted {
            run_id: "20260503T100000-42".to_owned(),
            version: "0.1.0".to_owned(),
            pipeline: "kata-v1".to_owned(),
            workspace: "/home/ann/kata".to_owned(),
            machine: Some("builder".to_owned()),
            revisions: components
                .iter()
                .map(|component| (component.clone(), "d4e5f6a".to_owned()))
                .collect(),
            components,
            steps: vec!["check".to_owned(), "test".to_owned()],
            jobs: jobs.iter().copied().map(id).collect(),
            fingerprint: None,
            parallel: 2,
            again: "kata-ci run -p kata-v1".to_owned(),
            isolation: Isolation {
                network: Enforcement::ENFORCED,
                processes: Enforcement::ENFORCED,
                files: Enforcement::Off,
                mode: String::new(),
                limits: Default::default(),
            },
            since: None,
            rerun_of: None,
            case: None,
            notices: Vec::new(),
            shard: None,
        };
        Self::of(started, jobs)
    }

    pub fn of(started: RunStarted, jobs: &[&str]) -> Self {
        let mut script = Self {
            records: Vec::new(),
            now: "2026-05-03T10:00:00.25Z".parse().unwrap(),
        };
        script.push(Event::RunStarted(started));
        for job in jobs {
            script.push(Event::JobQueued(JobQueued {
                job: id(job),
                command: format!("make {}", id(job).step()),
                directory: format!("/home/ann/kata/{}", id(job).component()),
                estimate: None,
                timeout: None,
            }));
        }
        script
    }

    pub fn edit(mut self, edit: impl FnOnce(&mut RunStarted)) -> Self {
        if let Event::RunStarted(started) = &mut self.records[0].event {
            edit(started);
        }
        self
    }

    pub fn notice(self, text: &str, fix: Option<&str>) -> Self {
        self.edit(|started| {
            started.notices.push(Notice {
                text: text.to_owned(),
                fix: fix.map(str::to_owned),
                is_fact: false,
            });
        })
    }

    pub fn push(&mut self, event: Event) {
        self.records.push(Record {
            v: FORMAT_VERSION,
            seq: self.records.len() as u64,
            time: self.now,
            event,
        });
    }

    /// Advances the time.
    pub fn wait(mut self, seconds: f64) -> Self {
        self.now += jiff::SignedDuration::from_secs_f64(seconds);
        self
    }

    pub fn start(mut self, job: &str) -> Self {
        self.push(Event::JobStarted(JobStarted {
            isolation: None,
            slot: 0,
            job: id(job),
            attempt: 1,
            only: None,
            log: format!("logs/{job}.log"),
        }));
        self
    }

    pub fn begin(mut self, job: &str, package: &str, name: &str) -> Self {
        self.push(Event::CaseStarted(CaseStarted {
            job: id(job),
            attempt: 1,
            package: package.to_owned(),
            name: name.to_owned(),
            offset: 0,
        }));
        self
    }

    pub fn case(mut self, case: CaseFinished) -> Self {
        self.push(Event::CaseFinished(case));
        self
    }

    /// Adds `count` passed cases.
    pub fn passed(self, job: &str, package: &str, count: usize) -> Self {
        (0..count).fold(self, |script, number| {
            let name = format!("TestPass{number}");
            script.case(case(job, package, &name, CaseStatus::Passed))
        })
    }

    pub fn failed(
        self,
        job: &str,
        package: &str,
        name: &str,
        place: (&str, u32),
        why: &str,
    ) -> Self {
        self.case(CaseFinished {
            message: Some(why.to_owned()),
            file: Some(place.0.to_owned()),
            line: Some(place.1),
            ..case(job, package, name, CaseStatus::Failed)
        })
    }

    pub fn end(mut self, end: JobFinished) -> Self {
        self.push(Event::JobFinished(end));
        self
    }

    /// Ends the run with the exit code that its jobs add up to.
    pub fn finish(mut self, signal: Option<i32>) -> Self {
        let exit = fold(&self.records).exit_code(signal).code();
        self.push(Event::RunFinished(RunFinished {
            exit,
            seconds: 151.2,
            signal,
        }));
        self
    }

    pub fn records(self) -> Vec<Record> {
        self.records
    }

    pub fn run(self) -> Run {
        fold(&self.records)
    }
}

pub fn fold(records: &[Record]) -> Run {
    let mut run = Run::default();
    for record in records {
        run.apply(record);
    }
    run
}

/// Makes a run of two components that both pass.
pub fn success() -> Script {
    Script::new(&["proxy.check", "proxy.test"])
        .start("proxy.check")
        .passed("proxy.check", "static-checks", 9)
        .case(case(
            "proxy.check",
            "static-checks",
            "static_check_json",
            CaseStatus::Skipped,
        ))
        .end(end("proxy.check", JobOutcome::Passed, ""))
        .start("proxy.test")
        .wait(1.0)
        .passed("proxy.test", "", 15)
        .end(end("proxy.test", JobOutcome::Passed, ""))
        .finish(None)
}

/// Makes a run with every outcome, and every status of a case.
pub fn everything() -> Script {
    let script = Script::new(&[
        "agent.check",
        "agent.test",
        "libs.test",
        "proxy.check",
        "proxy.test",
        "runtime.check",
        "runtime.test",
        "shim.check",
        "shim.test",
        "tools.check",
        "tools.test",
        "vsock.test",
    ]);
    with_untested(with_failures(script)).finish(None)
}

fn with_failures(script: Script) -> Script {
    script
        .notice("`CI` is set together with KATA_DEV_MODE", Some("unset CI"))
        .edit(|started| {
            started.isolation.network = Enforcement::Advisory("not built yet".to_owned());
            started.isolation.files = Enforcement::Advisory("not built yet".to_owned());
        })
        .start("agent.check")
        .end(JobFinished {
            fix: Some("install yq, or add it to PATH".to_owned()),
            ..end("agent.check", JobOutcome::Error, "not found on this machine: yq")
        })
        .start("agent.test")
        .passed("agent.test", "pkg/types", 3)
        .case(CaseFinished {
            cached: true,
            findings: Default::default(),
            ..case("agent.test", "pkg/types", "TestCached", CaseStatus::Passed)
        })
        .failed("agent.test", "network", "TestUpdateRoutes", ("network_test.go", 148), "no such device")
        .failed(
            "agent.test",
            "network",
            "TestListInterfaces/with a very long name of a subtest",
            ("network_test.go", 7),
            "panic: index out of range [1] with length 1, which is a long story that does not fit into a line",
        )
        .begin("agent.test", "network", "TestHang")
        .case(CaseFinished {
            seconds: None,
            ..case("agent.test", "network", "TestHang", CaseStatus::Unfinished)
        })
        .case(case("agent.test", "pkg/types", "TestFlaky", CaseStatus::Flaky))
        .case(case("agent.test", "protocols/client", "(package)", CaseStatus::NotRun))
        .case(case("agent.test", "pkg/uevent", "(package)", CaseStatus::NotRun))
        .case(case("agent.test", "", "(package)", CaseStatus::NotRun))
        .case(case("agent.test", "b", "(package)", CaseStatus::NotRun))
        .end(JobFinished {
            left_behind: left_behind(),
            ..end("agent.test", JobOutcome::Failed, "2 failed, 1 never ended")
        })
        .start("libs.test")
        .end(JobFinished {
            fix: Some("run as another user, or set USERID=1000".to_owned()),
            ..end(
                "libs.test",
                JobOutcome::Vacuous,
                "the command passed, but no case ran: 29 filtered out",
            )
        })
}

fn with_untested(script: Script) -> Script {
    script
        .start("proxy.check")
        .passed("proxy.check", "", 1)
        .end(end("proxy.check", JobOutcome::Passed, ""))
        .start("proxy.test")
        .passed("proxy.test", "", 2)
        .end(JobFinished {
            fix: Some("raise `timeout` of the step, or see in its log where it hangs".to_owned()),
            ending: Some(Ending::Signal(15)),
            ..end("proxy.test", JobOutcome::TimedOut, "did not end within 30m")
        })
        .end(never(
            "runtime.test",
            JobOutcome::NotRun,
            "needs runtime.check, which was skipped",
        ))
        .end(JobFinished {
            fix: Some("modprobe kvm".to_owned()),
            ..never(
                "runtime.check",
                JobOutcome::Skipped,
                "/dev/kvm cannot be opened",
            )
        })
        .end(JobFinished {
            fix: Some("modprobe kvm".to_owned()),
            ..never(
                "shim.check",
                JobOutcome::Skipped,
                "/dev/kvm cannot be opened",
            )
        })
        .start("shim.test")
        .end(JobFinished {
            allowed: Some("faketty needs Travis".to_owned()),
            ..end(
                "shim.test",
                JobOutcome::Vacuous,
                "the command passed, but no case ran",
            )
        })
        .start("tools.check")
        .end(end(
            "tools.check",
            JobOutcome::Cancelled,
            "another job failed (--fail-fast)",
        ))
        .start("tools.test")
        .passed("tools.test", "", 1)
        .end(end(
            "tools.test",
            JobOutcome::Failed,
            "exited with 1, although every case that ended has passed",
        ))
        .start("vsock.test")
}

/// Makes a case whose output is a whole log.
pub fn with_output(case: CaseFinished, size: u64) -> CaseFinished {
    CaseFinished {
        output: vec![Span {
            start: 0,
            end: size,
        }],
        ..case
    }
}

/// A stream that can be read while a reporter owns it.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
