//! The output of the plain reporter in the log of each CI system.

use std::fs;
use std::path::Path;

use super::sample::{Script, Shared, case, end};
use crate::event::Record;
use crate::fs::Directory;
use crate::model::{CaseStatus, JobOutcome};
use crate::outcome::Run;
use crate::report::ci::{Ci, DetectedCi};
use crate::report::{PlainReporter, Reporter, Style, summarise};

/// Lines that a CI system would execute.
const HOSTILE: &str = "\
::error file=a.go,line=1::from a test
  ::add-mask::x
##[add-mask]x
passed ##[group]y
::stop-commands::x
::set-output name=a::b
\u{1b}[0Ksection_start:1:evil[collapsed=true]\r\u{1b}[0Kevil
\u{1b}[0Ksection_end:1:kata-ci-1-agent.test\r\u{1b}[0K
@@@STEP_FAILURE@@@
\tindented, \u{202e}turned\n";

fn hostile() -> Vec<Record> {
    let name = "::warning::a name";
    let mut failing = case("agent.test", "", name, CaseStatus::Failed);
    failing.message = Some("::save-state name=a::message".to_owned());
    let script = Script::new(&["agent.test", "proxy.test"])
        .start("agent.test")
        .case(failing)
        .end(end("agent.test", JobOutcome::Failed, "##[error]reason"))
        .start("proxy.test")
        .passed("proxy.test", "", 2)
        .end(end("proxy.test", JobOutcome::Passed, ""));
    script.finish(None).records()
}

/// Returns the output of a run with its summary.
fn log(system: Option<Ci>, records: &[Record], directory: &Path) -> String {
    let held = Directory::expect(directory).unwrap();
    let style = Style::new(false, true, 100);
    let out = Shared::default();
    let reporter = PlainReporter::new(out.clone(), style);
    let mut reporter = match system {
        Some(system) => {
            let detected = DetectedCi::named(system, "A_VARIABLE", &Default::default());
            reporter.on(&detected, &held)
        }
        None => reporter,
    };
    let mut run = Run::default();
    for record in records {
        run.apply(record);
        reporter.record(record, &run);
    }
    reporter.finish(&run).unwrap();
    format!(
        "{}{}",
        out.text(),
        summarise(&run, &held, directory, &style)
    )
}

fn directory(output: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("logs")).unwrap();
    fs::write(directory.path().join("logs/agent.test.log"), output).unwrap();
    directory
}

/// Returns the log without the parts that differ from run to run.
fn printed(system: Option<Ci>) -> String {
    let directory = directory(HOSTILE);
    let log = log(system, &hostile(), directory.path());
    let log = log.replace(directory.path().to_str().unwrap(), "REPORTS");
    let token = regex::Regex::new("[0-9a-f]{32}").unwrap();
    token.replace_all(&log, "TOKEN").into_owned()
}

#[test]
fn each_system_gets_what_it_reads() {
    for system in Ci::ALL {
        let name = format!("{system:?}");
        insta::assert_snapshot!(name, printed(Some(system)).replace(['\u{1b}', '\r'], "^"));
    }
}

#[test]
fn what_jobs_print_is_no_command_whatever_was_detected() {
    let systems = Ci::ALL.into_iter().map(Some).chain([None]);
    for system in systems {
        let log = printed(system);
        let mine = [
            "::group::",
            "::endgroup::",
            "::stop-commands::TOKEN",
            "::TOKEN::",
        ];
        for line in log.lines() {
            let is_mine = mine.iter().any(|mark| line.starts_with(mark));
            let text = line.trim_start();
            assert!(is_mine || !text.starts_with("::"), "{system:?}: {line}");
            assert!(!line.contains("##["), "{system:?}: {line}");
            assert!(!text.starts_with("@@@"), "{system:?}: {line}");
        }
        let sections = log.matches("\r\u{1b}[0K").count();
        assert_eq!(sections, if system == Some(Ci::GitLab) { 2 } else { 0 });
    }
}

#[test]
fn commands_are_stopped_while_output_is_shown() {
    let log = printed(Some(Ci::GitHub));
    let (before, rest) = log.split_once("::stop-commands::TOKEN\n").unwrap();
    let (output, after) = rest.split_once("::TOKEN::\n").unwrap();
    assert!(before.contains("::group::output of agent.test (logs/agent.test.log)\n"));
    assert_eq!(
        output.lines().count(),
        HOSTILE.lines().count() + 2,
        "{output}"
    );
    assert!(after.starts_with("::endgroup::\n"));
}

#[test]
fn the_output_of_all_jobs_is_bounded() {
    let jobs: Vec<_> = (0..40).map(|number| format!("c{number}.test")).collect();
    let names: Vec<_> = jobs.iter().map(String::as_str).collect();
    let temporary = tempfile::tempdir().unwrap();
    fs::create_dir(temporary.path().join("logs")).unwrap();
    let mut script = Script::new(&names);
    for job in &names {
        let output = "a line of output\n".repeat(20_000);
        fs::write(temporary.path().join(format!("logs/{job}.log")), output).unwrap();
        script = script.start(job).end(end(job, JobOutcome::Failed, "1"));
    }
    let log = log(
        Some(Ci::GitLab),
        &script.finish(None).records(),
        temporary.path(),
    );
    assert!(log.len() < 2 << 20, "{}", log.len());
    assert!(log.contains("bytes left out, all of it is in logs/c0.test.log]"));
    assert!(log.contains("left out: there is too much in this log already\n"));
    assert_eq!(log.matches("section_start:").count(), 40);
}

#[test]
fn a_log_that_is_gone_is_said() {
    let temporary = tempfile::tempdir().unwrap();
    let log = log(Some(Ci::GitHub), &hostile(), temporary.path());
    assert!(
        log.contains("\n    the log cannot be read: No such file"),
        "{log}"
    );
}
