//! Tests that every rejection of the installed Gerrit is explained with its cause and an exact fix.
//!
//! git itself pushes commits that the preflight would stop, so that the server answers.

use std::process::Command;

use kata_ci::gerrit::push_output::PushAnswer;
use kata_ci::gerrit::rejection::{Rejection, RejectionContext, explain};
use serde_json::json;

use crate::support::gerrit::{
    Answer, Clone, Project, Transport, User, fresh_id, server, server_with,
};

fn start(user: User) -> Option<(Project, Clone)> {
    let project = server()?.project("rejections");
    let clone = project.clone_as(user, Transport::Ssh);
    Some((project, clone))
}

/// Pushes HEAD with git, and explains the answer.
fn sent(clone: &Clone, remote: &str, reference: &str, options: &[&str]) -> Rejection {
    let mut command = Command::new("git");
    command
        .args(["push", "--porcelain"])
        .args(options.iter().flat_map(|option| ["-o", option]))
        .args([remote, &format!("HEAD:{reference}")])
        .current_dir(&clone.directory)
        .envs(clone.environment())
        .env("LC_ALL", "C");
    let answer = Answer::of(&mut command);
    assert_ne!(answer.code, Some(0), "it was taken: {answer:?}");
    let reason = PushAnswer::parse(&answer.output, &answer.errors).reason();
    let context = RejectionContext {
        remote: "origin".to_owned(),
        branch: reference.rsplit('/').next().unwrap().to_owned(),
        project: "proxy".to_owned(),
        tip: clone.git(&["rev-parse", "HEAD"]),
        count: 1,
    };
    explain(&reason.expect("a reason"), &context)
}

/// Expects a known rejection with these words and this fix.
fn expect_rejection(rejection: &Rejection, words: &str, fix: &str) {
    assert!(rejection.known, "{rejection:#?}");
    assert!(rejection.reason.contains(words), "{rejection:#?}");
    assert!(rejection.fix.contains(fix), "{rejection:#?}");
}

fn review(clone: &Clone, words: &str, fix: &str) {
    expect_rejection(&sent(clone, "origin", "refs/for/master", &[]), words, fix);
}

#[test]
fn change_ids() {
    let Some((_, clone)) = start(User::Admin) else {
        return;
    };
    let (one, other) = (fresh_id(), fresh_id());
    for (message, words, fix) in [
        (
            "a: b\n".to_owned(),
            "missing Change-Id in message footer",
            "kata-ci push --fix",
        ),
        (
            format!("a: b\n\nChange-Id: {one}\n\nBody.\n"),
            "Change-Id must be in message footer",
            "--amend: move",
        ),
        (
            format!("Change-Id: {one}\n"),
            "missing subject",
            "write a subject",
        ),
        (
            format!("a: b\n\nChange-Id: {one}\nChange-Id: {other}\n"),
            "multiple Change-Id lines",
            "keep the one",
        ),
        (
            "a: b\n\nChange-Id: nonsense\n".to_owned(),
            "invalid Change-Id line format",
            "delete the line",
        ),
        (
            format!("a: b\n\nChange-Id: I{}\n", "0".repeat(40)),
            "invalid Change-Id",
            "delete the line",
        ),
    ] {
        clone.git(&["reset", "-q", "--hard", "origin/master"]);
        clone.commit("file", &message);
        review(&clone, words, fix);
    }
    clone.git(&["reset", "-q", "--hard", "origin/master"]);
    clone.commit("file", &format!("a: one\n\nChange-Id: {one}\n"));
    clone.commit("file", &format!("a: two\n\nChange-Id: {one}\n"));
    review(
        &clone,
        "same Change-Id in multiple changes",
        "git rebase -i",
    );
}

#[test]
fn nothing_new_is_success() {
    let Some((_, clone)) = start(User::Admin) else {
        return;
    };
    clone.commit_with_id("file", "proxy: once");
    clone.call(&["push", "--no-check"]).expect(0);
    let again = clone.call(&["push", "--no-check"]).expect(0);
    assert!(again.output.contains("nothing new"), "{again:?}");
    let rejection = sent(&clone, "origin", "refs/for/master", &[]);
    assert!(rejection.nothing_new);
    expect_rejection(&rejection, "no new changes", "nothing needs to be done");
}

#[test]
fn commits_that_exist_elsewhere() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    project.branch("stable");
    clone.git(&["fetch", "-q"]);
    let id = clone.commit_with_id("file", "proxy: first patch set");
    clone.call(&["push", "--no-check"]).expect(0);
    let first = clone.git(&["rev-parse", "HEAD"]);
    clone.git(&[
        "commit",
        "-q",
        "--amend",
        "-m",
        &format!("proxy: second\n\nChange-Id: {id}"),
    ]);
    clone.call(&["push", "--no-check"]).expect(0);
    let base = format!("base={}", clone.git(&["rev-parse", "origin/master"]));
    let rejection = sent(&clone, "origin", "refs/for/master", &[&base]);
    assert!(rejection.nothing_new);
    expect_rejection(
        &rejection,
        "(as current patchset)",
        "nothing needs to be done",
    );
    clone.git(&["reset", "-q", "--hard", &first]);
    let rejection = sent(&clone, "origin", "refs/for/master", &[&base]);
    expect_rejection(
        &rejection,
        "already exists in change",
        "--amend --no-edit --date=now",
    );
    clone.git(&["reset", "-q", "--hard", "origin/stable"]);
    clone.commit("other", &format!("proxy: on stable\n\nChange-Id: {id}\n"));
    clone
        .call(&["push", "--no-check", "--branch", "stable"])
        .expect(0);
    clone.git(&["reset", "-q", "--hard", &first]);
    let rejection = sent(&clone, "origin", "refs/for/stable", &[&base]);
    expect_rejection(
        &rejection,
        "already exists (in the project)",
        "--amend --no-edit",
    );
}

#[test]
fn what_is_in_review_for_one_branch_is_not_called_new_for_another() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    project.branch("stable");
    clone.git(&["fetch", "-q"]);
    clone.commit_with_id("file", "proxy: for two branches");
    clone.call(&["push", "--no-check"]).expect(0);
    let answer = clone
        .call(&["push", "--no-check", "--branch", "stable"])
        .expect(0);
    assert!(answer.output.contains("-o base="), "{answer:?}");
    let base = format!("base={}", clone.git(&["rev-parse", "origin/stable"]));
    clone
        .call(&["push", "--no-check", "--branch", "stable", "-o", &base])
        .expect(0);
    assert_eq!(project.count(), 2);
}

#[test]
fn changes_that_are_closed_or_locked() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    let id = clone.commit_with_id("file", "proxy: abandoned");
    clone.call(&["push", "--no-check"]).expect(0);
    let number = project.change(&id).unwrap()["_number"].to_string();
    project.server.rest(
        User::Admin,
        "POST",
        &format!("changes/{number}/abandon"),
        Some(&json!({})),
    );
    clone.git(&[
        "commit",
        "-q",
        "--amend",
        "-m",
        &format!("proxy: again\n\nChange-Id: {id}"),
    ]);
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    assert!(
        answer.output.contains("closed")
            && answer.output.contains(&format!("restore change {number}")),
        "{answer:?}"
    );
    project.rule("refs/for/refs/heads/*", "addPatchSet", "BLOCK");
    let guest = project.clone_as(User::Guest, Transport::Http);
    clone.git(&["reset", "-q", "--hard", "origin/master"]);
    let id = clone.commit_with_id("file", "proxy: mine");
    clone.call(&["push", "--no-check"]).expect(0);
    guest.commit("file", &format!("proxy: not yours\n\nChange-Id: {id}\n"));
    let answer = guest.call(&["push", "--no-check"]).expect(1);
    assert!(
        answer.output.contains("cannot add patch set to")
            && answer.output.contains("Add Patch Set"),
        "{answer:?}"
    );
}

#[test]
fn several_changes_with_one_id() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    let id = clone.commit_with_id("file", "proxy: twice");
    clone.call(&["push", "--no-check"]).expect(0);
    let number = project.change(&id).unwrap()["_number"].as_u64().unwrap();
    // No client can cause this, but old servers and lost locks did: it copies the refs of the
    // change.
    let copy = number + 700_000;
    for last in ["1", "meta"] {
        let name = |number: u64| format!("refs/changes/{:02}/{number}/{last}", number % 100);
        let status = Command::new("git")
            .arg("-C")
            .arg(project.repository())
            .args(["update-ref", &name(copy), &name(number)])
            .status();
        assert!(status.unwrap().success());
    }
    let index = format!("changes/{}~{copy}/index", project.id());
    project
        .server
        .rest(User::Admin, "POST", &index, Some(&json!({})));
    clone.git(&[
        "commit",
        "-q",
        "--amend",
        "--no-edit",
        "--date=2001-02-03T04:05:06",
    ]);
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    for piece in [&format!("{id} has duplicates"), "abandon all but one"] {
        assert!(answer.output.contains(piece), "{piece}: {answer:?}");
    }
}

#[test]
fn what_a_stricter_server_refuses() {
    if server().is_none() {
        return;
    }
    let strict = "[change]\n\tdisablePrivateChanges = true\n\tmaxFiles = 2\n";
    let project = server_with(strict)
        .expect("as the other one")
        .project("strict");
    let clone = project.clone_as(User::Guest, Transport::Http);
    clone.commit_with_id("file", "proxy: nobody's business");
    let answer = clone.call(&["push", "--no-check", "--private"]).expect(1);
    for piece in ["private changes are disabled", "leave --private out"] {
        assert!(answer.output.contains(piece), "{piece}: {answer:?}");
    }
    for name in ["one", "two"] {
        std::fs::write(clone.directory.join(name), name).unwrap();
    }
    clone.git(&["reset", "-q", "--soft", "origin/master"]);
    clone.commit_with_id("three", "proxy: far too much");
    let answer = clone.call(&["push", "--no-check"]).expect(1);
    assert!(
        answer.output.contains("maximum number of files"),
        "{answer:?}"
    );
}

#[test]
fn who_may_say_that_a_change_is_ready() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    let id = clone.commit_with_id("file", "proxy: mine");
    clone.call(&["push", "--no-check"]).expect(0);
    let guest = project.clone_as(User::Guest, Transport::Ssh);
    guest.commit("file", &format!("proxy: yours\n\nChange-Id: {id}\n"));
    let answer = guest.call(&["push", "--no-check", "--wip"]).expect(1);
    assert!(
        answer.output.contains("Toggle-Wip-State") && answer.output.contains("leave --wip"),
        "{answer:?}"
    );
}

#[test]
fn wrong_places() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    clone.commit_with_id("file", "proxy: where to");
    expect_rejection(
        &sent(&clone, "origin", "refs/for/nobranch", &[]),
        "not found",
        "git ls-remote --heads origin",
    );
    project.configure(json!({"reject_implicit_merges": "TRUE"}));
    project.branch("stable");
    clone.git(&["fetch", "-q"]);
    clone.git(&["reset", "-q", "--hard", "origin/stable"]);
    clone.commit_with_id("stable", "proxy: only on stable");
    clone.git(&["push", "-q", "origin", "HEAD:refs/heads/stable"]);
    clone.commit_with_id("file", "proxy: based on stable");
    review(
        &clone,
        "implicit merges detected",
        "git rebase --onto origin/master",
    );
    clone.git(&["checkout", "-q", "--orphan", "other"]);
    clone.commit_with_id("file", "proxy: from nowhere");
    review(&clone, "no common ancestry", "git remote -v");
}

#[test]
fn too_many_at_once() {
    let Some((_, clone)) = start(User::Admin) else {
        return;
    };
    for number in 0..21 {
        clone.commit_with_id("file", &format!("proxy: {number} of many"));
    }
    let answer = clone.call(&["push", "--no-check", "--yes"]).expect(1);
    assert!(
        answer.output.contains("exceeds the max limit 20"),
        "{answer:?}"
    );
    assert!(
        answer.output.contains("git log origin/master..HEAD"),
        "{answer:?}"
    );
}

#[test]
fn merges() {
    let Some((project, clone)) = start(User::Guest) else {
        return;
    };
    project.rule("refs/for/refs/*", "pushMerge", "BLOCK");
    clone.git(&["checkout", "-q", "-b", "side"]);
    clone.commit_with_id("side", "proxy: aside");
    clone.git(&["checkout", "-q", "master"]);
    clone.commit_with_id("file", "proxy: on master");
    clone.git(&[
        "merge",
        "-q",
        "--no-ff",
        "-m",
        &format!("Merge side\n\nChange-Id: {}", fresh_id()),
        "side",
    ]);
    review(
        &clone,
        "you are not allowed to upload merges",
        "git rebase origin/master",
    );
}

#[test]
fn people() {
    let Some((project, clone)) = start(User::Guest) else {
        return;
    };
    project.rule("refs/heads/*", "forgeAuthor", "BLOCK");
    project.rule("refs/heads/*", "forgeCommitter", "BLOCK");
    clone.commit_with_id("file", "proxy: whose");
    clone.git(&[
        "commit",
        "-q",
        "--amend",
        "--no-edit",
        "--author",
        "Eve <eve@example.com>",
    ]);
    review(&clone, "invalid author", "--reset-author");
    clone.git(&["commit", "-q", "--amend", "--no-edit", "--reset-author"]);
    clone.git(&[
        "-c",
        "user.email=eve@example.com",
        "commit",
        "-q",
        "--amend",
        "--no-edit",
        "--date=now",
    ]);
    review(&clone, "invalid committer", "git rebase --force-rebase");
    clone.git(&["commit", "-q", "--amend", "--no-edit", "--reset-author"]);
    project.configure(json!({"use_signed_off_by": "TRUE"}));
    review(
        &clone,
        "not Signed-off-by",
        "git rebase --signoff origin/master",
    );
}

#[test]
fn rights() {
    let Some((project, clone)) = start(User::Guest) else {
        return;
    };
    clone.commit_with_id("file", "proxy: straight in");
    let answer = clone
        .call(&["push", "--no-check", "--direct", "--branch", "master"])
        .expect(1);
    assert!(
        answer.output.contains("not permitted: update")
            && answer.output.contains("push for review"),
        "{answer:?}"
    );
    let answer = clone
        .call(&["push", "--no-check", "--direct", "--branch", "new"])
        .expect(1);
    assert!(
        answer.output.contains("not permitted: create")
            && answer.output.contains("Create Reference"),
        "{answer:?}"
    );
    project.configure(json!({"state": "READ_ONLY"}));
    review(
        &clone,
        "project state does not permit write",
        "administrators",
    );
}

#[test]
fn options_the_server_does_not_take() {
    let Some((project, clone)) = start(User::Guest) else {
        return;
    };
    clone.commit_with_id("file", "proxy: options");
    let nothing = "f".repeat(40);
    let head = clone.git(&["rev-parse", "origin/master"]);
    let (no_base, base) = (format!("base={nothing}"), format!("base={head}"));
    let topic = format!("topic={}", "x".repeat(2049));
    for (options, words, fix) in [
        (
            &["wip", "ready"][..],
            "mutually exclusive",
            "give one of them",
        ),
        (
            &["private", "remove-private"],
            "mutually exclusive",
            "give one of them",
        ),
        (
            &["np", "publish-comments"],
            "mutually exclusive",
            "give one of them",
        ),
        (&[&topic], "topic length exceeds the limit", "a shorter one"),
        (&[&no_base], "base not found", "git branch -r --contains"),
        (
            &["merged", &base],
            "cannot use merged with base",
            "give one of them",
        ),
        (
            &["merged"],
            "not merged into branch",
            "leave `-o merged` out",
        ),
        (&["unheard-of"], "not a valid option", "leave it out"),
        (&["notify=EVERYBODY"], "EVERYBODY", "another value"),
        (&["deadline=never"], "deadline", "another value"),
        (&["topic=a\"b"], "quotation marks", "leave them out"),
        (&["r=nobody@nowhere"], "not found", "e-mail address"),
        (&["l=Unheard-Of+1"], "is not a configured label", "Name+1"),
        (&["l=Code-Review+7"], "Code-Review", "values of each label"),
        (&["l=Verified+1"], "Verified", "leave --label out"),
        (&["t=a,b"], "comma", "without a comma"),
        (
            &["edit"],
            "edit is not supported for new changes",
            "leave `-o edit` out",
        ),
        (&["submit"], "not permitted", "-o submit"),
    ] {
        expect_rejection(
            &sent(&clone, "origin", "refs/for/master", options),
            words,
            fix,
        );
        clone.git(&["commit", "-q", "--amend", "--no-edit", "--date=now"]);
    }
    assert_eq!(project.count(), 0, "none of them went through");
}

#[test]
fn nobody_there_or_nobody_known() {
    let Some((project, clone)) = start(User::Guest) else {
        return;
    };
    clone.commit_with_id("file", "proxy: to nobody");
    let (ssh, http) = (
        project.url(User::Guest, Transport::Ssh),
        project.url(User::Guest, Transport::Http),
    );
    let unknown_user = ssh.replace("guest@", "nobody@");
    expect_rejection(
        &sent(&clone, &unknown_user, "refs/for/master", &[]),
        "Permission denied",
        "ssh-add -l",
    );
    for (url, words) in [(&ssh, "not found"), (&http, "error: 403")] {
        let rejection = sent(&clone, &format!("{url}-nowhere"), "refs/for/master", &[]);
        expect_rejection(&rejection, words, "the right to read");
    }
    let wrong = http.replace("guest@", "guest:wrong@");
    let rejection = sent(&clone, &wrong, "refs/for/master", &[]);
    expect_rejection(&rejection, "Authentication failed", "HTTP password");
    assert!(!format!("{rejection:?}").contains("wrong@"));
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for url in [
        format!("ssh://guest@127.0.0.1:{free}/x"),
        format!("http://127.0.0.1:{free}/x"),
    ] {
        let rejection = sent(&clone, &url, "refs/for/master", &[]);
        assert!(rejection.known && rejection.transient, "{rejection:#?}");
    }
}

#[test]
fn a_branch_that_moved_on() {
    let Some((project, clone)) = start(User::Admin) else {
        return;
    };
    let other = project.clone_as(User::Admin, Transport::Http);
    other.commit_with_id("other", "proxy: faster");
    other.call(&["push", "--no-check", "--direct"]).expect(0);
    clone.commit_with_id("file", "proxy: slower");
    let answer = clone.call(&["push", "--no-check", "--direct"]).expect(1);
    assert!(
        answer
            .output
            .contains("git fetch origin, then git rebase origin/master"),
        "{answer:?}"
    );
}
