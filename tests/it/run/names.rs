//! The words that select components, and their completions in real shells.

use std::process::Command;

use crate::support::tmux::Tmux;
use crate::support::workspace::makefiles;
use crate::support::{KataCi, run_in};

const GOOD: &str = "check:\n @true\ntest:\n @echo 'ok 1 a'; echo 1..1\n.PHONY: check test";

#[test]
fn paths_globs_and_jobs_select() {
    let place = makefiles(&[("proxy", GOOD), ("shim", GOOD)]);
    for (words, jobs) in [
        (&["proxy/"][..], &["proxy.check", "proxy.test"][..]),
        (&["./shim"], &["shim.check", "shim.test"]),
        (
            &["s*", "proxy.test"],
            &["proxy.test", "shim.check", "shim.test"],
        ),
        (&["*.check"], &["proxy.check", "shim.check"]),
        (&["shim.test", "shim"], &["shim.check", "shim.test"]),
    ] {
        let run = run_in(place.path()).args(words).finish().expect_code(0);
        let mut ran: Vec<_> = (run.result()["jobs"].as_array().unwrap().iter())
            .map(|job| job["id"].as_str().unwrap().to_owned())
            .collect();
        ran.sort();
        assert_eq!(ran, jobs, "{words:?}");
    }
    for words in [["nosuch/"], ["proxy.nosuch"], ["x*"]] {
        let run = run_in(place.path()).args(words).finish().expect_code(2);
        assert!(run.stderr.contains("there are: "), "{}", run.stderr);
    }
}

/// Completes a line in a shell, and returns the screen once it has the text.
fn completed(shell: &[&str], begin: &str, line: &str, text: &str) {
    if Command::new(shell[0]).arg("--version").output().is_err() {
        eprintln!("skipped: there is no {}", shell[0]);
        return;
    }
    let place = makefiles(&[("proxy", GOOD), ("shim", GOOD)]);
    let Some(tmux) = Tmux::start(100, 30, place.path(), shell) else {
        return;
    };
    tmux.keys(&[begin, "Enter"]);
    tmux.keys(&["echo rea''dy", "Enter"]);
    tmux.wait_for("ready");
    tmux.keys(&[line, "Tab"]);
    tmux.wait_for(text);
}

#[test]
fn real_shells_complete_components_jobs_steps_and_pipelines() {
    let zsh = "autoload -U compinit; compinit -u; source <(kata-ci completions zsh)";
    let fish = "kata-ci completions fish | source";
    let bash = "source <(kata-ci completions bash)";
    for (line, text) in [
        ("kata-ci run pro", "kata-ci run proxy"),
        ("kata-ci run shim.ch", "kata-ci run shim.check"),
        ("kata-ci run --step te", "kata-ci run --step test"),
        ("kata-ci run -p kata-m", "kata-ci run -p kata-monorepo"),
    ] {
        completed(&["bash", "--norc", "--noprofile"], bash, line, text);
        completed(&["zsh", "-f"], zsh, line, text);
        completed(&["fish", "--no-config"], fish, line, text);
    }
}

#[test]
fn completions_of_a_broken_workspace_say_nothing() {
    let place = makefiles(&[("proxy", GOOD)]);
    std::fs::write(place.path().join("kata-ci.toml"), "version = ").unwrap();
    let asked = KataCi::bare()
        .env("KATACI_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "4")
        .args(["--", "kata-ci", "run", "-C"])
        .args([place.path()])
        .args(["p"])
        .finish()
        .expect_code(0);
    assert_eq!((&*asked.stdout, &*asked.stderr), ("", ""));
}
