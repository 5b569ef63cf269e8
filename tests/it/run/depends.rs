//! Tests `Depends-on:` with real servers: a file, a git daemon and Gerrit. Fetching leaves no trace
//! in the user's repositories.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kata_ci::gerrit::depends::{
    DependencyError, Revision, WorkspaceRepository, dependencies, fetch, resolve,
};
use kata_ci::git::Repository;

use crate::support::gerrit::{Clone, Transport, User, plain, server};
use crate::support::proxy::free_port;
use crate::support::until;

fn candidate(clone: &Clone) -> WorkspaceRepository {
    let own = clone.environment().into_iter();
    let environment =
        std::env::vars_os().chain(own.map(|(name, value)| (name.into(), value.into())));
    WorkspaceRepository {
        name: clone
            .directory
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned(),
        top: clone.directory.clone(),
        repository: Repository::at(&clone.directory, &environment.collect()),
    }
}

/// Resolves `Depends-on: TEXT` in a commit of the first clone.
fn resolved(clones: &[&Clone], text: &str) -> Result<Option<Revision>, DependencyError> {
    let candidates: Vec<_> = clones.iter().map(|clone| candidate(clone)).collect();
    let found = dependencies(format!("a: b\n\nDepends-on: {text}\n").as_bytes())?;
    let tip = clones[0].git(&["rev-parse", "HEAD"]);
    resolve(&found[0], &candidates, &candidates[0], &tip)
}

/// Fetches a revision into an empty store, and returns the subject of its commit. The user's
/// repositories must not change.
fn fetched(clone: &Clone, revision: &Revision) -> String {
    let everything = || {
        let files = Command::new("sh")
            .args([
                "-c",
                "find . -type f -print0 | sort -z | xargs -0 sha1sum; find . -type d | sort",
            ])
            .current_dir(&clone.directory)
            .output()
            .unwrap();
        String::from_utf8_lossy(&files.stdout).into_owned()
    };
    let before = everything();
    let store = tempfile::tempdir().unwrap();
    let (url, reference) = revision.from.as_ref().expect("it is at a server");
    fetch(&candidate(clone).repository, url, reference, store.path()).unwrap();
    assert_eq!(everything(), before);
    let mut show = Command::new("git");
    show.args(["show", "-s", "--format=%s", &revision.commit])
        .current_dir(&clone.directory)
        .env("GIT_OBJECT_DIRECTORY", store.path())
        .env(
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            clone.directory.join(".git/objects"),
        );
    String::from_utf8_lossy(&show.output().unwrap().stdout)
        .trim()
        .to_owned()
}

/// Returns clones called runtime and runtime-rs beside the first one, of repositories below
/// `kata-containers`. The server of the first has pull request 999.
fn with_a_pull_request() -> (Clone, Clone, Clone) {
    let (origin, proxy) = plain();
    let place = origin.parent().unwrap().join("kata-containers");
    fs::create_dir(&place).unwrap();
    let [runtime, longer] = ["runtime", "runtime-rs"].map(|name| {
        let copy = place.join(format!("{name}.git"));
        assert!(
            Command::new("cp")
                .arg("-r")
                .args([&origin, &copy])
                .status()
                .unwrap()
                .success()
        );
        proxy.beside(&copy.to_string_lossy(), &format!("work/{name}"))
    });
    runtime.commit("file", "runtime: asked to be pulled\n");
    runtime.git(&["push", "-q", "origin", "HEAD:refs/pull/999/head"]);
    runtime.git(&["reset", "-q", "--hard", "origin/master"]);
    // The objects must come from the server.
    runtime.git(&["reflog", "expire", "--expire=now", "--all"]);
    runtime.git(&["gc", "-q", "--prune=now"]);
    (proxy, runtime, longer)
}

#[test]
fn a_pull_request_is_fetched_from_the_repository_of_exactly_that_name() {
    let (proxy, runtime, longer) = with_a_pull_request();
    for text in [
        "github.com/kata-containers/runtime#999",
        "https://github.com/kata-containers/runtime/pull/999",
    ] {
        let found = resolved(&[&proxy, &longer, &runtime], text)
            .unwrap()
            .unwrap();
        assert_eq!(found.top, runtime.directory);
        assert_eq!(fetched(&runtime, &found), "runtime: asked to be pulled");
    }
    let error = resolved(&[&proxy, &longer], "github.com/kata-containers/runtime#999").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("exactly `kata-containers/runtime`; there are: proxy, runtime-rs"),
        "{error}"
    );
    assert!(error.fix().contains("clone it beside"), "{}", error.fix());
    let error = resolved(
        &[&proxy, &runtime],
        "github.com/kata-containers/runtime#998",
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("has no refs/pull/998/head"),
        "{error}"
    );
}

/// A `git daemon` for a directory, which ends with the test.
struct Daemon(Child, u16);

impl Daemon {
    fn serve(directory: &Path) -> Self {
        let port = free_port();
        let child = Command::new("git")
            .args([
                "daemon",
                "--listen=127.0.0.1",
                "--export-all",
                "--reuseaddr",
            ])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", directory.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("git daemon", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self(child, port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // On TERM it ends itself and its children.
        let id = nix::unistd::Pid::from_raw(self.0.id() as i32);
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

#[test]
fn a_pull_request_comes_from_a_git_daemon_too_and_one_that_is_gone_is_an_error() {
    let (proxy, runtime, _) = with_a_pull_request();
    let place = runtime.git(&["remote", "get-url", "origin"]);
    let base = Path::new(&place).parent().unwrap().parent().unwrap();
    let daemon = Daemon::serve(base);
    let url = format!("git://127.0.0.1:{}/kata-containers/runtime.git", daemon.1);
    runtime.git(&["remote", "set-url", "origin", &url]);
    let text = "github.com/kata-containers/runtime#999";
    let found = resolved(&[&proxy, &runtime], text).unwrap().unwrap();
    assert_eq!(fetched(&runtime, &found), "runtime: asked to be pulled");
    drop(daemon);
    let error = resolved(&[&proxy, &runtime], text).unwrap_err();
    assert!(matches!(error, DependencyError::Git { .. }), "{error}");
    assert!(error.fix().contains("git fetch"), "{}", error.fix());
}

#[test]
fn a_change_id_is_a_commit_of_another_repository_or_below_already() {
    let (proxy, runtime, longer) = with_a_pull_request();
    let below = proxy.commit_with_id("file", "proxy: below");
    proxy.commit("file", "proxy: above\n");
    assert_eq!(resolved(&[&proxy, &runtime], &below).unwrap(), None);
    let id = runtime.commit_with_id("file", "runtime: not pushed yet");
    let found = resolved(&[&proxy, &longer, &runtime], &id)
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.commit, found.from),
        (runtime.git(&["rev-parse", "HEAD"]), None)
    );
    longer.commit(
        "file",
        &format!("runtime-rs: the same id\n\nChange-Id: {id}\n"),
    );
    let error = resolved(&[&proxy, &longer, &runtime], &id).unwrap_err();
    assert!(
        error.to_string().contains("any of runtime-rs, runtime"),
        "{error}"
    );
    let nowhere = format!("I{}", "a1".repeat(20));
    let error = resolved(&[&proxy, &longer, &runtime], &nowhere).unwrap_err();
    assert!(
        matches!(error, DependencyError::UnknownChangeId { .. }),
        "{error}"
    );
    assert!(error.fix().contains("by its URL"));
    let nobody = format!("http://ada:s3cret@127.0.0.1:{}/kata/runtime", free_port());
    runtime.git(&["remote", "set-url", "origin", &nobody]);
    let error = resolved(&[&proxy, &runtime], &nowhere)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("GET http://127.0.0.1:") && !error.contains("s3cret"),
        "{error}"
    );
}

#[test]
fn changes_of_a_real_gerrit_by_id_and_by_url() {
    let Some(server) = server() else { return };
    let [agent, proxy] = ["depends-agent", "depends-proxy"].map(|stem| server.project(stem));
    let author = agent.clone_as(User::Admin, Transport::Ssh);
    let id = author.commit_with_id("file", "agent: first");
    author.call(&["push", "--no-check"]).expect(0);
    let amended = format!("agent: second\n\nChange-Id: {id}\n");
    author.git(&["commit", "-q", "--amend", "-m", &amended]);
    author.call(&["push", "--no-check"]).expect(0);
    let number = agent.change(&id).unwrap()["_number"].as_u64().unwrap();
    let (base, project) = (server.url(), &agent.name);
    for transport in [Transport::Ssh, Transport::Http] {
        let own = proxy.clone_as(User::Guest, transport);
        let other = own.beside(&agent.url(User::Guest, transport), "work/agent");
        let subject = |text: &str| {
            let found = resolved(&[&own, &other], text).unwrap().unwrap();
            assert_eq!(found.top, other.directory);
            fetched(&other, &found)
        };
        assert_eq!(
            subject(&format!("{base}/c/{project}/+/{number}")),
            "agent: second"
        );
        assert_eq!(
            subject(&format!("{base}/c/{project}/+/{number}/1")),
            "agent: first"
        );
        assert_eq!(subject(&format!("{base}/{number}")), "agent: second");
        assert_eq!(subject(&id), "agent: second");
        let error =
            resolved(&[&own, &other], &format!("{base}/c/{project}/+/{number}/9")).unwrap_err();
        assert!(
            error.to_string().contains(&format!("/{number}/9")),
            "{error}"
        );
        let error =
            resolved(&[&own, &other], &format!("{base}/c/{project}-x/+/{number}")).unwrap_err();
        assert!(error.to_string().contains("exactly"), "{error}");
        let error = resolved(&[&own, &other], "https://review.example.com/c/x/+/1").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no repository here has a remote at review.example.com"),
            "{error}"
        );
        let error = resolved(&[&other, &own], &format!("{base}/{number}")).unwrap_err();
        assert!(matches!(error, DependencyError::NotBelow { .. }), "{error}");
        let answer = resolved(&[&author, &own], &format!("{base}/{number}")).unwrap();
        assert_eq!(answer, None, "it is the commit itself");
    }
}

/// Returns a clone of proxy whose test reads a file of agent, and a clone of agent, whose pull
/// request 7 makes it pass.
fn checked_with_agent() -> (Clone, Clone) {
    let (origin, proxy) = plain();
    let place = origin.parent().unwrap().join("agent.git");
    assert!(
        Command::new("cp")
            .arg("-r")
            .args([&origin, &place])
            .status()
            .unwrap()
            .success()
    );
    let agent = proxy.beside(&place.to_string_lossy(), "agent");
    let pipeline = "version = 1\nlayout = 'gopath'\n[[component]]\nname = 'proxy'\npath = '.'\n[[step]]\nname = 'test'\nexpect = 'exit'\n\
        script = '''\ngrep -x good ../agent/verdict\ngrep -x good $GOPATH/src/github.com/kata-containers/agent/verdict\n'''\n";
    fs::write(proxy.directory.join("kata-ci.toml"), pipeline).unwrap();
    proxy.commit("Makefile", "proxy: have a pipeline\n");
    proxy.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    fs::write(agent.directory.join("verdict"), "good\n").unwrap();
    agent.commit("file", "agent: say good\n");
    agent.git(&["push", "-q", "origin", "HEAD:refs/pull/7/head"]);
    agent.git(&["reset", "-q", "--hard", "origin/master"]);
    (proxy, agent)
}

fn depending(proxy: &Clone, text: &str) {
    proxy.git(&["reset", "-q", "--hard", "origin/master"]);
    proxy.commit_with_id("file", &format!("proxy: use it\n\nDepends-on: {text}"));
}

#[test]
fn a_check_has_what_the_commit_depends_on_beside_it() {
    let (proxy, agent) = checked_with_agent();
    proxy.commit_with_id("file", "proxy: use it without a word");
    proxy.call(&["push"]).expect(1);
    depending(&proxy, "github.com/kata-containers/agent#7");
    let before = (
        agent.git(&["for-each-ref"]),
        agent.git(&["rev-parse", "HEAD"]),
    );
    let answer = proxy.call(&["push"]).expect(0);
    assert!(
        answer
            .output
            .contains("(Depends-on: github.com/kata-containers/agent#7) in a clean checkout"),
        "{}",
        answer.output
    );
    assert_eq!(
        (
            agent.git(&["for-each-ref"]),
            agent.git(&["rev-parse", "HEAD"])
        ),
        before
    );
    let fetched = agent.directory.join(".git/FETCH_HEAD");
    assert!(!fetched.exists());
    // A commit that only the clone beside it has.
    fs::write(agent.directory.join("verdict"), "good\n").unwrap();
    let id = agent.commit_with_id("file", "agent: not pushed yet");
    proxy.git(&["push", "-q", "origin", ":refs/for/master"]);
    depending(&proxy, &id);
    proxy.call(&["push"]).expect(0);
}

#[test]
fn nothing_is_pushed_where_a_dependency_cannot_be_had() {
    let (proxy, agent) = checked_with_agent();
    for (text, code, words) in [
        (
            "github.com/kata-containers/agent#8",
            2,
            "has no refs/pull/8/head",
        ),
        (
            "github.com/kata-containers/agen#7",
            2,
            "exactly `kata-containers/agen`; there are: proxy, agent",
        ),
        ("agent#7", 2, "names nothing that can be fetched"),
    ] {
        depending(&proxy, text);
        let answer = proxy.call(&["push"]).expect(code);
        assert!(
            answer.errors.contains(words) && answer.errors.contains("= help: "),
            "{answer:?}"
        );
    }
    agent.git(&[
        "remote",
        "set-url",
        "origin",
        &format!("git://127.0.0.1:{}/agent", free_port()),
    ]);
    depending(&proxy, "github.com/kata-containers/agent#7");
    let answer = proxy.call(&["push"]).expect(75);
    assert!(answer.errors.contains("try again"), "{answer:?}");
    assert_eq!(proxy.git(&["ls-remote", "origin", "refs/for/*"]), "");
    proxy.call(&["push", "--no-check"]).expect(0);
}

#[test]
fn two_revisions_of_one_repository_are_refused() {
    let (proxy, agent) = checked_with_agent();
    agent.commit("file", "agent: another\n");
    agent.git(&["push", "-q", "origin", "HEAD:refs/pull/9/head"]);
    depending(
        &proxy,
        "github.com/kata-containers/agent#7, github.com/kata-containers/agent#9",
    );
    let answer = proxy.call(&["push"]).expect(2);
    assert!(
        answer.errors.contains("are different revisions of"),
        "{answer:?}"
    );
}

#[test]
fn what_only_its_owner_sees_is_asked_with_gits_credentials() {
    let Some(server) = server() else { return };
    let project = server.project("depends-private");
    let author = project.clone_as(User::Guest, Transport::Ssh);
    let id = author.commit_with_id("file", "private: for one");
    author.call(&["push", "--no-check", "--private"]).expect(0);
    let own = server
        .project("depends-own")
        .clone_as(User::Guest, Transport::Http);
    let other = own.beside(&project.url(User::Guest, Transport::Http), "work/private");
    let found = resolved(&[&own, &other], &id).unwrap().unwrap();
    assert_eq!(fetched(&other, &found), "private: for one");
    // Without them nobody is told of it.
    own.git(&["config", "--global", "--unset", "credential.helper"]);
    let error = resolved(&[&own, &other], &id).unwrap_err();
    assert!(
        matches!(error, DependencyError::UnknownChangeId { .. }),
        "{error}"
    );
    assert!(error.fix().contains("by its URL"));
}
