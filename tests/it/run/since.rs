//! Tests `--since`: affected components run, and the others are listed.

use std::path::Path;

use serde_json::Value;

use crate::support::workspace::{git, kata, makefiles, write};
use crate::support::{Finished, run_in};

fn jobs(run: &Finished) -> Vec<String> {
    let result = run.result();
    let jobs = result["jobs"].as_array().expect("jobs");
    let id = |job: &Value| job["id"].as_str().expect("an id").to_owned();
    jobs.iter().map(id).collect()
}

/// Returns the reason for each component, with `+` if it runs.
fn reasons(run: &Finished) -> Vec<String> {
    let result = run.result();
    let components = result["since"]["components"].as_array().expect("since");
    components
        .iter()
        .map(|one| {
            let mark = if one["affected"] == true { '+' } else { '-' };
            let text = |key: &str| one[key].as_str().expect("a text").to_owned();
            format!("{mark}{}: {}", text("component"), text("reason"))
        })
        .collect()
}

fn append(path: &Path, text: &str) {
    let old = std::fs::read_to_string(path).expect("it is there");
    std::fs::write(path, old + text).expect("written");
}

#[test]
fn a_diff_of_two_lines_in_one_component_of_four_runs_that_one() {
    let place = kata("gopath");
    let proxy = place.path().join("src/github.com/kata-containers/proxy");
    append(&proxy.join("main.go"), "\n// Two more lines.\n");
    let run = run_in(place.path())
        .args(["-s", "test", "--since", "origin/master"])
        .finish()
        .expect_code(0);
    assert_eq!(jobs(&run), ["proxy.test"]);
    assert_eq!(run.cases("proxy.test")["passed"], 9);
    assert_eq!(
        reasons(&run),
        [
            "-runtime: nothing changed",
            "-agent: nothing changed",
            "-shim: nothing changed",
            "+proxy: main.go changed",
        ]
    );
    let printed = run.printed();
    assert!(
        printed.contains("left out: runtime, agent, shim (nothing changed)"),
        "{printed}"
    );
}

#[test]
fn a_change_to_the_readme_runs_nothing_and_is_a_success_that_says_so() {
    let place = kata("side-by-side");
    let proxy = place.path().join("proxy");
    append(&proxy.join("README.md"), "One more line.\n");
    git(&proxy, &["commit", "--quiet", "--all", "--message", "docs"]);
    let run = run_in(place.path())
        .args(["--since", "origin/master"])
        .finish()
        .expect_code(0);
    assert_eq!(jobs(&run), Vec::<String>::new());
    let ignored = "-proxy: only ignored files changed: README.md";
    assert!(
        reasons(&run).contains(&ignored.to_owned()),
        "{:?}",
        reasons(&run)
    );
    assert_eq!(run.result()["exit"], 0);
    let printed = run.printed();
    assert!(printed.contains("nothing to run"), "{printed}");
    assert!(printed.contains("README.md"), "{printed}");
    run.junit();
}

/// Creates three components in one repository; the second needs the first.
fn repository() -> tempfile::TempDir {
    let makefile = "test:\n @printf 'running 1 test\\ntest a ... ok\\n\\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\\n'\n.PHONY: test";
    let place = makefiles(&[("libs", makefile), ("agent", makefile), ("tool", makefile)]);
    write(
        &place.path().join("kata-ci.toml"),
        r#"
version = 1
ignore = ["*.md"]
[[step]]
name = "test"
run = ["make", "test"]
[[component]]
name = "libs"
[[component]]
name = "agent"
needs = ["libs"]
[[component]]
name = "tool"
ignore = ["/data"]
"#,
    );
    git(place.path(), &["init", "--quiet"]);
    git(place.path(), &["add", "--all"]);
    git(place.path(), &["commit", "--quiet", "--message", "all"]);
    place
}

fn since_head(place: &Path, more: &[&str]) -> Finished {
    let run = run_in(place).args(["--since", "HEAD"]).args(more).finish();
    run.expect_code(0)
}

#[test]
fn those_that_need_what_changed_run_too() {
    let place = repository();
    write(&place.path().join("libs/new.rs"), "");
    assert_eq!(
        jobs(&since_head(place.path(), &[])),
        ["libs.test", "agent.test"]
    );
    assert_eq!(jobs(&since_head(place.path(), &["agent"])), ["agent.test"]);
    assert_eq!(
        jobs(&since_head(place.path(), &["tool"])),
        Vec::<String>::new()
    );
    let dry = since_head(place.path(), &["--dry-run"]);
    assert!(
        dry.stdout.contains("agent affected: needs libs"),
        "{}",
        dry.stdout
    );
    assert!(
        dry.stdout.contains("tool left out: nothing changed"),
        "{}",
        dry.stdout
    );
}

#[test]
fn a_file_of_no_component_affects_all_unless_it_is_ignored() {
    let place = repository();
    write(&place.path().join("NOTES.md"), "");
    write(&place.path().join("tool/data/a.bin"), "");
    assert_eq!(jobs(&since_head(place.path(), &[])), Vec::<String>::new());
    write(&place.path().join("common.mk"), "");
    assert_eq!(
        jobs(&since_head(place.path(), &[])),
        ["libs.test", "agent.test", "tool.test"]
    );
}

#[test]
fn a_revision_that_is_none_is_refused() {
    let place = repository();
    let run = run_in(place.path())
        .args(["--since", "nowhere"])
        .finish()
        .expect_code(2);
    assert!(
        run.stderr.contains("`nowhere` is not a revision in"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("fetch"), "{}", run.stderr);
    let run = run_in(place.path())
        .args(["--since", "HEAD", "agnet"])
        .finish()
        .expect_code(2);
    assert!(
        run.stderr.contains("did you mean `agent`"),
        "{}",
        run.stderr
    );
}

#[test]
fn without_git_everything_runs_and_says_why() {
    let place = repository();
    std::fs::remove_dir_all(place.path().join(".git")).expect("removed");
    let run = since_head(place.path(), &[]);
    assert_eq!(jobs(&run).len(), 3);
    assert!(
        run.printed().contains("it is in no git repository"),
        "{}",
        run.printed()
    );
}
