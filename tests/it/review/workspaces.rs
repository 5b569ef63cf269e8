//! Changes of a repository with several components, and of one in a GOPATH.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::patch_set::{Reviewed, vote};
use crate::support::gerrit::{Clone, Transport, User, fresh_id, server};
use crate::support::workspace;

/// A pipeline of two components in one repository. Each job tells a file that it ran.
fn monorepo(told: &Path) -> String {
    let mut text = format!(
        "version = 1\n[[step]]\nname = 'check'\nisolate = 'off'\n\
         script = 'basename $PWD >> {}; ! grep -q bad code'\n",
        told.display()
    );
    for name in ["agent", "runtime"] {
        text += &format!("[[component]]\nname = '{name}'\npath = 'src/{name}'\n");
    }
    text
}

#[test]
fn a_change_of_a_monorepo_runs_what_it_affects_and_its_base_once() {
    let Some(one) = Reviewed::new("review-monorepo", &["first"]) else {
        return;
    };
    one.trust();
    let told = one.clone.home().join("told");
    for name in ["agent", "runtime"] {
        one.write(&format!("src/{name}/code"), "good");
    }
    one.write("kata-ci.toml", &monorepo(&told));
    one.clone.commit("file", "two components");
    one.clone
        .git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    one.clone.git(&["fetch", "-q"]);
    let ran = || {
        let text = fs::read_to_string(&told).unwrap_or_default();
        let _ = fs::remove_file(&told);
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    one.write("src/agent/code", "bad");
    one.patch_set_of("src/agent/code");
    let answer = one.review(&["--vote"]).expect(1);
    assert_eq!(one.vote(), -1, "{answer:?}");
    assert_eq!(ran(), ["agent", "agent"], "the change, and its base");
    assert!(!answer.output.contains("runtime.check"), "{answer:?}");
    one.write("src/agent/code", "better");
    one.patch_set_of("src/agent/code");
    one.review(&["--vote"]).expect(0);
    assert_eq!(one.vote(), 1);
    assert_eq!(ran(), ["agent"], "the base has run");
    // The other component by itself.
    one.write("src/runtime/code", "better");
    one.patch_set_of("src");
    let answer = one.review(&["--vote", "--no-base"]).expect(0);
    assert!(answer.output.contains("runtime.check"), "{answer:?}");
    assert_eq!(ran(), ["runtime"]);
}

impl Reviewed {
    /// Pushes only this path of the work tree as the next patch set.
    fn patch_set_of(&self, path: &str) {
        let git = |words: &[&str]| self.clone.git(words);
        git(&["checkout", "-q", "--detach"]);
        git(&["add", path]);
        let message = format!("agent: change\n\nChange-Id: {}\n", self.id);
        git(&["commit", "-q", "-m", &message]);
        git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
        git(&["checkout", "-q", "--force", "origin/master"]);
    }
}

/// Runs git in a repository, with the configuration and credentials of a clone.
fn git_in(directory: &Path, clone: &Clone, words: &[&str]) {
    let status = Command::new("git")
        .args(words)
        .current_dir(directory)
        .envs(clone.environment())
        .status();
    assert!(status.unwrap().success(), "git {words:?}");
}

#[test]
fn a_change_of_a_kata_component_in_its_gopath() {
    let Some(server) = server() else { return };
    let project = server.project_named("kata-containers/proxy");
    let clone = project.clone_as(User::Admin, Transport::Http);
    let gopath = workspace::kata("gopath");
    let above = gopath.path().join("src/github.com/kata-containers");
    let proxy = above.join("proxy");
    let repository = project.repository().display().to_string();
    let url = project.url(User::Admin, Transport::Http);
    let git = |words: &[&str]| git_in(&proxy, &clone, words);
    git(&["push", "-q", &repository, "+HEAD:refs/heads/master"]);
    git(&["remote", "set-url", "origin", &url]);
    git(&["fetch", "-q", "origin"]);
    fs::write(proxy.join("NEWS"), "news\n").unwrap();
    let id = fresh_id();
    let message = format!("proxy: news\n\nFixes: #1\n\nChange-Id: {id}\n");
    git(&["add", "NEWS"]);
    git(&["commit", "-q", "-s", "-m", &message]);
    git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    git(&["reset", "-q", "--hard", "HEAD~1"]);
    let operator = clone.home().join("config/kata-ci");
    fs::create_dir_all(&operator).unwrap();
    let text = format!(
        "version = 1\n[gerrit]\nurl = 'http://admin@127.0.0.1:{}'\n[review]\ntrusted = ['Administrators']\n",
        server.value("http_port")
    );
    fs::write(operator.join("config.toml"), text).unwrap();
    let number = project.change(&id).expect("it is there")["_number"].to_string();
    let mut command = clone.kata_ci(&["review", &number, "--vote"]);
    command.current_dir(&above).env("GOPATH", gopath.path());
    let answer = crate::support::gerrit::Answer::of(&mut command).expect(0);
    for job in ["proxy.check", "proxy.test"] {
        assert!(answer.output.contains(job), "{answer:?}");
    }
    assert!(!answer.output.contains("shim."), "{answer:?}");
    assert_eq!(vote(&project.change(&id).expect("it"), "admin"), 1);
}
