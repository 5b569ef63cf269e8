//! The end of a run as a person sees it.

use std::io;
use std::path::Path;

use super::SummaryContext;
use crate::event::JobFinished;
use crate::model::{CaseStatus, JobOutcome};
use crate::outcome::Run;
use crate::report::Style;
use crate::report::tests::sample;
use crate::report::tests::sample::{Script, case, end, never};

const REPORTS: &str = "/home/ann/.local/state/kata-ci/runs/latest";

fn tail(log: &str) -> io::Result<Vec<String>> {
    if log == "logs/agent.check.log" {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(vec![format!("last line of {REPORTS}/{log}")])
}

fn render(run: &Run, style: Style) -> String {
    SummaryContext {
        run,
        directory: Path::new(REPORTS),
        home: Some(Path::new("/home/ann")),
        style: &style,
        tail: &tail,
    }
    .render()
}

fn unicode(run: &Run) -> String {
    render(run, Style::new(false, true, 100))
}

#[test]
fn success_is_quiet() {
    insta::assert_snapshot!(unicode(&sample::success().run()));
}

#[test]
fn everything_at_once() {
    insta::assert_snapshot!(unicode(&sample::everything().run()));
}

#[test]
fn everything_in_ascii_and_narrow() {
    let text = render(&sample::everything().run(), Style::new(false, false, 60));
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

#[test]
fn colours_only_colour() {
    let run = sample::everything().run();
    let colored = render(&run, Style::new(true, true, 100));
    assert_ne!(colored, unicode(&run));
    assert_eq!(crate::text::clean(&colored), unicode(&run));
}

#[test]
fn a_run_that_was_interrupted() {
    let run = Script::new(&["a.test", "b.test", "c.test"])
        .start("a.test")
        .passed("a.test", "", 2)
        .end(JobFinished {
            left_behind: sample::left_behind(),
            ..end("a.test", JobOutcome::Cancelled, "interrupted")
        })
        .end(never("b.test", JobOutcome::NotRun, "interrupted"))
        .end(never("c.test", JobOutcome::NotRun, "interrupted"))
        .finish(Some(2))
        .run();
    insta::assert_snapshot!(unicode(&run));
}

#[test]
fn a_killed_run_says_so() {
    let run = Script::new(&["a.test"]).start("a.test").run();
    insta::assert_snapshot!(unicode(&run));
}

#[test]
fn an_empty_run() {
    insta::assert_snapshot!(unicode(&Run::default()));
}

#[test]
fn failing_cases_are_bounded_over_all_jobs() {
    let mut script = Script::new(&["a.test", "b.test"]);
    for job in ["a.test", "b.test"] {
        script = script.start(job);
        for number in 0..40 {
            script = script.case(case(job, "", &format!("T{number}"), CaseStatus::Failed));
        }
        script = script.end(end(job, JobOutcome::Failed, "40 failed"));
    }
    let text = unicode(&script.finish(None).run());
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("    T"))
            .count(),
        50
    );
    assert!(text.contains("      … 30 more, in junit.xml and in the log\n"));
}

#[test]
fn unknown_packages_are_said() {
    let run = Script::new(&["a.test"])
        .start("a.test")
        .failed("a.test", "pkg", "T", ("a_test.go", 1), "no")
        .end(JobFinished {
            packages_known: false,
            ..end("a.test", JobOutcome::Failed, "1 failed")
        })
        .finish(None)
        .run();
    assert!(unicode(&run).contains("    not run: unknown"));
}

#[test]
fn who_passed_with_a_reservation_has_it_said() {
    let met = "out of memory: it reached its limit of 64 MiB, and passed all the same";
    let run = Script::new(&["a.test", "b.test"])
        .start("a.test")
        .passed("a.test", "pkg", 15)
        .end(end("a.test", JobOutcome::Passed, met))
        .start("b.test")
        .end(end("b.test", JobOutcome::Passed, ""))
        .finish(None)
        .run();
    let text = unicode(&run);
    assert!(
        text.contains(&format!("! a.test passed: {met}\n")),
        "{text}"
    );
    assert!(!text.contains("b.test"), "{text}");
}

#[test]
fn a_flaky_job_has_its_remark_said_too() {
    let said = |reason: &str| {
        let run = Script::new(&["a.test"])
            .start("a.test")
            .case(case("a.test", "pkg", "TestFlaky", CaseStatus::Flaky))
            .end(end("a.test", JobOutcome::Passed, reason))
            .finish(None)
            .run();
        unicode(&run)
    };
    let allowed = "1 flaky: passed in attempt 2; allowed (known): make says: Error 1";
    let text = said(allowed);
    assert!(
        text.contains(&format!("! a.test passed: {allowed}\n")),
        "{text}"
    );
    let text = said("1 flaky: passed in attempt 2");
    assert!(!text.contains("a.test passed: "), "{text}");
}

#[test]
fn the_command_that_runs_it_again_is_quoted() {
    let run = Script::new(&["my component.it's"])
        .start("my component.it's")
        .end(end(
            "my component.it's",
            JobOutcome::Failed,
            "exited with 1",
        ))
        .finish(None)
        .run();
    let text = unicode(&run);
    assert!(
        text.contains("again: kata-ci run -p kata-v1 'my component' -s \"it's\"\n"),
        "{text}"
    );
}

#[test]
fn many_jobs_that_left_something_are_bounded_and_unknown_for_one_reason_is_one_line() {
    let jobs: Vec<String> = (0..30).map(|number| format!("c{number}.test")).collect();
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    let mut script = Script::new(&jobs);
    for job in &jobs {
        let mut left = sample::left_behind();
        left.unknown = vec!["files: no git".to_owned()];
        script = script.start(job).end(JobFinished {
            left_behind: left,
            ..end(job, JobOutcome::Passed, "")
        });
    }
    let text = unicode(&script.finish(None).run());
    assert_eq!(text.matches("left files behind").count(), 20);
    assert!(text.contains("  10 more jobs left something behind: see result.json\n"));
    assert_eq!(
        text.matches("  30 jobs: cannot tell what files they left (no git)\n")
            .count(),
        1
    );
}
