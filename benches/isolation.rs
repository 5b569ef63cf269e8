//! Measures what isolation costs a job: 200 jobs of `true` with each kind of isolation, against the
//! same without.
//!
//! `cargo bench --bench isolation`, on a machine that does nothing else; `--profile dev` measures
//! what the tests run. The kinds take turns, so that all meet the same weather. Fails when the
//! median costs more than is promised.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a program for ourselves"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;

const JOBS: usize = 20;
const TURNS: usize = 10;

/// Milliseconds a job that isolation may cost at the median.
const PROMISED: f64 = 5.0;

/// The first is what the others are held against.
const KINDS: [(&str, &str); 3] = [("off", "on"), ("auto", "auto"), ("on", "off")];

const PIPELINE: &str = "version = 1\nextends = 'makefile'\n\
    [[step]]\nname = 'nothing'\nrun = ['true']\nexpect = 'exit'\n";

fn main() {
    let place = tempfile::tempdir().expect("a temporary directory");
    for number in 0..JOBS {
        let component = place.path().join(format!("work/c{number}"));
        std::fs::create_dir_all(&component).expect("made");
        std::fs::write(component.join("Makefile"), "all:\n").expect("written");
        // So that what a job leaves behind is looked for, as it is for real ones.
        let made = Command::new("git")
            .args(["init", "-q"])
            .arg(&component)
            .status();
        assert!(made.expect("git runs").success());
    }
    std::fs::write(place.path().join("work/kata-ci.toml"), PIPELINE).expect("written");
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..TURNS {
        for (isolate, network) in KINDS {
            let measured = run(place.path(), isolate, network);
            times.entry(isolate).or_default().extend(measured);
        }
    }
    let without = median(&mut times, KINDS[0].0);
    println!(
        "{} jobs of `true` each, milliseconds at the median",
        JOBS * TURNS
    );
    println!("--isolate off --network on: {without:.2}");
    let mut is_kept = true;
    for (isolate, network) in &KINDS[1..] {
        let with = median(&mut times, isolate);
        let cost = with - without;
        println!("--isolate {isolate} --network {network}: {with:.2}, costs {cost:.2}");
        is_kept &= cost <= PROMISED;
    }
    if !is_kept {
        eprintln!("more than the {PROMISED} ms that are promised");
        std::process::exit(1);
    }
}

/// Milliseconds from the start of each job to its end, as the journal has them.
fn run(place: &Path, isolate: &str, network: &str) -> Vec<f64> {
    let reports = place.join("reports");
    let output = Command::new(env!("CARGO_BIN_EXE_kata-ci"))
        .args([
            "run",
            "-j1",
            "-s",
            "nothing",
            "--isolate",
            isolate,
            "--network",
            network,
            "-C",
        ])
        .arg(place.join("work"))
        .arg("--report-dir")
        .arg(&reports)
        .env("XDG_STATE_HOME", place.join("state"))
        .output()
        .expect("kata-ci runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let journal = std::fs::read_to_string(reports.join("events.jsonl")).expect("a journal");
    let mut started = BTreeMap::new();
    let mut times = Vec::new();
    for event in journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
    {
        let time: Timestamp = event["time"]
            .as_str()
            .expect("a time")
            .parse()
            .expect("a time");
        let job = event["job"].to_string();
        match event["event"].as_str() {
            Some("job-started") => drop(started.insert(job, time)),
            Some("job-finished") => {
                times.push(time.duration_since(started[&job]).as_secs_f64() * 1e3)
            }
            _ => {}
        }
    }
    assert_eq!(times.len(), JOBS);
    times
}

fn median(times: &mut BTreeMap<&str, Vec<f64>>, isolate: &str) -> f64 {
    let times = times.get_mut(isolate).expect("measured");
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
