//! The variables that reach jobs.

use tempfile::TempDir;

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, KataCi, run_in};

/// A job that prints its variables, and fails if one is missing.
const PRINTS: &str = "test:\n  @env\n  @test \"$${LIBC:?}\" = musl\n  @echo 1..1; echo ok 1";

fn place(header: &str) -> TempDir {
    let place = makefiles(&[("a", PRINTS)]);
    let pipeline = format!("version = 1\nextends = \"makefile\"\n{header}\n");
    write(&place.path().join("kata-ci.toml"), &pipeline);
    place
}

fn call(place: &TempDir) -> KataCi {
    run_in(place.path())
        .args(["-s", "test"])
        .env("LIBC", "musl")
        .env("KATA_X", "1")
        .env("TOKEN", "secret")
}

fn has(run: &Finished, variable: &str) -> bool {
    run.log("a.test").lines().any(|line| line == variable)
}

#[test]
fn pass_env_lets_through_what_it_names_and_nothing_else() {
    let place = place("pass_env = [\"LIBC\", \"KATA_*\"]");
    let run = call(&place).finish().expect_code(0);
    assert!(has(&run, "LIBC=musl") && has(&run, "KATA_X=1"));
    assert!(!has(&run, "TOKEN=secret"));
}

#[test]
fn strict_jobs_get_what_the_users_own_file_names() {
    let place = place("pass_env = [\"LIBC\", \"TOKEN\"]");
    let strict = || call(&place).args(["--isolate", "on"]);
    let run = strict().finish().expect_code(1);
    assert!(!has(&run, "LIBC=musl") && !has(&run, "TOKEN=secret"));
    let mine = "version = 1\npass_env = [\"LIBC\"]\n";
    let run = (strict().config("kata-ci/config.toml", mine))
        .finish()
        .expect_code(0);
    assert!(has(&run, "LIBC=musl") && !has(&run, "TOKEN=secret"));
}

#[test]
fn what_was_held_back_is_listed_and_named_by_the_job_that_misses_it() {
    let place = place("");
    let run = call(&place).args(["-v"]).finish().expect_code(1);
    let listed = (run.stderr.lines()).find(|line| line.starts_with("held back from jobs: "));
    let listed = listed.expect("a list of names");
    for name in ["LIBC", "KATA_X", "TOKEN"] {
        assert!(listed.contains(name), "{listed}");
    }
    assert!(
        !run.stderr.contains("secret") && !listed.contains("PATH,"),
        "{listed}"
    );
    let job = run.job("a.test");
    let reason = job["reason"].as_str().expect("a reason");
    assert!(reason.contains("it speaks of LIBC"), "{reason}");
    assert!(!reason.contains("TOKEN"), "{reason}");
    assert_eq!(
        job["fix"]
            .as_str()
            .map(|fix| fix.starts_with("pass_env = [\"LIBC\"]")),
        Some(true)
    );
}

#[test]
fn the_settings_of_go_and_rust_reach_jobs() {
    let place = place("pass_env = [\"LIBC\"]");
    let names = [
        "RUSTUP_TOOLCHAIN",
        "GOTOOLCHAIN",
        "GOPRIVATE",
        "GONOSUMDB",
        "GOSUMDB",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];
    let call = names
        .iter()
        .fold(call(&place), |call, name| call.env(name, "x"));
    let run = call.finish().expect_code(0);
    for name in names {
        assert!(has(&run, &format!("{name}=x")), "{name}");
    }
}
