//! The output of a push and any commit message are read without a panic, and nothing is made up.
//!
//! `cargo +nightly fuzz run gerrit` from the repository; `fixtures/gerrit/messages` makes a good
//! corpus.

#![no_main]

use kata_ci::gerrit::push_output::PushAnswer;
use kata_ci::gerrit::footer::footers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let said = String::from_utf8_lossy(input);
    let answer = PushAnswer::parse(&said, &said);
    assert!(answer.changes.len() <= said.lines().count().max(1) * 2);
    let lines = input.split(|byte| *byte == b'\n').count();
    for footer in footers(input) {
        assert!((2..=lines).contains(&footer.line));
    }
});
