//! Tests kata-ci with too few resources: it ends with an error, never silently.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::Finished;
use crate::support::isolation::{Lab, Who};

/// Runs from a shell, which starts it by `"$@"`.
fn through(lab: &Lab, who: Who, shell: &str, arguments: &[&str]) -> Finished {
    let program = match (who, nix::unistd::geteuid().is_root()) {
        (Who::User, true) => "setpriv",
        _ => "env",
    };
    let call = lab.call(who, arguments);
    call.through(&["sh", "-c", shell, "sh"], Path::new(program))
        .finish()
}

const BOTH: [Who; 2] = [Who::Myself, Who::User];

#[test]
fn where_nothing_can_be_written_the_exit_code_says_it() {
    for who in BOTH {
        let lab = Lab::new("");
        for shell in ["\"$@\" >/dev/full 2>&1", "\"$@\" >/dev/full"] {
            let run = through(&lab, who, shell, &["b"]).expect_code(75);
            if !shell.contains('&') {
                let said = "the run could not be shown: No space left on device";
                assert!(run.stderr.contains(said), "{}", run.stderr);
            }
        }
        through(&lab, who, "\"$@\" --help >/dev/full 2>&1", &["b"]).expect_code(75);
        through(&lab, who, "\"$@\" --nonsense >/dev/full 2>&1", &["b"]).expect_code(2);
    }
}

#[test]
fn a_reader_that_leaves_ends_nothing_and_is_no_error() {
    let lab = Lab::new("");
    let shell = "{ \"$@\" 2>&1; echo $? >&2; } | true";
    let run = through(&lab, Who::Myself, shell, &["b"]);
    assert_eq!(run.stderr, "0\n");
    assert_eq!(run.result()["exit"], 0);
}

#[test]
fn a_file_that_must_not_grow_is_an_error_with_words() {
    for who in BOTH {
        let lab = Lab::new("");
        let run = through(&lab, who, "ulimit -f 0; \"$@\"", &["b"]).expect_code(75);
        let said = "events.jsonl: File too large";
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_job_ends_by_the_signal_of_a_file_that_is_too_large_all_the_same() {
    for isolate in ["off", "auto", "on"] {
        let lab = Lab::new("ulimit -f 1; head -c 100000 /dev/zero > big; echo $?");
        let run = lab.run(Who::Myself, &["a", "--isolate", isolate]);
        // 128 and SIGXFSZ.
        assert!(run.log("a.check").contains("153"), "{}", run.log("a.check"));
    }
}

#[test]
fn too_little_memory_is_an_error_with_words() {
    for who in BOTH {
        let lab = Lab::new("");
        let mut is_met = false;
        // The program itself takes a part of it, in an unoptimised build a large one.
        for size in (14_000..120_000).step_by(1500) {
            let shell = format!("ulimit -v {size}; \"$@\"");
            let run = through(&lab, who, &shell, &["b"]);
            let own = ["101", "134", "70"].contains(&run.code.to_string().as_str());
            assert!(!own, "{size}: {} {}", run.code, run.stderr);
            if run.code == 0 {
                break;
            }
            if run.code == 75 {
                is_met = true;
                assert!(run.printed().contains("error"), "{size}: {}", run.stderr);
            }
        }
        assert!(is_met, "none of these sizes was too little");
    }
}

#[test]
fn too_few_processes_are_an_error_with_words() {
    if !nix::unistd::geteuid().is_root() {
        // Other processes of this user count, too.
        return;
    }
    let lab = Lab::new("");
    // A user without any processes.
    let nobody = 54_300;
    let owned = std::process::Command::new("chown")
        .args(["-R", &format!("{nobody}:{nobody}")])
        .args([lab.path("work"), lab.path("home")])
        .status();
    assert!(owned.unwrap().success());
    std::fs::set_permissions(lab.path(""), PermissionsExt::from_mode(0o777)).unwrap();
    for limit in 1..=12 {
        let shell = format!(
            "exec setpriv --reuid={nobody} --regid={nobody} --clear-groups prlimit --nproc={limit} \"$@\""
        );
        let run = through(&lab, Who::Myself, &shell, &["b"]);
        let code = run.code;
        assert!(
            [0, 1, 69, 75].contains(&code),
            "{limit}: {code} {}",
            run.stderr
        );
        assert!(
            code == 0 || run.printed().contains("error"),
            "{limit}: {}",
            run.printed()
        );
        assert!(!run.printed().contains("panicked"), "{}", run.printed());
    }
}
