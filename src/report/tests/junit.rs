//! junit.xml is well-formed and valid, and its totals are right, whatever the jobs printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::sample;
use super::sample::{Script, case, end, never, with_output};
use crate::event::JobFinished;
use crate::fs::Directory;
use crate::model::{CaseStatus, JobOutcome, Tally};
use crate::outcome::Run;
use crate::report::{Dialect, from_run, write_document};

const STATUSES: [CaseStatus; 6] = [
    CaseStatus::Passed,
    CaseStatus::Failed,
    CaseStatus::Skipped,
    CaseStatus::Unfinished,
    CaseStatus::NotRun,
    CaseStatus::Flaky,
];

fn xml_in(run: &Run, directory: &Path) -> String {
    let mut bytes = Vec::new();
    let directory = Directory::expect(directory).unwrap();
    write_document(&from_run(run, &directory), Dialect::Jenkins, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn xml(run: &Run) -> String {
    xml_in(run, Path::new("/nonexistent"))
}

fn number(node: Node<'_, '_>, name: &str) -> usize {
    node.attribute(name).unwrap().parse().unwrap()
}

fn elements<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.descendants()
        .filter(move |node| node.has_tag_name(name))
}

/// Parses the file, and checks that totals are the numbers of elements.
fn check(xml: &str) {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let root = document.root_element();
    for suite in elements(root, "testsuite").chain([root]) {
        assert_eq!(number(suite, "tests"), elements(suite, "testcase").count());
        assert_eq!(
            number(suite, "failures"),
            elements(suite, "failure").count()
        );
        assert_eq!(number(suite, "errors"), elements(suite, "error").count());
        if suite.has_tag_name("testsuite") {
            assert_eq!(number(suite, "skipped"), elements(suite, "skipped").count());
            assert_ne!(number(suite, "tests"), 0);
        }
    }
}

/// Returns the errors against the schema; `None` if xmllint is missing, which is a failure where
/// `CI` is set.
fn schema_errors(xml: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("junit.xml");
    fs::write(&file, xml).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/junit/junit.xsd");
    let output = Command::new("xmllint")
        .args(["--noout", "--huge", "--schema"])
        .args([&schema, &file])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Some(String::new()),
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => {
            let what = format!("xmllint is missing (package libxml2-utils): {error}");
            assert!(std::env::var_os("CI").is_none(), "{what}");
            eprintln!("NOT VALIDATED: {what}");
            None
        }
    }
}

fn validate(xml: &str) {
    if let Some(errors) = schema_errors(xml) {
        assert_eq!(errors, "", "{xml}");
    }
}

#[test]
fn the_schema_refuses_what_consumers_refuse() {
    let good = xml(&sample::everything().run());
    for (right, wrong) in [
        ("time=\"6.125\"", "time=\"6.1255\""),
        (
            "timestamp=\"2026-05-03T10:00:00\"",
            "timestamp=\"2026-05-03T10:00:00.25Z\"",
        ),
        (" hostname=\"builder\"", ""),
        (" skipped=\"1\"", ""),
        ("type=\"timed-out\"", "type=\"late\""),
        ("classname=\"agent.check\" ", ""),
        (
            "<testsuite name=\"agent.test\"",
            "<testsuite name=\"agent.check\"",
        ),
        ("<testcase ", "<testcase line=\"1\" "),
    ] {
        assert!(good.contains(right), "{right}");
        if let Some(errors) = schema_errors(&good.replacen(right, wrong, 1)) {
            assert_ne!(errors, "", "{wrong} is taken");
        }
    }
}

#[test]
fn everything_at_once() {
    let xml = xml(&sample::everything().run());
    check(&xml);
    validate(&xml);
    insta::assert_snapshot!(xml);
}

#[test]
fn runs_without_jobs_or_without_an_end_are_valid() {
    for run in [
        Run::default(),
        Script::new(&["a.test"]).start("a.test").run(),
    ] {
        let xml = xml(&run);
        check(&xml);
        validate(&xml);
    }
}

/// Returns the one case named after the step, as `(element, type)`.
fn carrier(finished: JobFinished, cases: &[CaseStatus]) -> Option<(String, String)> {
    let mut script = Script::new(&["a.test"]).start("a.test");
    for (index, status) in cases.iter().enumerate() {
        script = script.case(case("a.test", "pkg", &format!("T{index}"), *status));
    }
    let xml = xml(&script.end(finished).finish(None).run());
    check(&xml);
    let document = Document::parse(&xml).unwrap();
    let carrier = elements(document.root_element(), "testcase")
        .find(|case| case.attribute("name") == Some("test"))?;
    assert_eq!(carrier.attribute("classname"), Some("a.test"));
    Some(match carrier.first_element_child() {
        Some(child) => (
            child.tag_name().name().to_owned(),
            child.attribute("type").unwrap().to_owned(),
        ),
        None => ("passed".to_owned(), String::new()),
    })
}

#[test]
fn what_cases_do_not_explain_is_carried() {
    let carried = |outcome, cases: &[CaseStatus]| {
        carrier(end("a.test", outcome, "why"), cases)
            .map(|(element, word)| format!("{element} {word}"))
    };
    let passed = [CaseStatus::Passed];
    assert_eq!(carried(JobOutcome::Passed, &passed), None);
    assert_eq!(carried(JobOutcome::Passed, &[CaseStatus::Flaky]), None);
    assert_eq!(carried(JobOutcome::Failed, &[CaseStatus::Failed]), None);
    assert_eq!(carried(JobOutcome::Failed, &[CaseStatus::Unfinished]), None);
    let named = |outcome, cases| carried(outcome, cases).unwrap();
    assert_eq!(named(JobOutcome::Passed, &[]), "passed ");
    assert_eq!(named(JobOutcome::Passed, &[CaseStatus::Skipped]), "passed ");
    assert_eq!(named(JobOutcome::Failed, &passed), "failure failed");
    assert_eq!(named(JobOutcome::TimedOut, &passed), "error timed-out");
    assert_eq!(
        named(JobOutcome::TimedOut, &[CaseStatus::Failed]),
        "error timed-out"
    );
    assert_eq!(named(JobOutcome::Error, &passed), "error error");
    assert_eq!(
        named(JobOutcome::Vacuous, &[CaseStatus::Skipped]),
        "error vacuous"
    );
    assert_eq!(named(JobOutcome::Skipped, &[]), "skipped skipped");
    assert_eq!(named(JobOutcome::Cancelled, &passed), "skipped cancelled");
    assert_eq!(named(JobOutcome::NotRun, &[]), "skipped not-run");
}

#[test]
fn an_allowed_vacuous_job_is_skipped_with_the_reason() {
    let allowed = JobFinished {
        allowed: Some("no KVM here".to_owned()),
        ..end("a.test", JobOutcome::Vacuous, "no case ran")
    };
    let expected = ("skipped".to_owned(), "vacuous".to_owned());
    assert_eq!(carrier(allowed, &[]), Some(expected));
}

const HOSTILE: &[u8] = b"]]> <&\"'> \x00\x07\x1b[31mred\x1b[0m\x1b]0;unterminated \xff\xfe\xc3\n\
    next \xef\xbf\xbe \xef\xbf\xbf \xc2\x85\xc2\x9b2J \xed\xa0\x80\r\nlast\ttab";

#[test]
fn hostile_names_and_output_are_harmless() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("logs")).unwrap();
    let mut log = HOSTILE.to_vec();
    log.extend(vec![b'x'; 1 << 20]);
    fs::write(directory.path().join("logs/a.test.log"), &log).unwrap();
    let text = String::from_utf8_lossy(HOSTILE).into_owned();
    let mut failed = with_output(
        case("a.test", &text, &text, CaseStatus::Failed),
        log.len() as u64,
    );
    failed.message = Some(text.clone() + &"é".repeat(1 << 20));
    failed.file = Some(text.clone());
    let run = Script::new(&["a.test"])
        .edit(|started| {
            started.version = text.clone();
            started.machine = Some(text.clone());
        })
        .start("a.test")
        .case(failed)
        .end(end("a.test", JobOutcome::Failed, &text))
        .finish(None)
        .run();
    let xml = xml_in(&run, directory.path());
    check(&xml);
    validate(&xml);
    assert!(xml.len() < 40_000, "{}", xml.len());
    let document = Document::parse(&xml).unwrap();
    let output = elements(document.root_element(), "system-out")
        .next()
        .unwrap();
    let output = output.text().unwrap();
    assert!(
        output.starts_with("]]> <&\"'> \u{fffd}red\n"),
        "{output:.60}"
    );
    assert!(output.contains("all of it is in logs/a.test.log]"));
    assert!(!xml.contains("]]>") && !xml.contains('\u{1b}'));
}

#[test]
fn stored_output_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("logs")).unwrap();
    let log = "& it fails\n".repeat(4000);
    fs::write(directory.path().join("logs/a.test.log"), &log).unwrap();
    let mut script = Script::new(&["a.test"]).start("a.test");
    for index in 0..600 {
        let failed = case("a.test", "", &format!("T{index}"), CaseStatus::Failed);
        script = script.case(with_output(failed, log.len() as u64));
    }
    let run = script
        .end(end("a.test", JobOutcome::Failed, "600 failed"))
        .finish(None)
        .run();
    let xml = xml_in(&run, directory.path());
    check(&xml);
    assert!(xml.len() < 8 << 20, "{}", xml.len());
    let full = "[no more output is stored here, all of it is in logs/a.test.log]";
    assert_eq!(xml.matches(full).count(), 1);
}

#[test]
fn a_missing_log_is_said_in_its_place() {
    let failed = with_output(case("a.test", "", "T", CaseStatus::Failed), 9);
    let script = Script::new(&["a.test"]).start("a.test").case(failed);
    let run = script
        .end(end("a.test", JobOutcome::Failed, "1 failed"))
        .run();
    assert!(xml(&run).contains("[logs/a.test.log cannot be read: "));
}

#[test]
fn the_last_output_of_a_job_without_a_failing_case_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("logs")).unwrap();
    fs::write(directory.path().join("logs/a.test.log"), "make: Error 2\n").unwrap();
    let finished = JobFinished {
        log_size: 14,
        ..end("a.test", JobOutcome::Failed, "exited with 2")
    };
    let run = Script::new(&["a.test"]).start("a.test").end(finished).run();
    let xml = xml_in(&run, directory.path());
    assert!(
        xml.contains("<system-out>make: Error 2\n</system-out>"),
        "{xml}"
    );
}

/// The upper bound has much room: it shows that the time is linear.
#[test]
fn a_hundred_thousand_cases_are_written_soon() {
    let run = Script::new(&["a.test"])
        .start("a.test")
        .passed("a.test", "pkg/one", 100_000)
        .end(end("a.test", JobOutcome::Passed, ""))
        .finish(None)
        .run();
    let begin = Instant::now();
    let xml = xml(&run);
    let took = begin.elapsed();
    eprintln!("{} bytes in {took:?}", xml.len());
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(xml.len() < 16 << 20);
    assert_eq!(xml.matches("<testcase ").count(), 100_000);
}

fn outcomes() -> impl Strategy<Value = JobOutcome> {
    proptest::sample::select(JobOutcome::ALL.to_vec())
}

/// Generates hostile text: any characters, and those that break XML, terminals and attributes.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(\\]\\]>|<|&|\"|'|\u{0}|\u{1b}\\[31m|\u{1b}\\]0;|\u{fffe}|\u{9b}|\n|\t|\r|é|a){0,20}",
    ]
}

proptest! {
    #[test]
    fn any_run_is_well_formed_and_adds_up(
        jobs in proptest::collection::vec(
            (outcomes(), texts(), any::<bool>(), proptest::collection::vec(
                (proptest::sample::select(STATUSES.to_vec()), texts(), texts(), proptest::option::of(texts())),
                0..6,
            )),
            0..4,
        ),
    ) {
        let names: Vec<_> = (0..jobs.len()).map(|index| format!("c{index}.test")).collect();
        let mut script = Script::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut expected = Tally::default();
        for (name, (outcome, reason, allowed, cases)) in names.iter().zip(&jobs) {
            script = script.start(name);
            for (status, package, test, message) in cases {
                expected.add(*status);
                let mut case = case(name, package, test, *status);
                case.message = message.clone();
                case.file = message.clone();
                script = script.case(case);
            }
            let allowed = allowed.then(|| reason.clone());
            script = script.end(JobFinished { allowed, ..never(name, *outcome, reason) });
        }
        let run = script.finish(None).run();
        prop_assert_eq!(run.tally(), expected);
        let xml = xml(&run);
        check(&xml);
        let document = Document::parse(&xml).unwrap();
        let root = document.root_element();
        let of_type = |element, word| elements(root, element)
            .filter(|node| node.attribute("type") == Some(word))
            .count() as u64;
        let named = |outcome| jobs.iter().filter(|job| job.0 == outcome).count() as u64;
        prop_assert_eq!(of_type("error", "unfinished"), expected.unfinished);
        prop_assert_eq!(of_type("flakyFailure", "failed"), expected.flaky);
        prop_assert_eq!(of_type("error", "timed-out"), named(JobOutcome::TimedOut));
        prop_assert_eq!(of_type("error", "error"), named(JobOutcome::Error));
        prop_assert_eq!(of_type("skipped", "skipped"), expected.skipped + named(JobOutcome::Skipped));
        prop_assert_eq!(of_type("skipped", "not-run"), expected.not_run + named(JobOutcome::NotRun));
        prop_assert_eq!(
            of_type("error", "vacuous") + of_type("skipped", "vacuous"),
            named(JobOutcome::Vacuous)
        );
    }
}
