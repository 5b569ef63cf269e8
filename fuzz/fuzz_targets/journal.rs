//! A journal of any bytes is an error or records that can be written and read again as they are.
//!
//! `cargo +nightly fuzz run journal` from the repository; an `events.jsonl` of any run makes a good
//! corpus.

#![no_main]

use std::fs;

use kata_ci::event::{Record, read_journal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("events.jsonl");
    fs::write(&path, input).expect("room");
    for record in read_journal(&path).unwrap_or_default() {
        let line = serde_json::to_string(&record).expect("records are JSON");
        let again: Record = serde_json::from_str(&line).expect("what was written is read");
        assert_eq!(again, record);
    }
});
