//! The unit for systemd.

use std::path::Path;
use std::process::Command;

#[test]
fn systemd_takes_the_unit() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/kata-ci-review.service");
    let text = std::fs::read_to_string(&unit).expect("the unit");
    if which::which("systemd-analyze").is_err() {
        let required = std::env::var_os("KATACI_TEST_REQUIRE_CHECKERS").is_some();
        assert!(
            !required,
            "systemd-analyze is missing: scripts/setup tests installs it"
        );
        eprintln!("SKIPPED systemd_takes_the_unit: no systemd-analyze here");
        return;
    }
    // The program of the unit need not be installed where the tests run.
    let place = tempfile::tempdir().expect("a directory");
    let copy = place.path().join("kata-ci-review.service");
    let program = env!("CARGO_BIN_EXE_kata-ci");
    let text = text.replace("/usr/local/bin/kata-ci", program);
    assert!(text.contains(&format!("ExecStart={program} ")));
    std::fs::write(&copy, text).expect("written");
    let answer = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&copy)
        .output()
        .expect("systemd-analyze");
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    let own: Vec<_> = said
        .lines()
        .filter(|line| line.contains("kata-ci"))
        .collect();
    assert!(answer.status.success() && own.is_empty(), "{said}");
}
