//! Tests that failures caused by the missing network are explained, with the addresses that were
//! tried.

use crate::support::isolation::{Lab, Who};

const WORDS: &str = "the network was off, and it tried to reach ";

#[test]
fn a_failing_job_is_told_what_it_tried_to_reach_and_what_to_do() {
    let lab = Lab::new("curl -sS https://kata-ci.example.com/x");
    for who in [Who::Myself, Who::User] {
        let run = lab.run(who, &["a"]).expect_code(1);
        let job = run.job("a.check");
        assert_eq!(
            job["network_tried"][0],
            "kata-ci.example.com",
            "{}",
            run.log("a.check")
        );
        let told = format!("{WORDS}kata-ci.example.com");
        assert!(
            job["reason"].as_str().expect("a reason").ends_with(&told),
            "{job}"
        );
        assert!(
            job["fix"]
                .as_str()
                .expect("a fix")
                .contains("network = \"on\"")
        );
        assert!(run.printed().contains(&told), "{}", run.printed());
        assert!(
            run.junit()
                .contains("name=\"network_tried\" value=\"kata-ci.example.com\"")
        );
    }
}

#[test]
fn git_and_an_address_without_a_name_are_told_too() {
    for (script, tried) in [
        (
            "git ls-remote https://kata-ci.example.com/a.git",
            "kata-ci.example.com",
        ),
        ("curl -sS http://192.0.2.1/", "192.0.2.1"),
        (
            "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 3)'",
            "the network",
        ),
    ] {
        let lab = Lab::new(script);
        let run = lab.run(Who::Myself, &["a"]).expect_code(1);
        assert_eq!(
            run.job("a.check")["network_tried"][0],
            tried,
            "{}",
            run.log("a.check")
        );
    }
}

#[test]
fn a_case_that_failed_of_it_carries_it_in_its_message() {
    let tap = "echo 1..2\necho ok 1 - offline\n\
        echo not ok 2 - online\necho '# dial tcp: lookup kata-ci.example.com: no such host'";
    let lab = Lab::new(tap);
    let run = lab.run(Who::Myself, &["a"]).expect_code(1);
    let told = format!("{WORDS}kata-ci.example.com");
    let junit = run.junit();
    let case = junit
        .split("<testcase")
        .find(|case| case.contains("online"));
    let case = case.expect("the case");
    assert!(case.contains("<failure") && case.contains(&told), "{junit}");
    let other = junit
        .split("<testcase")
        .find(|case| case.contains("offline"));
    assert!(!other.expect("the other").contains(WORDS), "{junit}");
}

#[test]
fn who_passes_or_has_a_network_is_told_nothing() {
    let words = "echo 'curl: (6) Could not resolve host: kata-ci.example.com'";
    let lab = Lab::new(words);
    let run = lab.run(Who::Myself, &["a"]).expect_code(0);
    assert!(run.job("a.check").get("network_tried").is_none());
    let lab = Lab::new(&format!("{words}; exit 1"));
    let run = lab
        .run(Who::Myself, &["a", "--network", "on"])
        .expect_code(1);
    assert!(run.job("a.check").get("network_tried").is_none());
}
