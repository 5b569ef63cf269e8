//! The output on a terminal: of several widths, resized, and beside a pipe or a file.

use std::process::Command;

use crate::support::tmux::Tmux;
use crate::support::workspace::makefiles;

const SLOW: &str = "test:\n @echo 1..1; sleep 2; echo 'ok 1 a'\n.PHONY: test";
const FAILING: &str = "test:\n @echo 1..1; echo 'not ok 1 broken'; exit 1\n.PHONY: test";

fn workspace() -> tempfile::TempDir {
    makefiles(&[("agent", SLOW), ("proxy", FAILING), ("shim", SLOW)])
}

#[test]
fn nothing_finished_is_lost_however_wide_the_terminal_becomes() {
    for columns in [60, 80, 200] {
        let place = workspace();
        let Some(tmux) = Tmux::start(columns, 30, place.path(), &["bash", "--norc"]) else {
            return;
        };
        tmux.keys(&["kata-ci run -s test -j1; echo en''ded", "Enter"]);
        tmux.wait_for("agent.test");
        tmux.resize(columns + 25);
        tmux.wait_for("proxy.test");
        tmux.resize(columns);
        let screen = tmux.wait_for("ended");
        for job in ["agent.test", "proxy.test", "shim.test"] {
            let lines = screen.lines().filter(|line| {
                let line = line.trim_start();
                (line.starts_with('✓') || line.starts_with('✗')) && line.contains(job)
            });
            assert!(lines.count() >= 1, "{job} at {columns}:\n{screen}");
        }
        let stale = screen.lines().filter(|line| line.contains('▸')).count();
        assert_eq!(stale, 0, "at {columns}:\n{screen}");
        assert!(screen.contains("2 passed"), "{screen}");
    }
}

#[test]
fn a_pipe_and_a_file_get_the_summary() {
    let place = workspace();
    let Some(tmux) = Tmux::start(100, 40, place.path(), &["bash", "--norc"]) else {
        return;
    };
    tmux.keys(&["kata-ci run proxy -s test > out; echo en''ded", "Enter"]);
    let screen = tmux.wait_for("ended");
    assert!(screen.contains("1 failed"), "{screen}");
    let file = std::fs::read_to_string(place.path().join("out")).unwrap();
    assert!(
        file.contains("1 failed") && file.contains("broken"),
        "{file}"
    );
    tmux.keys(&[
        "kata-ci run proxy -s test | cat > piped; echo do''ne",
        "Enter",
    ]);
    tmux.wait_for("done");
    let piped = std::fs::read_to_string(place.path().join("piped")).unwrap();
    assert_eq!(
        piped.matches("broken").count(),
        file.matches("broken").count(),
        "{piped}"
    );
}

#[test]
fn every_command_has_a_page_that_man_shows() {
    let place = tempfile::tempdir().unwrap();
    let pages = place.path().join("man");
    crate::support::KataCi::bare()
        .args(["man", "--directory"])
        .args([&pages])
        .finish()
        .expect_code(0);
    for page in ["kata-ci.1", "kata-ci-run.1", "kata-ci-report-show.1"] {
        assert!(pages.join(page).exists(), "{page}");
    }
    let mut man = Command::new("man");
    man.arg("-l").arg(pages.join("kata-ci-run.1"));
    man.env("MANPAGER", "cat").env("MANWIDTH", "80");
    let Ok(shown) = man.output() else {
        eprintln!("skipped: there is no man");
        return;
    };
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.status.success() && text.contains("max-fail"),
        "{text}"
    );
}
