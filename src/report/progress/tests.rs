//! Frames as a terminal shows them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use indicatif::InMemoryTerm;

use super::*;
use crate::event::{Record, RunStopping};
use crate::model::CaseStatus;
use crate::report::tests::sample::{Script, case, end};

struct Screen {
    term: InMemoryTerm,
    reporter: Option<ProgressReporter>,
    run: Run,
    columns: Arc<AtomicU16>,
}

impl Screen {
    fn new(rows: u16, columns: u16) -> Self {
        let term = InMemoryTerm::new(rows, columns);
        let columns = Arc::new(AtomicU16::new(columns));
        let now = Arc::clone(&columns);
        let size = Box::new(move || (rows, now.load(Ordering::Relaxed)));
        Self {
            term: term.clone(),
            reporter: Some(ProgressReporter::on(
                term,
                size,
                Style::new(false, true, 80),
            )),
            run: Run::default(),
            columns,
        }
    }

    fn play(&mut self, records: &[Record]) {
        for record in records {
            self.run.apply(record);
            if let Some(reporter) = &mut self.reporter {
                reporter.record(record, &self.run);
            }
        }
    }

    fn tick(&mut self, seconds: i64) -> String {
        let start = self.run.start_time.unwrap();
        let now = start + jiff::SignedDuration::from_secs(seconds);
        if let Some(reporter) = &mut self.reporter {
            reporter.tick(now, &self.run);
        }
        self.term.contents()
    }
}

fn running() -> Script {
    Script::new(&["proxy.test", "agent.test", "libs.test"])
        .start("proxy.test")
        .passed("proxy.test", "", 15)
        .start("agent.test")
        .passed("agent.test", "network", 3)
        .end(end("proxy.test", JobOutcome::Passed, ""))
        .begin("agent.test", "network", "TestUpdateRoutes")
}

#[test]
fn finished_jobs_are_history_and_what_runs_is_below() {
    let mut screen = Screen::new(20, 80);
    screen.play(&running().records());
    insta::assert_snapshot!(screen.tick(130));
}

#[test]
fn the_end_leaves_only_history() {
    let mut screen = Screen::new(20, 80);
    let script = running()
        .end(end("agent.test", JobOutcome::Failed, "exited with 2"))
        .end(end("libs.test", JobOutcome::Vacuous, "no case ran"))
        .finish(None);
    screen.play(&script.records());
    insta::assert_snapshot!(screen.tick(131));
}

#[test]
fn what_the_terminal_echoes_leaves_no_line_behind() {
    let mut screen = Screen::new(20, 80);
    screen.play(&running().records());
    screen.tick(1);
    screen.term.write_str("^C").unwrap();
    let mut script = Script::new(&[]);
    script.push(stopping());
    screen.play(&script.records()[1..]);
    screen.term.write_str("^C").unwrap();
    insta::assert_snapshot!(screen.tick(2));
}

fn stopping() -> Event {
    Event::RunStopping(RunStopping {
        reason: "cancelled by SIGINT".to_owned(),
        signal: Some(2),
        running: 1,
    })
}

#[test]
fn many_jobs_collapse() {
    let names: Vec<_> = (0..30).map(|number| format!("c{number}.test")).collect();
    let jobs: Vec<_> = names.iter().map(String::as_str).collect();
    let script = jobs
        .iter()
        .fold(Script::new(&jobs), |script, job| script.start(job));
    let mut screen = Screen::new(12, 60);
    screen.play(&script.records());
    insta::assert_snapshot!(screen.tick(5));
}

#[test]
fn no_finished_line_is_lost_on_a_small_screen() {
    let names: Vec<_> = (0..6).map(|number| format!("c{number}.test")).collect();
    let jobs: Vec<_> = names.iter().map(String::as_str).collect();
    let mut script = Script::new(&jobs);
    for job in &jobs {
        script = script.start(job).end(end(job, JobOutcome::Passed, ""));
    }
    let mut screen = Screen::new(10, 40);
    for record in script.finish(None).records() {
        screen.play(std::slice::from_ref(&record));
        screen.tick(1);
    }
    let contents = screen.term.contents();
    for name in &names {
        assert!(contents.contains(&format!("✓ {name}")), "{contents}");
    }
}

#[test]
fn what_a_test_is_called_does_not_move_the_cursor() {
    let mut screen = Screen::new(20, 40);
    let script = Script::new(&["a.test"]).start("a.test").begin(
        "a.test",
        "p\n\n\u{1b}[2J",
        "T\u{1b}]0;never ended \r\u{9b}2J\u{202e}",
    );
    screen.play(&script.records());
    let contents = screen.tick(1);
    assert_eq!(contents.lines().count(), 3, "{contents}");
    assert!(contents.lines().all(|line| text::width(line) <= 40));
}

#[test]
fn a_narrower_terminal_gets_shorter_lines() {
    let mut screen = Screen::new(20, 80);
    screen.play(&running().records());
    screen.columns.store(30, Ordering::Relaxed);
    let contents = screen.tick(1);
    let below: Vec<_> = contents.lines().skip(2).collect();
    assert!(!below.is_empty());
    assert!(
        below.iter().all(|line| text::width(line) < 30),
        "{contents}"
    );
}

#[test]
fn a_dropped_reporter_leaves_a_clean_screen() {
    let mut screen = Screen::new(20, 80);
    screen.play(&running().records());
    assert!(screen.tick(1).contains("of 3 jobs"));
    screen.reporter = None;
    assert!(!screen.term.contents().contains("of 3 jobs"));
    assert!(screen.term.contents().contains("✓ proxy.test"));
}

#[test]
fn events_alone_draw_nothing_new() {
    let mut screen = Screen::new(20, 80);
    screen.play(&running().records());
    let before = screen.tick(1);
    let mut script = Script::new(&[]);
    script.push(Event::CaseFinished(case(
        "agent.test",
        "",
        "TestNew",
        CaseStatus::Passed,
    )));
    screen.play(&script.records()[1..]);
    assert_eq!(screen.term.contents(), before);
    assert!(screen.tick(1).contains("4 passed"));
}

#[test]
fn how_long_it_takes_yet_is_told_when_every_job_has_been_seen_before() {
    let mut records = running().records();
    let mut screen = Screen::new(24, 80);
    screen.play(&records);
    assert!(!screen.tick(1).contains("left"));
    for record in &mut records {
        if let Event::JobQueued(queued) = &mut record.event {
            queued.estimate = Some(90.0);
        }
    }
    let mut screen = Screen::new(24, 80);
    screen.play(&records);
    let shown = screen.tick(1);
    assert!(shown.contains(" · about "), "{shown}");
}

#[test]
fn a_slow_job_shows_its_usual_time_and_then_the_timeout_that_comes() {
    let mut screen = Screen::new(20, 80);
    screen.play(&running().records());
    let job = screen.run.jobs.values_mut().find(|job| job.is_running());
    let queued = &mut job.expect("one runs").queued;
    (queued.estimate, queued.timeout) = (Some(40.0), Some(300.0));
    let line = |screen: &mut Screen, seconds| {
        let shown = screen.tick(seconds);
        let line = shown.lines().find(|line| line.contains('▸'));
        line.expect("a running job").to_owned()
    };
    let in_time = line(&mut screen, 55);
    assert!(!in_time.contains("usually"), "{in_time}");
    let slow = line(&mut screen, 100);
    assert!(slow.contains("usually 0:40"), "{slow}");
    let late = line(&mut screen, 270);
    assert!(late.contains("timeout in 0:3"), "{late}");
}
