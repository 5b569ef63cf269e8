//! The output of the plain reporter.

use super::sample;
use super::sample::{Script, Shared, case, end, fold};
use crate::event::Record;
use crate::model::{CaseStatus, JobOutcome};
use crate::outcome::Run;
use crate::report::{PlainReporter, Reporter, Style};

fn print(records: &[Record], style: Style) -> String {
    let out = Shared::default();
    let mut reporter = PlainReporter::new(out.clone(), style);
    let mut run = Run::default();
    for record in records {
        run.apply(record);
        reporter.record(record, &run);
    }
    reporter.finish(&run).unwrap();
    out.text()
}

#[test]
fn a_success_is_a_line_a_job() {
    let text = print(&sample::success().records(), Style::new(false, true, 100));
    insta::assert_snapshot!(text);
}

#[test]
fn everything_at_once() {
    let text = print(
        &sample::everything().records(),
        Style::new(false, true, 100),
    );
    insta::assert_snapshot!(text);
}

#[test]
fn without_unicode_every_byte_is_ascii() {
    let text = print(
        &sample::everything().records(),
        Style::new(false, false, 100),
    );
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text.lines().next().unwrap());
}

#[test]
fn many_failures_are_bounded() {
    let mut script = Script::new(&["a.test"]).start("a.test");
    for number in 0..25 {
        script = script.case(case(
            "a.test",
            "",
            &format!("T{number}"),
            CaseStatus::Failed,
        ));
    }
    let script = script.end(end("a.test", JobOutcome::Failed, "25 failed"));
    let text = print(&script.records(), Style::new(false, true, 100));
    assert!(text.contains("failed T19\n    … 5 more\n"), "{text}");
    assert!(!text.contains("T20"));
}

#[test]
fn foreign_text_moves_no_cursor() {
    let script = Script::new(&["a.test"])
        .start("a.test")
        .failed(
            "a.test",
            "p\u{1b}[2J",
            "T\n\u{202e}\u{9b}2J",
            ("f\r", 1),
            "\u{1b}]0;x\u{7}bell\u{7}",
        )
        .end(end("a.test", JobOutcome::Failed, "1 failed\u{1b}[1A"));
    let text = print(&script.records(), Style::new(false, true, 100));
    let harmless = |character: char| character == '\n' || !character.is_control();
    assert!(text.chars().all(harmless), "{text:?}");
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn a_long_silence_is_broken_once_a_minute() {
    let script = Script::new(&["a.test", "b.test"])
        .start("a.test")
        .wait(30.0)
        .start("b.test");
    let run = fold(&script.records());
    let out = Shared::default();
    let mut reporter = PlainReporter::new(out.clone(), Style::new(false, true, 100));
    let start = run.start_time.unwrap();
    for seconds in 0..190 {
        reporter.tick(start + jiff::SignedDuration::from_secs(seconds), &run);
    }
    insta::assert_snapshot!(out.text());
}
