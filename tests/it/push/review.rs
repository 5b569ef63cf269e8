//! Tests confirmations, preflight and fixes of a push, direct pushes, and servers without push
//! options. It uses a plain git server, which accepts `refs/for/…` like any other ref.

use std::fs;
use std::process::Command;

use crate::support::gerrit::{Answer, Clone, fresh_id, plain};
use crate::support::{chance, kill_after};

/// Describes everything of a repository that a push must not change.
pub fn everything(clone: &Clone) -> Vec<String> {
    let tree = Command::new("sh")
        .args(["-c", "find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha1sum; sha1sum .git/index .git/config .git/HEAD"])
        .current_dir(&clone.directory)
        .output()
        .unwrap();
    vec![
        clone.git(&["for-each-ref"]),
        clone.git(&["worktree", "list"]),
        clone.git(&["stash", "list"]),
        String::from_utf8_lossy(&tree.stdout).into_owned(),
    ]
}

fn remote_ref(clone: &Clone, name: &str) -> String {
    let listed = clone.git(&["ls-remote", "origin", name]);
    listed.split('\t').next().unwrap_or_default().to_owned()
}

fn head(clone: &Clone) -> String {
    clone.git(&["rev-parse", "HEAD"])
}

#[test]
fn without_a_check_nothing_is_pushed_unless_that_is_said() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: one");
    let answer = clone.call(&["push"]).expect(2);
    assert!(answer.errors.contains("nothing to run in"), "{answer:?}");
    assert!(answer.output.contains("--no-check"), "{answer:?}");
    assert_eq!(remote_ref(&clone, "refs/for/master"), "");
    let answer = clone.call(&["push", "--no-check"]).expect(0);
    assert!(
        answer.output.contains("not checked (--no-check)"),
        "{answer:?}"
    );
    assert_eq!(remote_ref(&clone, "refs/for/master"), head(&clone));
}

#[test]
fn a_dry_run_shows_what_would_go_and_touches_nothing() {
    let (_, clone) = plain();
    clone.commit("file", "proxy: without an id\n");
    fs::write(clone.directory.join("file"), "changed\n").unwrap();
    clone.git(&["stash"]);
    fs::write(clone.directory.join("untracked"), "x\n").unwrap();
    let before = everything(&clone);
    let answer = clone.call(&["push", "--dry-run", "--fix"]).expect(1);
    assert!(answer.output.contains("has no Change-Id"), "{answer:?}");
    clone.git(&["reset", "-q", "--hard", "origin/master"]);
    let id = clone.commit_with_id("file", "proxy: with one");
    let after_commit = everything(&clone);
    assert_ne!(before, after_commit);
    let answer = clone.call(&["push", "--dry-run"]).expect(0);
    assert!(
        answer.output.contains("proxy: with one") && answer.output.contains(&id[..5]),
        "{answer:?}"
    );
    assert!(answer.output.contains("--dry-run"));
    assert_eq!(everything(&clone), after_commit);
    assert_eq!(remote_ref(&clone, "refs/for/*"), "");
}

#[test]
fn a_push_touches_nothing_of_the_users() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: one");
    fs::write(clone.directory.join("file"), "dirty\n").unwrap();
    let before = everything(&clone);
    clone
        .call(&["push", "--no-check", "--topic", "t"])
        .expect(0);
    assert_eq!(everything(&clone), before);
}

#[test]
fn more_than_five_are_not_pushed_without_being_asked_for() {
    let (_, clone) = plain();
    for number in 0..6 {
        clone.commit_with_id("file", &format!("proxy: {number}"));
    }
    let answer = clone.call(&["push", "--no-check"]).expect(2);
    assert!(
        answer.output.contains("no terminal to ask on: --yes"),
        "{answer:?}"
    );
    assert_eq!(remote_ref(&clone, "refs/for/master"), "");
    clone.call(&["push", "--no-check", "--yes"]).expect(0);
    assert_eq!(remote_ref(&clone, "refs/for/master"), head(&clone));
}

#[test]
fn with_nothing_to_push_that_is_said() {
    let (_, clone) = plain();
    let answer = clone.call(&["push", "--no-check"]).expect(0);
    assert!(
        answer.output.contains("origin/master has all of it"),
        "{answer:?}"
    );
}

#[test]
fn a_server_without_push_options_gets_them_behind_the_percent_sign() {
    let (origin, clone) = plain();
    clone.git(&[
        "-C",
        &origin.to_string_lossy(),
        "config",
        "receive.advertisePushOptions",
        "false",
    ]);
    clone.commit_with_id("file", "proxy: one");
    let answer = clone
        .call(&[
            "push",
            "--no-check",
            "--topic",
            "a%b",
            "--message",
            "x y,z",
            "--wip",
        ])
        .expect(0);
    assert!(answer.output.contains("behind the %"), "{answer:?}");
    let reference = "refs/for/master%topic=a%b,message=x%20y%2Cz,wip";
    assert_eq!(remote_ref(&clone, reference), head(&clone));
    let answer = clone
        .call(&["push", "--no-check", "--topic", "a b"])
        .expect(2);
    assert!(answer.errors.contains("has a space"), "{answer:?}");
    clone.git(&["config", "push.pushOption", "configured"]);
    clone
        .call(&["push", "--no-check", "--topic", "c"])
        .expect(0);
    assert_eq!(remote_ref(&clone, "refs/for/master%topic=c"), head(&clone));
}

#[test]
fn a_direct_push_sets_the_upstream() {
    let (_, clone) = plain();
    clone.git(&["switch", "-q", "-c", "feature"]);
    clone.commit("file", "no id, and none needed\n");
    clone.git(&["tag", "-a", "-m", "not to follow", "v1"]);
    clone.git(&["config", "push.followTags", "true"]);
    clone.call(&["push", "--no-check", "--direct"]).expect(0);
    assert_eq!(remote_ref(&clone, "refs/heads/feature"), head(&clone));
    assert_eq!(
        clone.git(&["rev-parse", "--abbrev-ref", "@{upstream}"]),
        "origin/feature"
    );
    assert_eq!(remote_ref(&clone, "refs/tags/v1"), "");
    let answer = clone
        .call(&["push", "--no-check", "--direct", "--topic", "x"])
        .expect(2);
    assert!(answer.errors.contains("means nothing"), "{answer:?}");
    clone.git(&["checkout", "-q", "--detach"]);
    let answer = clone.call(&["push", "--no-check", "--direct"]).expect(2);
    assert!(answer.errors.contains("detached"), "{answer:?}");
}

#[test]
fn a_direct_push_without_commits_creates_the_branch() {
    let (_, clone) = plain();
    clone.git(&["switch", "-q", "-c", "release"]);
    let answer = clone.call(&["push", "--no-check", "--direct"]).expect(0);
    assert!(
        answer.output.contains("release is new at the server"),
        "{answer:?}"
    );
    assert_eq!(remote_ref(&clone, "refs/heads/release"), head(&clone));
    let answer = clone.call(&["push", "--no-check", "--direct"]).expect(0);
    assert!(
        answer.output.contains("origin/release has all of it"),
        "{answer:?}"
    );
}

#[test]
fn nothing_is_called_pushed_that_the_server_has_lost() {
    let (server, clone) = plain();
    clone.commit("file", "one\n");
    clone.call(&["push", "--no-check", "--direct"]).expect(0);
    let old = clone.git(&["rev-parse", "HEAD^"]);
    let set_back = |name: &str, to: &str| {
        let mut git = Command::new("git");
        git.args(["update-ref", name, to]).current_dir(&server);
        assert!(git.status().unwrap().success());
    };
    set_back("refs/heads/master", &old);
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    assert!(answer.output.contains("master lacks them"), "{answer:?}");
    clone.call(&["push", "--no-check", "--direct"]).expect(0);
    assert_eq!(remote_ref(&clone, "refs/heads/master"), head(&clone));
    set_back("refs/heads/other", &old);
    let mut git = Command::new("git");
    git.args(["update-ref", "-d", "refs/heads/master"]);
    assert!(git.current_dir(&server).status().unwrap().success());
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    assert!(answer.output.contains("no branch master"), "{answer:?}");
    fs::remove_dir_all(&server).unwrap();
    clone.call(&["push", "--no-check"]).expect(75);
}

#[test]
fn a_detached_head_is_pushed_and_said() {
    let (_, clone) = plain();
    clone.git(&["checkout", "-q", "--detach"]);
    clone.commit_with_id("file", "proxy: on no branch");
    let answer = clone.call(&["push", "--no-check"]).expect(0);
    assert!(answer.output.contains("HEAD is detached"), "{answer:?}");
}

#[test]
fn an_unfinished_rebase_is_not_pushed() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: one");
    clone.commit_with_id("file", "proxy: two");
    let mut rebase = Command::new("git");
    rebase
        .args(["rebase", "-i", "HEAD~2"])
        .current_dir(&clone.directory)
        .envs(clone.environment());
    let answer = Answer::of(rebase.env("GIT_SEQUENCE_EDITOR", "sed -i 1s/pick/edit/"));
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    assert!(
        answer.output.contains("git rebase --continue"),
        "{answer:?}"
    );
}

#[test]
fn words_for_showing_a_run_are_no_mistake_of_a_push() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: one");
    for format in ["auto", "progress", "plain", "human", "json"] {
        for command in [&["push", "--dry-run"][..], &["hook", "status"]] {
            let mut call = clone.kata_ci(command);
            Answer::of(call.env("KATACI_FORMAT", format)).expect(0);
        }
    }
}

#[test]
fn wrong_bases_are_found_before_the_connection() {
    let (_, clone) = plain();
    clone.git(&["switch", "-q", "-c", "stable"]);
    clone.commit("other", "proxy: on stable\n");
    clone.git(&["push", "-q", "origin", "stable"]);
    clone.commit_with_id("file", "proxy: based on stable");
    let answer = clone
        .call(&["push", "--no-check", "--branch", "master"])
        .expect(1);
    let base = clone.git(&["rev-parse", "--short=7", "HEAD~"]);
    assert!(
        answer
            .output
            .contains(&format!("git rebase --onto origin/master {base}")),
        "{answer:?}"
    );
    assert!(answer.output.contains("`origin/stable`"), "{answer:?}");
    clone
        .call(&["push", "--no-check", "--branch", "stable"])
        .expect(0);
    let answer = clone
        .call(&["push", "--no-check", "--branch", "unheard-of"])
        .expect(1);
    assert!(answer.output.contains("git fetch origin"), "{answer:?}");
}

#[test]
fn katas_rules_hold_where_they_are_asked_for() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "no subsystem");
    clone.call(&["push", "--no-check", "--dry-run"]).expect(0);
    let answer = clone
        .call(&["push", "--no-check", "--commit-rules", "kata"])
        .expect(1);
    for piece in [
        "names no subsystem",
        "is not signed off",
        "Fixes: #NUMBER",
        "git commit --amend --signoff",
    ] {
        assert!(answer.output.contains(piece), "{piece}: {answer:?}");
    }
}

#[test]
fn the_destination_is_found_without_being_told() {
    let (origin, clone) = plain();
    let place = |clone: &Clone, arguments: &[&str]| {
        let all = [&["push", "--dry-run", "--format", "json"], arguments].concat();
        let json = clone.call(&all).json();
        let text = |key: &str| json[key].as_str().unwrap_or("-").to_owned();
        (text("remote"), text("url"), text("ref"))
    };
    let origin = origin.to_string_lossy().into_owned();
    clone.commit_with_id("file", "proxy: where to");
    let usual = (
        "origin".to_owned(),
        origin.clone(),
        "refs/for/master".to_owned(),
    );
    assert_eq!(place(&clone, &[]), usual);
    assert_eq!(
        place(&clone, &[&origin]),
        usual,
        "a URL that a remote has is that remote"
    );
    fs::write(
        clone.directory.join(".gitreview"),
        "[gerrit]\nhost=review.example.com\nport=29419\nproject=kata/proxy.git\ndefaultbranch=stable\n",
    )
    .unwrap();
    let review = "ssh://review.example.com:29419/kata/proxy.git".to_owned();
    assert_eq!(
        place(&clone, &[]),
        ("-".to_owned(), review, "refs/for/stable".to_owned())
    );
    clone.git(&["config", "gitreview.branch", "mine"]);
    clone.git(&["config", "gitreview.username", "ada"]);
    assert_eq!(
        place(&clone, &[]).1,
        "ssh://ada@review.example.com:29419/kata/proxy.git"
    );
    assert_eq!(place(&clone, &[]).2, "refs/for/mine");
    clone.git(&["remote", "add", "gerrit", &origin]);
    assert_eq!(place(&clone, &["--branch", "master"]).0, "gerrit");
    assert_eq!(place(&clone, &["origin", "--branch", "master"]).0, "origin");
    let answer = clone.call(&["push", "--dry-run", "orgin"]).expect(2);
    assert!(
        answer.errors.contains("did you mean `origin`"),
        "{answer:?}"
    );
}

#[test]
fn nothing_given_is_taken_for_an_option_or_a_program() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: harmless");
    let pwned = clone.home().join("pwned");
    let program = format!("touch {}", pwned.display());
    let (ext, upload) = (
        format!("ext::sh -c {program}"),
        format!("--upload-pack={program}"),
    );
    let receive = format!("--receive-pack={program}");
    let proxy = format!("ssh://-oProxyCommand={program}/x");
    let shell = format!("$({program})");
    for arguments in [
        &["push", "--no-check", &ext][..],
        &["push", "--no-check", "--", &upload],
        &["push", "--no-check", "--", &receive],
        &["push", "--no-check", "--", &proxy],
        &["push", "--no-check", &format!("--branch={upload}")],
        &[
            "push",
            "--no-check",
            &format!("--branch=master:refs/heads/x {program}"),
        ],
        &["push", "--no-check", "--branch=master%submit"],
        &["push", "--no-check", "--branch=../../heads/master"],
        &["push", "--no-check", "--topic=a\nb"],
        &["push", "--no-check", &format!("-o{receive}")],
        &["push", "--no-check", "--reviewer=a\n-o submit"],
        &["push", "--no-check", &format!("--label={shell}+1")],
        &["push", "--no-check", &format!("--hashtag={shell},x")],
    ] {
        let answer = clone.call(arguments).expect(2);
        assert!(!answer.errors.is_empty(), "{arguments:?}");
    }
    for topic in [&shell, &upload, "; touch pwned", "`touch pwned`"] {
        clone
            .call(&["push", "--no-check", &format!("--topic={topic}")])
            .expect(0);
    }
    clone.git(&["remote", "add", "evil", &ext]);
    clone.git(&["config", "protocol.ext.allow", "always"]);
    clone.call(&["push", "--no-check", "evil"]).expect(2);
    clone.git(&["config", &format!("url.{ext}.insteadOf"), "harmless:"]);
    clone.call(&["push", "--no-check", "--branch", "master", "harmless:x"]);
    clone.git(&["reset", "-q", "--hard", "origin/master"]);
    clone.commit("file", &format!("proxy: evil\n\nChange-Id: I{shell}\n"));
    clone.call(&["push", "--no-check", "--fix"]).expect(1);
    assert!(!pwned.exists() && !clone.directory.join("pwned").exists());
    assert_eq!(
        clone
            .git(&["ls-remote", "origin", "refs/heads/*"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_password_in_a_url_is_never_shown() {
    let (_, clone) = plain();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    clone.git(&[
        "remote",
        "add",
        "gerrit",
        &format!("http://ada:s3cret@127.0.0.1:{port}/x"),
    ]);
    clone.git(&["update-ref", "refs/remotes/gerrit/master", "HEAD"]);
    clone.commit_with_id("file", &format!("proxy: {}", fresh_id()));
    for format in ["human", "json"] {
        let answer = clone
            .call(&["push", "--no-check", "--format", format])
            .expect(75);
        assert!(answer.output.contains(&port.to_string()), "{answer:?}");
        assert!(!format!("{answer:?}").contains("s3cret"), "{answer:?}");
    }
    let state = Command::new("grep")
        .args(["-r", "s3cret"])
        .arg(clone.home().join("state"))
        .output()
        .unwrap();
    assert!(state.stdout.is_empty());
}

#[test]
fn killed_at_any_moment_it_leaves_everything_as_it_was() {
    let (_, clone) = plain();
    clone.commit_with_id("file", "proxy: to be killed");
    fs::write(clone.directory.join("file"), "stashed\n").unwrap();
    clone.git(&["stash"]);
    fs::write(clone.directory.join("file"), "dirty\n").unwrap();
    let before = everything(&clone);
    let started = std::time::Instant::now();
    clone.call(&["push", "--no-check"]).expect(0);
    let whole = started.elapsed();
    for round in 0..30u32 {
        let mut push = clone.kata_ci(&["push", "--no-check"]);
        // A random moment of each thirtieth of a push.
        let moment = whole.mul_f64((f64::from(round) + chance()) / 30.0);
        kill_after(moment, push.stdout(std::process::Stdio::null()));
        assert_eq!(everything(&clone), before, "killed after {moment:?}");
    }
}

#[test]
fn on_a_terminal_it_asks() {
    if Command::new("script").arg("--version").output().is_err() {
        return eprintln!("SKIPPED: no script(1) here, so no terminal");
    }
    let (_, clone) = plain();
    for number in 0..6 {
        clone.commit_with_id("file", &format!("proxy: {number}"));
    }
    let answered = |answer: &str| {
        let program = format!("'{}' push --no-check", env!("CARGO_BIN_EXE_kata-ci"));
        let mut script = Command::new("script");
        script
            .args(["-qec", &program, "/dev/null"])
            .current_dir(&clone.directory)
            .envs(clone.environment());
        script
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped());
        let mut child = script.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, said) = answered("n\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("push 6 changes?") && said.contains("nothing was pushed"),
        "{said}"
    );
    assert!(
        said.find("proxy: 5") < said.find("push 6 changes?"),
        "first what, then whether: {said}"
    );
    assert_eq!(remote_ref(&clone, "refs/for/master"), "");
    let (code, said) = answered("y\n");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(remote_ref(&clone, "refs/for/master"), head(&clone));
}
