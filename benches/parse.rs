//! Measures how quickly the output of a job is turned into cases: MB/s of each kind of input.
//!
//! `cargo bench --bench parse` measures all inputs, `cargo bench --bench parse -- TAP` those with
//! this text in their names. `benches/parse-against TREE` compares with another source tree. It
//! needs nothing of kata-ci but the parser, so that it can be built in older trees.
#![allow(
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a program for ourselves"
)]

use std::fmt::Write as _;

use kata_ci::parse::Parser;

/// The size of each input, in bytes.
const SIZE: usize = 8 << 20;
/// The bytes of one read, as from a pipe.
const PIECE: usize = 64 << 10;
const TURNS: usize = 5;

/// An input: its name, and the text of its part with this number.
type Input = (&'static str, fn(usize, &mut String));

const INPUTS: [Input; 16] = [
    ("go json", go_json),
    ("go json, lines of a test", go_json_output),
    ("go text", go_text),
    ("go text, lines of a test", go_text_output),
    ("TAP", tap),
    ("TAP, comments", tap_comments),
    ("TAP, other lines", tap_other),
    ("libtest", libtest),
    ("libtest, lines of a test", libtest_output),
    ("make lines", make),
    ("make, directories", make_directories),
    ("cargo lines", cargo),
    ("coloured lines", coloured),
    ("plain lines", plain),
    ("words of failures in plain lines", words),
    ("one long line", long_line),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    for (name, part) in INPUTS {
        if wanted.is_empty() || wanted.iter().any(|text| name.contains(text.as_str())) {
            let text = text(part);
            let mut rates: Vec<f64> = (0..TURNS).map(|_| measure(&text)).collect();
            rates.sort_by(f64::total_cmp);
            println!("{name}\t{:.0}", rates[TURNS / 2]);
        }
    }
}

fn text(part: fn(usize, &mut String)) -> String {
    let mut text = String::with_capacity(SIZE + 4096);
    let mut number = 0;
    while text.len() < SIZE {
        part(number, &mut text);
        number += 1;
    }
    text
}

/// Returns the time that this thread has run, in seconds: other programs do not count.
fn now() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux");
    let run = told
        .split(' ')
        .next()
        .and_then(|run| run.parse::<u64>().ok());
    run.expect("nanoseconds") as f64 / 1e9
}

/// Returns MB/s.
fn measure(text: &str) -> f64 {
    let begin = now();
    let mut findings = 0_u64;
    let mut parser = Parser::new(Default::default());
    for piece in text.as_bytes().chunks(PIECE) {
        parser.feed(piece, &mut |_| findings += 1);
    }
    let told = parser.finish(None, &mut |_| findings += 1);
    let seconds = now() - begin;
    std::hint::black_box((findings, told));
    text.len() as f64 / 1e6 / seconds
}

fn event(text: &mut String, action: &str, package: usize, rest: &str) {
    let _ = writeln!(
        text,
        "{{\"Time\":\"2026-11-24T10:00:00.123456789Z\",\"Action\":\"{action}\",\"Package\":\"example.com/kata/pkg{package:05}\"{rest}}}"
    );
}

fn go_json(number: usize, text: &mut String) {
    let (package, name) = (number / 200, format!("TestUpdate{number}"));
    let test = format!(",\"Test\":\"{name}\"");
    event(text, "run", package, &test);
    event(
        text,
        "output",
        package,
        &format!("{test},\"Output\":\"=== RUN   {name}\\n\""),
    );
    event(
        text,
        "output",
        package,
        &format!("{test},\"Output\":\"--- PASS: {name} (0.00s)\\n\""),
    );
    event(text, "pass", package, &format!("{test},\"Elapsed\":0"));
    if number % 200 == 199 {
        event(text, "pass", package, ",\"Elapsed\":0.2");
    }
}

fn go_json_output(number: usize, text: &mut String) {
    let test = format!(",\"Test\":\"TestUpdate{}\"", number / 1000);
    match number % 1000 {
        0 => event(text, "run", 1, &test),
        999 => event(text, "pass", 1, &format!("{test},\"Elapsed\":0")),
        _ => {
            let said = format!("{test},\"Output\":\"    x_test.go:12: step {number} of it\\n\"");
            event(text, "output", 1, &said);
        }
    }
}

fn go_text(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "=== RUN   TestUpdate{number}\n--- PASS: TestUpdate{number} (0.00s)"
    );
    if number % 200 == 199 {
        let _ = writeln!(text, "PASS\nok  \texample.com/kata/pkg{number:09}\t0.212s");
    }
}

fn go_text_output(number: usize, text: &mut String) {
    match number % 1000 {
        0 => {
            let _ = writeln!(text, "=== RUN   TestUpdate{number}");
        }
        999 => {
            let _ = writeln!(text, "--- PASS: TestUpdate{} (0.00s)", number - 999);
        }
        _ => {
            let _ = writeln!(text, "    x_test.go:12: step {number} of what it does");
        }
    }
    if number % 100_000 == 99_999 {
        let _ = writeln!(text, "PASS\nok  \texample.com/kata/pkg{number:09}\t0.212s");
    }
}

fn tap(number: usize, text: &mut String) {
    if number == 0 {
        text.push_str("TAP version 13\n");
    }
    let _ = writeln!(text, "ok {} - adds {number} to what is there", number + 1);
}

fn tap_comments(number: usize, text: &mut String) {
    if number == 0 {
        text.push_str("1..900000\n");
    }
    match number % 20 {
        0 => {
            let _ = writeln!(text, "ok {} adds to what is there", number / 20 + 1);
        }
        _ => {
            let _ = writeln!(text, "# step {number} of it");
        }
    }
}

fn tap_other(number: usize, text: &mut String) {
    if number == 0 {
        text.push_str("1..900000\n");
    }
    match number % 20 {
        0 => {
            let _ = writeln!(text, "ok {} adds to what is there", number / 20 + 1);
        }
        _ => {
            let _ = writeln!(
                text,
                "step {number} of it went as it should, in {number} ms"
            );
        }
    }
}

fn libtest(number: usize, text: &mut String) {
    if number == 0 {
        text.push_str("     Running unittests src/lib.rs (target/debug/deps/x-0123456789abcdef)\n\nrunning 9000000 tests\n");
    }
    let _ = writeln!(text, "test rooms::of::the::house::test_{number} ... ok");
}

fn libtest_output(number: usize, text: &mut String) {
    if number == 0 {
        text.push_str("     Running unittests src/lib.rs (target/debug/deps/x-0123456789abcdef)\n\nrunning 9000000 tests\n");
    }
    match number % 20 {
        0 => {
            let _ = writeln!(text, "test rooms::of::the::house::test_{number} ... ok");
        }
        _ => {
            let _ = writeln!(
                text,
                "step {number} of it went as it should, in {number} ms"
            );
        }
    }
}

fn make(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "gcc -O2 -Wall -I/usr/include/make/x{} -c src/file{number}.c -o build/file{number}.o # make it",
        number % 10
    );
}

fn make_directories(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "make[1]: Entering directory '/src/component{0}'\nmake[1]: Nothing to be done for 'all'.\nmake[1]: Leaving directory '/src/component{0}'",
        number % 50
    );
}

fn cargo(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "   Compiling crate-number-{number} v0.{number}.1 (/src/crates/number-{number})"
    );
}

fn coloured(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "\u{1b}[32mINFO\u{1b}[0m[{number:04}] container started   \u{1b}[36mid\u{1b}[0m=abc{number}"
    );
}

fn plain(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "time=\"2026-11-24T10:00:00Z\" level=debug msg=\"container {number} started\" sandbox=abcdef{number}"
    );
}

fn words(number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "level=warning msg=\"Error: file {number} not found: No such file or directory, error: retrying\""
    );
}

fn long_line(number: usize, text: &mut String) {
    let _ = write!(text, "{number}: all is well here; ");
}
