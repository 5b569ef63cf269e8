//! The receiving end of the bus, and the journal that it writes.

use std::fs;
use std::io;

use crossbeam_channel::{bounded, unbounded};
use proptest::prelude::*;

use super::sample;
use super::sample::{Script, Shared, case, fold};
use crate::event::{Event, Journal, JournalError, Record, read_journal};
use crate::model::CaseStatus;
use crate::outcome::Run;
use crate::report::{Followed, JsonReporter, Live, Reporter};

fn events(script: Script) -> Vec<Event> {
    script
        .records()
        .into_iter()
        .map(|record| record.event)
        .collect()
}

/// Sends from another thread through a channel with room for one event, so that a reader that stops
/// is noticed.
fn follow_all(
    events: Vec<Event>,
    journal: Option<Journal>,
    reporters: Vec<Box<dyn Reporter>>,
) -> Followed {
    let (sender, receiver) = bounded(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for event in events {
                sender.send(event).unwrap();
            }
        });
        let mut live = Live::new(journal, reporters);
        live.follow(&receiver);
        live.finish()
    })
}

#[test]
fn what_is_read_back_is_what_was_seen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let out = Shared::default();
    let reporters: Vec<Box<dyn Reporter>> = vec![Box::new(JsonReporter::new(out.clone()))];
    let journal = Journal::create(&path).unwrap();
    let sent = events(sample::everything());
    let followed = follow_all(sent.clone(), Some(journal), reporters);
    assert!(followed.journal_error.is_none());
    assert!(followed.output_errors.is_empty());
    let records = read_journal(&path).unwrap();
    assert_eq!(fold(&records), followed.run);
    let numbers: Vec<_> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (0..sent.len() as u64).collect::<Vec<_>>());
    let received: Vec<_> = records.into_iter().map(|record| record.event).collect();
    assert_eq!(received, sent);
    assert_eq!(fs::read_to_string(&path).unwrap(), out.text());
}

#[test]
fn a_journal_that_cannot_be_written_ends_no_run() {
    // Every write to this device fails with "no space left".
    let Ok(journal) = fs::OpenOptions::new().write(true).open("/dev/full") else {
        panic!("this machine has no /dev/full");
    };
    let journal = Journal::on("/dev/full".into(), journal);
    let followed = follow_all(events(sample::everything()), Some(journal), Vec::new());
    let Some(JournalError::Io { path, source }) = followed.journal_error else {
        panic!("no error");
    };
    assert_eq!(path.to_str(), Some("/dev/full"));
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    let expected = sample::everything().run();
    assert_eq!(followed.run.outcomes(), expected.outcomes());
    assert_eq!(followed.run.finished, expected.finished);
}

#[test]
fn no_events_are_an_empty_run() {
    let (sender, receiver) = unbounded::<Event>();
    drop(sender);
    let mut live = Live::new(None, Vec::new());
    live.follow(&receiver);
    assert_eq!(live.finish().run, Run::default());
}

#[test]
fn reporters_tick_while_nothing_happens() {
    struct Ticks(crossbeam_channel::Sender<()>);
    impl Reporter for Ticks {
        fn record(&mut self, _: &Record, _: &Run) {}
        fn tick(&mut self, _: jiff::Timestamp, _: &Run) {
            let _ = self.0.send(());
        }
    }
    let (sender, receiver) = unbounded::<Event>();
    let (ticked, ticks) = unbounded();
    std::thread::scope(|scope| {
        scope.spawn(|| Live::new(None, vec![Box::new(Ticks(ticked))]).follow(&receiver));
        ticks.recv().unwrap();
        ticks.recv().unwrap();
        drop(sender);
    });
}

proptest! {
    #[test]
    fn every_string_and_number_survives_the_journal(
        package in any::<String>(),
        name in any::<String>(),
        message in proptest::option::of(any::<String>()),
        seconds in proptest::option::of(-1e12..1e12f64),
        start in any::<u64>(),
    ) {
        let mut finished = sample::with_output(case("a.test", &package, &name, CaseStatus::Failed), start);
        finished.message = message;
        finished.seconds = seconds;
        let records = Script::new(&["a.test"]).start("a.test").case(finished).records();
        for record in records {
            let line = serde_json::to_vec(&record).unwrap();
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(serde_json::from_slice::<Record>(&line).unwrap(), record);
        }
    }
}
