//! Tests the limits of jobs: with a control group if this host allows one, else with limits of each
//! process. The report always says which.

use crate::support::Finished;
use crate::support::isolation::{Lab, Who};
use crate::support::workspace::write;

/// Returns a workspace with a job that runs a script with limits.
fn lab(limits: &str, script: &str) -> Lab {
    let lab = Lab::new(script);
    write(
        &lab.path("work/kata-ci.toml"),
        &format!("version = 1\nextends = 'makefile'\n[limits]\n{limits}\n"),
    );
    lab
}

fn said(run: &Finished, what: &str) -> String {
    let said = &run.job("a.check")["isolation"]["limits"][what];
    said.as_str().expect("what holds is said").to_owned()
}

fn reason(run: &Finished) -> String {
    run.job("a.check")["reason"]
        .as_str()
        .expect("a reason")
        .to_owned()
}

#[test]
fn who_takes_too_much_memory_fails_and_is_told_why() {
    let hog = "python3 -c 'x = bytearray(300 << 20); print(\"had it\")'";
    for who in [Who::Myself, Who::User] {
        let lab = lab("memory = '64MiB'", hog);
        let run = lab.run(who, &["a"]).expect_code(1);
        assert_eq!(run.job("a.check")["outcome"], "failed");
        assert!(!run.log("a.check").contains("had it"));
        let said = said(&run, "memory");
        if said == "enforced by cgroup: 64 MiB for all processes together" {
            let expected = "out of memory: it reached its limit of 64 MiB (";
            assert!(reason(&run).starts_with(expected), "{}", reason(&run));
            assert_eq!(run.job("a.check")["peak_memory_of"], "all-processes");
            let peak = run.job("a.check")["peak_memory"].as_u64().expect("a peak");
            assert!((32 << 20..=64 << 20).contains(&peak), "{peak}");
        } else {
            let expected = "enforced by rlimit: 64 MiB for each process, not for all together (";
            assert!(said.starts_with(expected), "{said}");
            let expected = "; perhaps it met the limit of memory, 64 MiB: it printed “MemoryError”";
            assert!(reason(&run).ends_with(expected), "{}", reason(&run));
        }
        let property = format!("name=\"limits.memory\" value=\"{}", &said[..20]);
        assert!(run.junit().contains(&property), "{}", run.junit());
    }
}

#[test]
fn memory_of_many_small_processes_counts_together_where_a_group_counts_it() {
    let many = "for i in 1 2 3 4 5 6 7 8; do python3 -c \
        'x = bytearray(24 << 20); import time; time.sleep(2)' & done; wait; exit 0";
    let lab = lab("memory = '64MiB'", many);
    let run = lab.run(Who::Myself, &["a"]);
    if said(&run, "memory").starts_with("enforced by cgroup") {
        let peak = run.job("a.check")["peak_memory"].as_u64().expect("a peak");
        assert!((60 << 20..=64 << 20).contains(&peak), "{peak}");
    }
}

#[test]
fn who_starts_too_many_processes_fails_and_is_told_so() {
    let many = "for i in $(seq 60); do sleep 3 & done; wait";
    for who in [Who::Myself, Who::User] {
        let lab = lab("processes = 20", many);
        let run = lab.run(who, &["a"]);
        let said = said(&run, "processes");
        if said.starts_with("advisory: ") {
            assert!(
                run.printed().contains("limit of processes"),
                "{}",
                run.printed()
            );
            continue;
        }
        let run = run.expect_code(1);
        let log = run.log("a.check");
        assert!(log.contains("annot fork"), "{log}");
        if said.starts_with("enforced by cgroup") {
            let expected = "it reached its limit of 20 processes (";
            assert!(reason(&run).starts_with(expected), "{}", reason(&run));
        } else {
            let expected = "; perhaps it met the limit of processes, 20: it printed “Cannot fork”";
            assert!(reason(&run).ends_with(expected), "{}", reason(&run));
        }
    }
}

#[test]
fn fewer_processes_than_the_limit_are_none_too_many() {
    for who in [Who::Myself, Who::User] {
        let lab = lab(
            "processes = 20",
            "for i in $(seq 12); do sleep 0.1 & done; wait",
        );
        lab.run(who, &["a"]).expect_code(0);
    }
}

#[test]
fn a_file_larger_than_allowed_is_not_written() {
    for who in [Who::Myself, Who::User] {
        for isolate in ["off", "auto", "on"] {
            let lab = lab("file_size = '1MiB'", "head -c 3000000 /dev/zero > big");
            let run = lab.run(who, &["a", "--isolate", isolate]).expect_code(1);
            assert_eq!(said(&run, "file_size"), "enforced by rlimit: 1 MiB a file");
            let size = std::fs::metadata(lab.path("work/a/big"))
                .expect("it was begun")
                .len();
            assert_eq!(size, 1 << 20);
            let expected = "; a file reached its limit of 1 MiB";
            assert!(reason(&run).ends_with(expected), "{}", reason(&run));
        }
    }
}

#[test]
fn time_and_memory_are_counted_inside_of_a_sandbox_too() {
    let script = "python3 -c 'x = bytearray(80 << 20)'\n\
        setsid sh -c 'timeout 0.5 sh -c \"while :; do :; done\"' & wait";
    for isolate in ["off", "auto", "on"] {
        let lab = Lab::new(script);
        let run = lab.run(Who::Myself, &["a", "--isolate", isolate]);
        let job = run.job("a.check");
        let seconds = job["cpu_seconds"].as_f64().expect("a time");
        // The machine may be busy with something else meanwhile.
        assert!(seconds > 0.1, "{isolate}: {seconds}");
        let peak = job["peak_memory"].as_u64().expect("a peak");
        assert!(peak > 80 << 20, "{isolate}: {peak}");
        assert_eq!(job["peak_memory_of"], "largest-process");
    }
}
