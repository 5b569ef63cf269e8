//! Tests symbolic links with `--isolate on`: on the path of a component, and in place of a
//! directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use crate::support::workspace::{git, write};
use crate::support::{Finished, KataCi};

/// Creates the components `a` and `b`, each a repository. `a` runs the script.
fn workspace(place: &Path, script: &str) {
    write(&place.join("work/a/Makefile"), "check:\n\t@sh probe.sh\n");
    write(&place.join("work/a/probe.sh"), script);
    write(&place.join("work/b/Makefile"), "check:\n\t@echo checked\n");
    for component in ["a", "b"] {
        let directory = place.join("work").join(component);
        git(&directory, &["init", "-q"]);
        git(&directory, &["add", "."]);
        git(&directory, &["commit", "-qm", "begin"]);
    }
}

fn run(work: &Path, reports: &Path) -> Finished {
    KataCi::bare()
        .args(["run", "-s", "check", "--isolate", "on", "-j", "1", "-C"])
        .args([work])
        .args(["--report-dir"])
        .args([reports])
        .env("HOME", reports.join("no-home"))
        .reports_in(reports)
        .finish()
}

/// Returns a directory below a hidden one, and one below a visible one.
fn places() -> Vec<TempDir> {
    let hidden = tempfile::tempdir_in("/tmp").expect("a temporary directory");
    let seen = tempfile::tempdir_in("/var").ok();
    [hidden].into_iter().chain(seen).collect()
}

#[test]
fn a_component_may_be_reached_through_links() {
    const SCRIPT: &str = "touch made && pwd && ! touch .git/config 2> /dev/null";
    for place in places() {
        let place = place.path();
        workspace(place, SCRIPT);
        fs::create_dir(place.join("deep")).expect("made");
        fs::rename(place.join("work/a"), place.join("deep/a")).expect("moved");
        symlink("../deep/a", place.join("work/a")).expect("linked");
        symlink("work", place.join("link")).expect("linked");
        let run = run(&place.join("link"), &place.join("reports")).expect_code(0);
        assert!(place.join("deep/a/made").exists(), "{}", run.log("a.check"));
        assert_eq!(run.job("a.check")["isolation"]["files"], "enforced");
    }
}

#[test]
fn reports_in_a_work_tree_are_as_safe_through_a_link_to_it() {
    for place in places() {
        let place = place.path();
        symlink("work", place.join("link")).expect("linked");
        let link = place.join("link");
        let script = format!(
            "for tree in . {0}/a; do ! echo x 2> /dev/null > $tree/reports/result.json || exit 1; done",
            link.display()
        );
        workspace(place, &script);
        fs::create_dir(place.join("work/a/reports")).expect("made");
        run(&link, &place.join("work/a/reports")).expect_code(0);
    }
}

#[test]
fn a_job_cannot_lead_reports_elsewhere_by_moving_the_directory_around_them_away() {
    for place in places() {
        let place = place.path();
        let (reports, elsewhere) = (place.join("work/a/out/reports"), place.join("elsewhere"));
        let script = format!(
            "mv out aside && mkdir out && ln -s {} out/reports; [ -e out/reports/events.jsonl ]",
            elsewhere.display()
        );
        workspace(place, &script);
        for directory in [&reports, &elsewhere] {
            fs::create_dir_all(directory).expect("made");
        }
        let run = run(&place.join("work"), &reports).expect_code(0);
        assert!(
            run.log("a.check").contains("busy"),
            "{}",
            run.log("a.check")
        );
        assert!(reports.join("result.json").exists());
        let strayed: Vec<_> = fs::read_dir(&elsewhere).expect("listed").collect();
        assert!(strayed.is_empty(), "{strayed:?}");
    }
}
