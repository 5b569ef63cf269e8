//! Tests that links, pipes and files of a job in place of kata-ci's own are not followed, waited
//! for or believed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::isolation::{Lab, Who};
use crate::support::{Finished, KataCi, processes};

/// Users and isolation.
const SETTINGS: &[(Who, &str)] = &[
    (Who::Myself, "on"),
    (Who::Myself, "auto"),
    (Who::User, "on"),
    (Who::User, "auto"),
];

/// The settings in which jobs can reach the reports. In the strict sandbox they are read-only.
const REACHABLE: &[(Who, &str)] = &[(Who::Myself, "auto"), (Who::User, "auto")];

/// Time limit of a run whose jobs take no time, in seconds.
const LONGEST: f64 = 60.0;

/// A run with all files in the work tree of its first job. `foreign` holds somebody else's files of
/// the same names.
struct Scene {
    lab: Lab,
    foreign: tempfile::TempDir,
}

impl Scene {
    /// Creates it. `FOREIGN` in the script becomes the path of somebody else's files.
    fn new(script: &str) -> Self {
        let foreign = tempfile::tempdir().expect("a directory");
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(foreign.path(), open).expect("set");
        fs::create_dir(foreign.path().join("logs")).expect("made");
        for name in ["junit.xml", "summary.md", "result.json", "report.html"] {
            let path = foreign.path().join(name);
            fs::write(&path, "foreign").expect("written");
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
            fs::set_permissions(path, open).expect("set");
        }
        let script = script.replace("FOREIGN", foreign.path().to_str().expect("text"));
        let lab = Lab::new(&script);
        fs::create_dir(lab.path("work/a/out")).expect("made");
        fs::write(lab.path("work/a/out/step"), "before\n").expect("written");
        Self { lab, foreign }
    }

    fn reports(&self) -> PathBuf {
        self.lab.path("work/a/reports")
    }

    fn call(&self, who: Who, more: &[&str]) -> KataCi {
        let call = KataCi::bare()
            .args(["run", "-j1", "-s", "check", "-C"])
            .args([self.lab.path("work")])
            .args(["--report-dir"])
            .args([self.reports()])
            .args(more)
            .reports_in(&self.reports());
        who.calls(call, &self.lab.path("."))
    }

    /// Runs with every file that can be asked for.
    fn run(&self, who: Who, isolate: &str) -> Finished {
        let junit = self.out("junit.xml");
        let junit = junit.to_str().expect("text");
        let call = self.call(
            who,
            &["--isolate", isolate, "--ci", "github", "--junit", junit],
        );
        let run = call
            .env("GITHUB_STEP_SUMMARY", self.out("step"))
            .env("GITHUB_WORKSPACE", self.lab.path("work"))
            .finish();
        assert!(
            run.seconds < LONGEST,
            "{} s: {}",
            run.seconds,
            run.printed()
        );
        run
    }

    fn out(&self, name: &str) -> PathBuf {
        self.lab.path("work/a/out").join(name)
    }

    fn assert_foreign_is_untouched(&self) {
        let mut left = Vec::new();
        for entry in fs::read_dir(self.foreign.path()).expect("read") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => assert_eq!(fs::read_dir(&path).expect("read").count(), 0),
                false => left.push(fs::read_to_string(&path).expect("read")),
            }
        }
        assert_eq!(left, ["foreign"; 4]);
    }
}

#[test]
fn a_link_in_the_place_of_a_directory_is_not_followed() {
    for (who, isolate) in SETTINGS {
        let scene = Scene::new("rm -rf out && ln -s FOREIGN out");
        let run = scene.run(*who, isolate).expect_code(75);
        scene.assert_foreign_is_untouched();
        let said = "out is a link or a file now, and no directory";
        assert_eq!(run.stderr.matches(said).count(), 2, "{}", run.stderr);
        assert_eq!(run.result()["exit"], 75, "{who:?} {isolate}");
    }
}

#[test]
fn a_link_in_the_place_of_the_reports_is_not_followed() {
    for (who, isolate) in REACHABLE {
        let scene = Scene::new("rm -rf reports && ln -s FOREIGN reports");
        let run = scene.run(*who, isolate).expect_code(75);
        scene.assert_foreign_is_untouched();
        let said = "reports is a link or a file now, and no directory";
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_link_in_the_place_of_the_logs_shows_nothing_of_where_it_leads() {
    for (who, isolate) in REACHABLE {
        let scene = Scene::new(
            "echo mine; mv reports/logs reports/aside && ln -s FOREIGN/logs reports/logs; exit 1",
        );
        let foreign = scene.foreign.path().join("logs");
        fs::write(foreign.join("a.check.log"), "SECRET\n").expect("written");
        let run = scene.run(*who, isolate);
        assert_eq!(fs::read_dir(&foreign).expect("read").count(), 1);
        let mut shown = run.printed();
        let names = ["junit.xml", "report.html", "summary.md", "result.json"];
        let written = names.map(|name| scene.reports().join(name));
        for path in written.iter().chain([&scene.out("step")]) {
            shown += &fs::read_to_string(path).unwrap_or_default();
        }
        assert!(!shown.contains("SECRET"), "{who:?}: {shown}");
        let said = "logs is a link or a file now, and no directory";
        assert!(shown.contains(said), "{who:?}: {shown}");
        let show = KataCi::bare().args([Path::new("report"), Path::new("show")]);
        let show = show.args([scene.reports()]);
        let show = who.calls(show, &scene.lab.path(".")).finish();
        assert!(!show.printed().contains("SECRET"), "{}", show.printed());
    }
}

#[test]
fn links_and_pipes_in_the_place_of_files_are_replaced() {
    for (who, isolate) in REACHABLE {
        let scene = Scene::new(
            "cd reports && ln -s FOREIGN/junit.xml junit.xml && ln -s FOREIGN/summary.md summary.md \
             && mkfifo report.html result.json logs/b.check.log && ln -s FOREIGN/junit.xml ../out/junit.xml",
        );
        scene.run(*who, isolate).expect_code(0);
        scene.assert_foreign_is_untouched();
        let reports = [
            "junit.xml",
            "summary.md",
            "report.html",
            "result.json",
            "logs/b.check.log",
        ];
        let all = reports.map(|name| scene.reports().join(name));
        for path in all.iter().chain([&scene.out("junit.xml")]) {
            let found = path.symlink_metadata().expect("there");
            assert!(found.is_file() && found.len() > 0, "{}", path.display());
        }
    }
}

#[test]
fn what_make_clean_removes_is_made_anew() {
    for (who, isolate) in SETTINGS {
        let scene = Scene::new("rm -rf reports out; echo cleaned");
        scene.run(*who, isolate).expect_code(0);
        let names = [
            "events.jsonl",
            "junit.xml",
            "result.json",
            "logs/b.check.log",
        ];
        for path in names.map(|name| scene.reports().join(name)) {
            assert!(path.is_file(), "{who:?} {isolate}: {}", path.display());
        }
        let events = fs::read_to_string(scene.reports().join("events.jsonl")).expect("it");
        assert!(events.contains("run-started") && events.contains("run-finished"));
        for name in ["junit.xml", "step"] {
            assert!(scene.out(name).is_file(), "{who:?} {isolate}: {name}");
        }
    }
}

#[test]
fn a_link_of_the_users_own_is_followed() {
    let scene = Scene::new("true");
    fs::create_dir(scene.lab.path("elsewhere")).expect("made");
    std::os::unix::fs::symlink("elsewhere", scene.lab.path("link")).expect("linked");
    let link = scene.lab.path("link/reports");
    let junit = scene.lab.path("link/junit.xml");
    let call = KataCi::bare()
        .args(["run", "-s", "check", "-C"])
        .args([scene.lab.path("work")])
        .args([
            Path::new("--report-dir"),
            &link,
            Path::new("--junit"),
            &junit,
        ]);
    Who::User
        .calls(call, &scene.lab.path("."))
        .finish()
        .expect_code(0);
    for name in [
        "reports/result.json",
        "reports/logs/a.check.log",
        "junit.xml",
    ] {
        assert!(scene.lab.path("elsewhere").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_pipe_in_the_place_of_an_old_result_keeps_nobody_waiting() {
    for who in [Who::Myself, Who::User] {
        let lab = Lab::new("true");
        let start = || {
            let call = KataCi::bare()
                .args(["run", "-s", "check", "-C"])
                .args([lab.path("work")])
                .args(["--keep-runs", "1"]);
            who.calls(call, &lab.path("."))
        };
        for _ in 0..2 {
            start().finish().expect_code(0);
            let runs = lab.path("state/kata-ci/runs");
            for name in ["result.json", "events.jsonl"] {
                let path = runs.join("latest").join(name);
                fs::remove_file(&path).expect("removed");
                mkfifo(&path, Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO).expect("made");
            }
        }
        for more in [&["run", "--resume"][..], &["run", "--rerun-failed"]] {
            let call = KataCi::bare()
                .args(more)
                .args([Path::new("-C"), &lab.path("work")]);
            let run = who.calls(call, &lab.path(".")).finish();
            assert!(run.seconds < LONGEST, "{}", run.printed());
        }
        for more in [&["report", "show"][..], &["report", "show", "--list"]] {
            let run = who
                .calls(KataCi::bare().args(more), &lab.path("."))
                .finish();
            assert!(run.seconds < LONGEST, "{}", run.printed());
        }
    }
}

#[test]
fn a_pipe_that_nobody_writes_into_is_named_and_the_rest_is_merged() {
    let place = tempfile::tempdir().expect("a directory");
    let pipe = place.path().join("pipe.xml");
    mkfifo(&pipe, Mode::S_IRWXU).expect("made");
    let file = place.path().join("a.xml");
    fs::write(
        &file,
        "<testsuite name=\"s\"><testcase name=\"c\"/></testsuite>",
    )
    .expect("written");
    let call = KataCi::bare()
        .args(["report", "merge"])
        .args([&pipe, &file]);
    let run = call.finish().expect_code(75);
    assert!(run.seconds < LONGEST);
    assert!(
        run.stderr.contains("named pipe that nobody writes into"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("name=\"c\""), "{}", run.stdout);
}

#[test]
fn what_comes_out_of_another_program_is_merged() {
    let script = "\"$0\" report merge <(sleep 0.3; echo '<testsuite name=\"s\"><testcase name=\"c\"/></testsuite>')";
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_kata-ci")])
        .output()
        .expect("bash runs");
    let merged = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && merged.contains("name=\"c\""),
        "{output:?}"
    );
}

/// Finds the helper: the first process of that name above the job.
const STOP_THE_HELPER: &str =
    "p=$$; while ! tr '\\0' ' ' </proc/$p/cmdline | grep -q 'kata-ci __job'; do
p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status); [ \"$p\" -gt 1 ] || exit 0; done
kill -STOP $p; sleep 777.25 & wait";

#[test]
fn a_job_that_stops_its_helper_ends_in_time() {
    let settings = [
        (Who::Myself, "off"),
        (Who::User, "off"),
        (Who::Forbidden, "auto"),
    ];
    for (who, isolate) in settings {
        let lab = Lab::new(STOP_THE_HELPER);
        let run = lab.run(
            who,
            &[
                "--isolate",
                isolate,
                "--network",
                "on",
                "--timeout",
                "2s",
                "--grace",
                "1s",
            ],
        );
        assert!(run.seconds < LONGEST, "{}", run.printed());
        assert_eq!(run.outcome("a.check"), "timed-out", "{}", run.printed());
        let left = processes::with("777.25");
        assert!(left.is_empty(), "{who:?} {isolate}: {left:?}");
    }
}

#[test]
fn a_run_whose_reports_are_not_whole_goes_on() {
    for (who, isolate) in REACHABLE {
        let scene =
            Scene::new("[ -e reports/junit.xml ] || mkdir -p reports/junit.xml/x; echo ran");
        let run = scene.run(*who, isolate).expect_code(75);
        assert!(run.stderr.contains("--resume"), "{}", run.stderr);
        assert!(!scene.reports().join("result.json").exists());
        fs::remove_dir_all(scene.reports().join("junit.xml")).expect("removed");
        let options = ["--isolate", isolate, "--resume"];
        let run = scene.call(*who, &options).finish().expect_code(0);
        assert!(
            run.printed().contains("2 jobs are finished, 0 left"),
            "{}",
            run.printed()
        );
        assert!(run.junit().contains("a.check"));
        assert_eq!(run.result()["exit"], 0);
        scene.call(*who, &options).finish().expect_code(4);
    }
}

#[test]
fn what_the_machine_kept_from_its_end_is_taken_up_again() {
    for (who, isolate) in REACHABLE {
        let scene = Scene::new("mkdir reports/logs/b.check.log; echo ran >>out/ran");
        let run = scene.run(*who, isolate).expect_code(75);
        assert_eq!(run.outcome("b.check"), "error");
        fs::remove_dir(scene.reports().join("logs/b.check.log")).expect("removed");
        let options = ["--isolate", isolate, "--resume"];
        let run = scene.call(*who, &options).finish().expect_code(0);
        assert_eq!(run.outcome("b.check"), "passed");
        let ran = fs::read_to_string(scene.out("ran")).expect("it");
        assert_eq!(ran, "ran\n", "{who:?} {isolate}: it ran again");
    }
}

/// Fills a disk of its own, continues with more room, and keeps the results.
const FULL: &str = "mount -t tmpfs -o size=300k none \"$REPORTS\"; \"$@\" || echo \"first $?\"; ls \"$REPORTS\"
mount -o remount,size=64m none \"$REPORTS\"; \"$@\" --resume; echo \"second $?\"; cat \"$REPORTS/result.json\"";

#[test]
fn a_run_on_a_full_disk_goes_on_when_there_is_room() {
    let scene = Scene::new("head -c 1000000 /dev/zero | tr '\\0' '\\n'");
    fs::create_dir(scene.reports()).expect("made");
    let words = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-ec",
        FULL,
        "sh",
    ];
    let call = KataCi::bare()
        .args([
            "run",
            "-j1",
            "-s",
            "check",
            "--isolate",
            "off",
            "--network",
            "on",
            "-C",
        ])
        .args([scene.lab.path("work")])
        .args([Path::new("--report-dir"), &scene.reports()])
        .env("REPORTS", scene.reports())
        .through(&words, Path::new(env!("CARGO_BIN_EXE_kata-ci")));
    let run = call.finish().expect_code(0);
    let (before, after) = run.stdout.split_once("second 0").expect("it goes on");
    assert!(before.contains("first 75"), "{before}");
    assert!(!before.contains("\nresult.json\n"), "{before}");
    assert!(after.contains("\"exit\": 0"), "{after}");
}
