//! Tests `run --rev`: the verdict depends on the commit alone, and the user's repository does not
//! change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::workspace::{git, kata, write};
use crate::support::{KataCi, run_in};

const PIPELINE: &str = r#"
version = 1
[[step]]
name = "test"
run = ["make", "test"]
expect = "exit"
[[component]]
name = "proxy"
path = "."
"#;

/// A repository with its own pipeline. Its test passes if the file `verdict` says `good`.
struct Repository {
    place: TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            place: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "-q", "--initial-branch=master", "."]);
        repository.git(&[
            "remote",
            "add",
            "origin",
            "ssh://ada@review.example.com/proxy",
        ]);
        repository.write("kata-ci.toml", PIPELINE);
        repository.write("Makefile", "test:\n\tgrep -x good verdict\n");
        repository.commit("verdict", "good\n");
        repository.git(&["update-ref", "refs/remotes/origin/master", "HEAD"]);
        repository.git(&[
            "symbolic-ref",
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/master",
        ]);
        repository
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.path().join(name), text);
    }

    fn commit(&self, name: &str, text: &str) {
        self.write(name, text);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", name]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }

    /// Returns a run with a cache of its own.
    fn run(&self, cache: &Path, revision: &str) -> KataCi {
        run_in(self.path())
            .args(["--rev", revision])
            .env("XDG_CACHE_HOME", cache)
    }
}

/// Describes refs, stash, work trees, settings, index and the content of every file.
fn everything(directory: &Path) -> String {
    let script = "git for-each-ref; git stash list; git worktree list; git reflog --all; cat .git/HEAD .git/config; \
                  find . -path ./.git/objects -prune -o -type f -print0 | sort -z | xargs -0 sha1sum";
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(directory)
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

/// Returns the contents of the cache without kept builds.
fn left_in(cache: &Path) -> Vec<PathBuf> {
    let below = |name: &str| fs::read_dir(cache.join("kata-ci").join(name));
    ["aside", "views"]
        .into_iter()
        .filter_map(|name| below(name).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn what_is_not_committed_has_no_say() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    repository.write("verdict", "bad\n");
    run_in(repository.path()).finish().expect_code(1);
    repository.run(cache.path(), "HEAD").finish().expect_code(0);
    repository.commit("verdict", "bad\n");
    repository.write("verdict", "good\n");
    run_in(repository.path()).finish().expect_code(0);
    repository.run(cache.path(), "HEAD").finish().expect_code(1);
    repository
        .run(cache.path(), "HEAD~")
        .finish()
        .expect_code(0);
}

/// Nests directories deeper than a path can say, and than the run may have files open.
const NEST: &str = "test:\n\tperl -e 'for (1..3000) { mkdir \"d\"; chdir \"d\" or die }'\n";

#[test]
fn a_checkout_is_removed_however_deep_a_job_has_nested_directories() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    repository.commit("Makefile", NEST);
    for isolate in ["on", "off"] {
        let words = ["sh", "-c", "ulimit -n 512; exec \"$@\"", "sh"];
        let run = repository.run(cache.path(), "HEAD");
        run.args(["--isolate", isolate])
            .through(&words, Path::new(env!("CARGO_BIN_EXE_kata-ci")))
            .finish()
            .expect_code(0);
        assert_eq!(left_in(cache.path()), Vec::<PathBuf>::new(), "{isolate}");
    }
}

#[test]
fn nor_has_a_pipeline_or_makefile_that_is_not() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    repository.commit("verdict", "bad\n");
    let quiet = PIPELINE.replace(r#"["make", "test"]"#, r#"["true"]"#);
    repository.write("kata-ci.toml", &quiet);
    run_in(repository.path()).finish().expect_code(0);
    repository.run(cache.path(), "HEAD").finish().expect_code(1);
    for file in ["kata-ci.toml", "Makefile", "verdict"] {
        fs::remove_file(repository.path().join(file)).unwrap();
    }
    let run = repository
        .run(cache.path(), "HEAD~")
        .finish()
        .expect_code(0);
    let commit = repository.git(&["rev-parse", "HEAD~"]);
    assert_eq!(run.result()["revisions"]["proxy"], commit);
}

#[test]
fn nothing_of_the_users_is_touched_and_nothing_is_left() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    repository.commit("stashed", "");
    repository.write("stashed", "in the stash");
    repository.git(&["stash", "-q"]);
    repository.write("staged", "");
    repository.git(&["add", "staged"]);
    repository.write("verdict", "bad\n");
    repository.write("untracked", "");
    repository.git(&[
        "worktree",
        "add",
        "-q",
        "--detach",
        cache.path().join("linked").to_str().unwrap(),
    ]);
    let before = everything(repository.path());
    for directory in [repository.path(), &cache.path().join("linked")] {
        let run = run_in(directory)
            .args(["--rev", "HEAD"])
            .env("XDG_CACHE_HOME", cache.path());
        let run = run.finish().expect_code(0);
        assert!(
            run.printed().contains("in a clean checkout"),
            "{}",
            run.printed()
        );
    }
    assert_eq!(everything(repository.path()), before);
    assert_eq!(left_in(cache.path()), Vec::<PathBuf>::new());
}

#[test]
fn the_remote_is_as_the_user_has_it() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    let published = repository.git(&["rev-parse", "origin/master"]);
    repository.git(&["tag", "v1"]);
    repository.commit(
        "Makefile",
        "test:\n\tgit for-each-ref; git rev-parse origin/HEAD; git config remote.origin.url; git status --porcelain\n",
    );
    let run = repository
        .run(cache.path(), "master")
        .finish()
        .expect_code(0);
    let log = run.log("proxy.test");
    for line in [
        format!("{published} commit\trefs/remotes/origin/master"),
        format!("{published} commit\trefs/tags/v1"),
        published,
        "ssh://ada@review.example.com/proxy".to_owned(),
    ] {
        assert!(log.lines().any(|one| one == line), "{line}\n{log}");
    }
}

#[test]
fn a_kata_component_is_checked_at_its_place_and_its_commits_are_seen() {
    let (place, cache) = (kata("side-by-side"), tempfile::tempdir().unwrap());
    let proxy = place.path().join("proxy");
    let run = || {
        run_in(&proxy)
            .args(["--rev", "HEAD"])
            .env("XDG_CACHE_HOME", cache.path())
    };
    let good = run().finish().expect_code(0);
    assert_eq!(good.outcome("proxy.test"), "passed");
    // `git clone` would use this for origin/master, and the check would find no changes.
    write(&proxy.join("broken.json"), "{");
    git(&proxy, &["add", "broken.json"]);
    git(
        &proxy,
        &[
            "commit",
            "-qsm",
            "proxy: add a file\n\nIt is broken.\n\nFixes: #1",
        ],
    );
    git(&proxy, &["rm", "-q", "--cached", "broken.json"]);
    let bad = run().args(["-s", "check"]).finish().expect_code(1);
    assert!(
        bad.printed().contains("static_check_json"),
        "{}",
        bad.printed()
    );
}

#[test]
fn a_workspace_is_taken_at_the_revision_of_each_repository() {
    let (place, cache) = (kata("gopath"), tempfile::tempdir().unwrap());
    let shim = place.path().join("src/github.com/kata-containers/shim");
    fs::remove_file(shim.join("Makefile")).unwrap();
    let run = run_in(place.path())
        .args(["shim", "proxy", "-s", "test", "--rev", "master"])
        .env("XDG_CACHE_HOME", cache.path())
        .finish()
        .expect_code(0);
    assert_eq!(run.outcome("shim.test"), "passed");
    assert_eq!(run.outcome("proxy.test"), "passed");
}

#[test]
fn what_a_killed_run_left_is_cleared_by_the_next_and_a_living_one_is_left_alone() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    repository.commit("Makefile", "test:\n\techo waiting; sleep 300\n");
    let killed = repository.run(cache.path(), "HEAD").start();
    killed.wait_for_log("proxy.test", "waiting");
    killed.signal(Signal::SIGKILL);
    killed.finish().expect_code(128 + 9);
    assert_eq!(left_in(cache.path()).len(), 2, "the directory and its lock");
    let living = repository.run(cache.path(), "HEAD").start();
    living.wait_for_log("proxy.test", "waiting");
    repository
        .run(cache.path(), "HEAD~")
        .finish()
        .expect_code(0);
    assert_eq!(left_in(cache.path()).len(), 2, "those of the living run");
    living.signal(Signal::SIGTERM);
    living.finish().expect_code(128 + 15);
    assert_eq!(left_in(cache.path()), Vec::<PathBuf>::new());
}

#[test]
fn what_compilers_keep_is_there_in_the_next_run() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    let recipe = "test:\n\tls target | tr b B || true\n\tmkdir -p target\n\
                  \techo 'Signature: 8a477f597d28d172789f06886806bc55' > target/CACHEDIR.TAG\n\ttouch target/built\n";
    repository.commit("Makefile", recipe);
    let first = repository.run(cache.path(), "HEAD").finish().expect_code(0);
    assert!(!first.log("proxy.test").contains("Built"));
    let second = repository.run(cache.path(), "HEAD").finish().expect_code(0);
    assert!(
        second.log("proxy.test").contains("Built"),
        "{}",
        second.log("proxy.test")
    );
}

#[test]
fn what_is_no_revision_is_a_mistake_with_the_repository_named() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    for revision in ["nothing", "--all", "HEAD:verdict"] {
        let run = run_in(repository.path())
            .args([&format!("--rev={revision}")])
            .env("XDG_CACHE_HOME", cache.path());
        let run = run.finish().expect_code(2);
        let path = repository.path().to_str().unwrap();
        assert!(
            run.stderr.contains(revision) && run.stderr.contains(path),
            "{}",
            run.stderr
        );
    }
    let nowhere = run_in(cache.path())
        .args(["--rev", "HEAD"])
        .finish()
        .expect_code(2);
    assert!(
        nowhere.stderr.contains("no git repository"),
        "{}",
        nowhere.stderr
    );
    assert_eq!(left_in(cache.path()), Vec::<PathBuf>::new());
}

#[test]
fn what_a_commit_affects_is_told_by_the_commit() {
    let (repository, cache) = (Repository::new(), tempfile::tempdir().unwrap());
    repository.write("verdict", "bad\n");
    let since = |revision: &str| {
        let run = repository.run(cache.path(), "HEAD");
        run.args(["--since", revision]).finish().expect_code(0)
    };
    assert!(since("master").printed().contains("nothing to run"));
    repository.commit("verdict", "good\n\n");
    assert_eq!(since("origin/master").outcome("proxy.test"), "passed");
}
