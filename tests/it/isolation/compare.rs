//! `--compare-isolation`: which failures come of isolation.

use crate::support::run_in;
use crate::support::workspace::makefiles;

#[test]
fn what_fails_of_isolation_alone_is_told_from_what_fails_anyhow() {
    let outer = tempfile::tempdir_in("/var/tmp").expect("a temporary directory");
    let test = format!(
        "test:\n  @echo 1..3; echo ok 1 - good; echo not ok 2 - bad\n  @test -d {} && echo ok 3 - outer || {{ echo not ok 3 - outer; echo '# open: Operation not permitted'; }}\n  @false",
        outer.path().display()
    );
    let place = makefiles(&[("a", &test), ("b", "test:\n  @echo 1..1; echo ok 1")]);
    let run = run_in(place.path())
        .args(["-s", "test", "--compare-isolation"])
        .finish()
        .expect_code(1);
    let printed = run.printed();
    for part in [
        "isolation may be the cause of `Operation not permitted`: compare with --compare-isolation",
        "a.test: outer: passes without isolation, which is the cause",
        "a.test: bad: fails without isolation too",
    ] {
        assert!(printed.contains(part), "{part}:\n{printed}");
    }
    assert!(!printed.contains("good: "), "{printed}");
    assert!(run.reports.join("without-isolation/result.json").exists());
    assert_eq!(run.outcome("a.test"), "failed");
    let second = std::fs::read_to_string(run.reports.join("without-isolation/result.json"));
    assert!(!second.expect("a result").contains("b.test"));
}

#[test]
fn a_component_sets_the_isolation_of_its_steps() {
    let place = makefiles(&[
        ("a", "check:\n  @ls -d /sys/class/net/*; test -w /"),
        ("b", "check:\n  @echo"),
    ]);
    let pipeline = "version = 1\nextends = \"makefile\"\n[[component]]\nname = \"a\"\nisolate = \"off\"\nnetwork = \"on\"\n[[component]]\nname = \"b\"\n";
    crate::support::workspace::write(&place.path().join("kata-ci.toml"), pipeline);
    let run = run_in(place.path()).args(["-s", "check"]).finish();
    let mode = |run: &crate::support::Finished, job: &str| {
        run.job(job)["isolation"]["mode"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(mode(&run, "a.check").as_deref(), Some("off"));
    assert_eq!(mode(&run, "b.check").as_deref(), Some("auto"));
    let run = run_in(place.path())
        .args(["-s", "check", "--isolate", "auto"])
        .finish();
    assert_eq!(mode(&run, "a.check").as_deref(), Some("auto"));
}
