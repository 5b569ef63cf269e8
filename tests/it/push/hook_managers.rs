//! Tests the hooks beside those of real hook managers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::gerrit::{Answer, Clone, fresh_id, plain};
use crate::support::hook_managers::Manager;

/// A clone with a hook of a manager's configuration that notes its calls, and refuses bad messages.
struct Story {
    clone: Clone,
    seen: PathBuf,
}

fn write_script(file: &PathBuf, script: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, script).unwrap();
    fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

fn path_with_kata_ci() -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_kata-ci"));
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}", program.parent().unwrap().display())
}

impl Story {
    fn of(manager: Manager) -> Self {
        let (_, clone) = plain();
        let seen = clone.home().join("seen");
        let script = clone.home().join("theirs");
        let text = format!(
            "#!/bin/sh\nname=$1; shift\n\
             if [ $name = pre-push ]; then input=$(cat); fi\n\
             echo \"$name|$*|$input\" >> '{}'\n\
             if [ $name = commit-msg ]; then ! grep -q ': bad' \"$1\"; fi\n",
            seen.display()
        );
        write_script(&script, &text);
        manager.configure(&clone, &script);
        Self { clone, seen }
    }

    /// Puts a hook in place that was there before all others, and notes its calls elsewhere.
    fn hook_from_before(&self) -> (String, PathBuf) {
        let seen = self.clone.home().join("kept");
        let script = format!(
            "#!/bin/sh\necho \"$(basename \"$0\")|$*|$(cat)\" >> '{}'\n",
            seen.display()
        );
        for name in ["pre-push", "commit-msg"] {
            write_script(&self.clone.directory.join(".git/hooks").join(name), &script);
        }
        (script, seen)
    }

    fn git(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(&self.clone.directory)
            .envs(self.clone.environment())
            .env("PATH", path_with_kata_ci());
        Answer::of(&mut command)
    }

    fn commit(&self, message: &str) -> Answer {
        fs::write(self.clone.directory.join("file"), fresh_id()).unwrap();
        self.git(&["commit", "-q", "-a", "-m", message])
    }

    /// Returns the notes and forgets them.
    fn calls(file: &PathBuf) -> Vec<String> {
        let calls = fs::read_to_string(file).unwrap_or_default();
        let _ = fs::remove_file(file);
        calls.lines().map(str::to_owned).collect()
    }

    fn has_change_id(&self) -> bool {
        let message = self.clone.git(&["log", "-1", "--format=%B"]);
        message.matches("Change-Id: I").count() == 1
    }

    /// The hooks of both: the manager's run once each, what is bad is refused, the rest works.
    fn both_hold(&self, manager: Manager) {
        let url = self.clone.git(&["remote", "get-url", "origin"]);
        self.commit("proxy: good").expect(0);
        assert!(self.has_change_id());
        assert_eq!(Self::calls(&self.seen), ["commit-msg|.git/COMMIT_EDITMSG|"]);
        let refused = self.commit("proxy: bad");
        assert_ne!(refused.code, Some(0), "{refused:?}");
        self.clone.git(&["checkout", "-q", "file"]);
        Self::calls(&self.seen);
        let pushed = self.git(&["push", "origin", "HEAD:refs/for/master"]);
        assert_ne!(pushed.code, Some(0), "{pushed:?}");
        let said = format!("{}{}", pushed.output, pushed.errors);
        assert!(said.contains("was not checked"), "{said}");
        Self::calls(&self.seen);
        self.push_with_kata_ci(manager, &url);
    }

    fn push_with_kata_ci(&self, manager: Manager, url: &str) {
        let head = self.clone.git(&["rev-parse", "HEAD"]);
        let mut push = self.clone.kata_ci(&["push", "--no-check"]);
        Answer::of(push.env("PATH", path_with_kata_ci())).expect(0);
        let calls = Self::calls(&self.seen);
        let expected = match manager {
            // They pass neither arguments nor input on.
            Manager::PreCommit | Manager::Prek => "pre-push||".to_owned(),
            _ => format!("pre-push|origin {url}|{head} {head} refs/for/master "),
        };
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert!(calls[0].starts_with(&expected), "{calls:?}");
    }

    /// Only the manager's hooks are left, and run once each.
    fn only_theirs_hold(&self) {
        self.commit("proxy: theirs alone").expect(0);
        assert!(!self.has_change_id());
        assert_eq!(Self::calls(&self.seen).len(), 1);
        assert_ne!(self.commit("proxy: bad").code, Some(0));
        self.clone.git(&["checkout", "-q", "file"]);
        Self::calls(&self.seen);
        self.git(&["push", "-q", "origin", "HEAD:refs/for/other"])
            .expect(0);
        assert_eq!(Self::calls(&self.seen).len(), 1);
    }

    fn states(&self) -> Vec<String> {
        let said = self.clone.call(&["hook", "status", "--format", "json"]);
        let said = said.expect(0).json();
        let state = |one: &serde_json::Value| one["state"].as_str().unwrap().to_owned();
        said.as_array().unwrap().iter().map(state).collect()
    }
}

/// pre-commit and prek call what was there before them, so ours goes there, whoever came first.
fn behind_one_that_calls_what_was_there(manager: Manager) {
    if manager.program().is_none() {
        return;
    }
    for ours_first in [true, false] {
        let story = Story::of(manager);
        let (script, kept_seen) = story.hook_from_before();
        let install = || story.clone.call(&["hook", "install"]).expect(0);
        if ours_first {
            install();
            manager.install(&story.clone);
        } else {
            manager.install(&story.clone);
            install();
            // It may take its place again at any time.
            manager.install(&story.clone);
        }
        install();
        install();
        assert_eq!(story.states(), ["called", "called"]);
        story.both_hold(manager);
        let url = story.clone.git(&["remote", "get-url", "origin"]);
        let head = story.clone.git(&["rev-parse", "HEAD"]);
        let line = format!("{head} {head} refs/for/master {}", "0".repeat(40));
        let kept = Story::calls(&kept_seen);
        assert_eq!(kept[0], "commit-msg|.git/COMMIT_EDITMSG|", "{kept:?}");
        assert_eq!(kept[3], format!("pre-push|origin {url}|{line}"), "{kept:?}");
        assert_eq!(kept.len(), 4, "good and bad, once each: {kept:?}");
        story.clone.call(&["hook", "uninstall"]).expect(0);
        story.only_theirs_hold();
        let kept = Story::calls(&kept_seen);
        assert_eq!(kept.len(), 3, "{kept:?}");
        manager.run(
            &story.clone,
            &["uninstall", "-t", "pre-push", "-t", "commit-msg"],
        );
        let back = story.clone.directory.join(".git/hooks/pre-push");
        assert_eq!(fs::read_to_string(back).unwrap(), script);
    }
}

#[test]
fn pre_commit_and_ours() {
    behind_one_that_calls_what_was_there(Manager::PreCommit);
}

#[test]
fn prek_and_ours() {
    behind_one_that_calls_what_was_there(Manager::Prek);
}

#[test]
fn lefthook_and_ours() {
    let manager = Manager::Lefthook;
    if manager.program().is_none() {
        return;
    }
    for ours_first in [true, false] {
        let story = Story::of(manager);
        let install = || story.clone.call(&["hook", "install"]).expect(0);
        if ours_first {
            install();
            manager.install(&story.clone);
            let said = story.clone.call(&["hook", "status"]).expect(0);
            assert!(said.output.contains("nothing calls it"), "{said:?}");
        } else {
            manager.install(&story.clone);
        }
        let said = install();
        assert!(said.output.contains("put into lefthook.yml"), "{said:?}");
        install();
        assert_eq!(story.states(), ["ours", "ours"]);
        story.both_hold(manager);
        manager.install(&story.clone);
        install();
        story.both_hold(manager);
        story.clone.call(&["hook", "uninstall"]).expect(0);
        story.only_theirs_hold();
        let hooks = story.clone.directory.join(".git/hooks");
        assert!(
            !hooks.join("pre-push.old").exists() && !hooks.with_file_name("hooks.kata-ci").exists()
        );
    }
}

/// Carries out the advice for husky: a line at the top of its script.
fn follow_advice(story: &Story) {
    let said = story.clone.call(&["hook", "status"]).expect(0).output;
    for hook in ["pre-push", "commit-msg"] {
        let begin = format!("put into .husky/{hook}, as the first line: ");
        let line = said.lines().find_map(|line| line.split_once(&begin));
        let path = story.clone.directory.join(".husky").join(hook);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{}\n{before}", line.unwrap().1)).unwrap();
    }
}

#[test]
fn husky_and_ours() {
    let manager = Manager::Husky;
    if manager.program().is_none() {
        return;
    }
    for ours_first in [true, false] {
        let story = Story::of(manager);
        if ours_first {
            story.clone.call(&["hook", "install"]).expect(0);
        }
        manager.install(&story.clone);
        let stub = fs::read(story.clone.directory.join(".husky/_/pre-push")).unwrap();
        for _ in 0..2 {
            let said = story.clone.call(&["hook", "install"]).expect(1);
            assert!(said.errors.contains("put into .husky/pre-push"), "{said:?}");
        }
        let there = fs::read(story.clone.directory.join(".husky/_/pre-push")).unwrap();
        assert_eq!(there, stub);
        follow_advice(&story);
        story.clone.call(&["hook", "install"]).expect(0);
        assert_eq!(story.states(), ["called", "called"]);
        story.clone.git(&["add", "-A"]);
        story
            .clone
            .git(&["commit", "-q", "--no-verify", "--amend", "--no-edit"]);
        story.clone.git(&[
            "push",
            "-q",
            "-f",
            "--no-verify",
            "origin",
            "HEAD:refs/heads/master",
        ]);
        // Its own installation does not undo it.
        manager.install(&story.clone);
        story.both_hold(manager);
        let said = story.clone.call(&["hook", "uninstall"]).expect(0);
        assert!(
            said.output.contains("called by .husky/pre-push"),
            "{said:?}"
        );
        assert!(!story.clone.directory.join(".git/hooks/pre-push").exists());
        for hook in ["pre-push", "commit-msg"] {
            let path = story.clone.directory.join(".husky").join(hook);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.lines().last().unwrap().to_owned() + "\n").unwrap();
        }
        story.only_theirs_hold();
    }
}

/// The hooks of `.pre-commit-hooks.yaml`, from a repository that stands for the project's.
fn offered_to(manager: Manager) {
    if manager.program().is_none() {
        return;
    }
    let story = Story::of(manager);
    let offer = story.clone.home().join("offer");
    let offer_text = offer.to_string_lossy().into_owned();
    fs::create_dir(&offer).unwrap();
    fs::copy(
        concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml"),
        offer.join(".pre-commit-hooks.yaml"),
    )
    .unwrap();
    let git = |words: &[&str]| story.clone.git(&[&["-C", &offer_text], words].concat());
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "offer"]);
    let revision = git(&["rev-parse", "HEAD"]);
    let text = format!(
        "repos:\n- repo: {offer_text}\n  rev: {revision}\n  hooks:\n  - id: kata-ci-pre-push\n  - id: kata-ci-commit-msg\n"
    );
    fs::write(story.clone.directory.join(".pre-commit-config.yaml"), text).unwrap();
    story
        .clone
        .commit("configured", "proxy: kata-ci by configuration\n");
    story.clone.git(&[
        "push",
        "-q",
        "--no-verify",
        "origin",
        "HEAD:refs/heads/master",
    ]);
    manager.install(&story.clone);
    assert_eq!(story.states(), ["called", "called"]);
    story.commit("proxy: good").expect(0);
    assert!(story.has_change_id());
    let pushed = story.git(&["push", "origin", "HEAD:refs/for/master"]);
    let said = format!("{}{}", pushed.output, pushed.errors);
    assert_ne!(pushed.code, Some(0), "{said}");
    assert!(said.contains("was not checked"), "{said}");
    let mut push = story.clone.kata_ci(&["push", "--no-check"]);
    Answer::of(push.env("PATH", path_with_kata_ci())).expect(0);
}

#[test]
fn what_is_offered_to_pre_commit_works() {
    offered_to(Manager::PreCommit);
}

#[test]
fn what_is_offered_to_prek_works() {
    offered_to(Manager::Prek);
}
