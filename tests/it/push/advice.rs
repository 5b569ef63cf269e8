//! Tests that each finding's advice, carried out, makes the finding go away.

use std::path::Path;
use std::process::Command;

use kata_ci::push::preflight::Rule;
use serde_json::Value;

use crate::support::gerrit::{Answer, Clone, fresh_id, plain};

/// A message with nothing wrong, which the editor writes in place of any other.
fn good_message() -> String {
    format!(
        "proxy: edited\n\nFixes: #1\n\nChange-Id: {}\nSigned-off-by: Ada <ada@example.com>\n",
        fresh_id()
    )
}

/// A finding, and how to get it.
struct Case {
    rule: Rule,
    /// The name of the situation.
    name: &'static str,
    /// Makes the situation.
    make: fn(&Clone, &Path),
    /// The message that the editor leaves; a good one if empty.
    edited: &'static str,
}

const fn case(rule: Rule, name: &'static str, make: fn(&Clone, &Path)) -> Case {
    Case {
        rule,
        name,
        make,
        edited: "",
    }
}

fn with_id(clone: &Clone, file: &str) {
    clone.commit_with_id(
        file,
        "proxy: good\n\nFixes: #1\n\nSigned-off-by: Ada <ada@example.com>",
    );
}

/// Runs git, which may fail.
fn try_git(clone: &Clone, words: &[&str]) {
    let mut command = Command::new("git");
    command
        .args(words)
        .current_dir(&clone.directory)
        .envs(clone.environment())
        .env("GIT_EDITOR", "true");
    let _ = Answer::of(&mut command);
}

/// Makes two branches that change one file, HEAD on `master`.
fn conflict(clone: &Clone) {
    clone.git(&["switch", "-q", "-c", "side"]);
    with_id(clone, "file");
    clone.git(&["switch", "-q", "master"]);
    with_id(clone, "file");
}

/// Begins something that stops at a conflict, and resolves that.
fn stopped(clone: &Clone, words: &[&str]) {
    conflict(clone);
    try_git(clone, words);
    std::fs::write(clone.directory.join("file"), "resolved\n").unwrap();
    clone.git(&["add", "-A"]);
}

fn merge(clone: &Clone, message: &str) {
    clone.git(&["switch", "-q", "-c", "side"]);
    with_id(clone, "side");
    clone.git(&["switch", "-q", "master"]);
    with_id(clone, "file");
    clone.git(&["merge", "-q", "--no-ff", "-m", message, "side"]);
    clone.git(&["branch", "-q", "-D", "side"]);
}

fn sign(clone: &Clone) {
    let key = clone.home().join("key");
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(status.unwrap().success());
    clone.git(&["config", "gpg.format", "ssh"]);
    clone.git(&["config", "user.signingKey", &key.to_string_lossy()]);
    clone.git(&["config", "commit.gpgSign", "true"]);
}

const CASES: &[Case] = &[
    case(Rule::ChangeIdMissing, "plain", |clone, _| {
        clone.commit("file", "proxy: x\n");
        with_id(clone, "file");
    }),
    case(Rule::ChangeIdMissing, "a merge at the tip", |clone, _| {
        merge(clone, "Merge side\n");
    }),
    case(Rule::ChangeIdMissing, "a merge below", |clone, _| {
        merge(clone, "Merge side\n");
        clone.commit("file", "proxy: x\n");
    }),
    case(Rule::ChangeIdMissing, "below a merge", |clone, _| {
        clone.commit("file", "proxy: x\n");
        merge(clone, &format!("Merge side\n\nChange-Id: {}\n", fresh_id()));
    }),
    case(Rule::ChangeIdMissing, "signed, at the tip", |clone, _| {
        sign(clone);
        clone.commit("file", "proxy: x\n");
    }),
    case(Rule::ChangeIdMissing, "signed, below", |clone, _| {
        sign(clone);
        clone.commit("file", "proxy: x\n");
        clone.commit("file", "proxy: y\n");
    }),
    case(Rule::ChangeIdMissing, "on no branch", |clone, _| {
        clone.git(&["checkout", "-q", "--detach"]);
        clone.commit("file", "proxy: x\n");
    }),
    case(Rule::ChangeIdOutsideFooter, "at the tip", |clone, _| {
        clone.commit(
            "file",
            &format!("proxy: x\n\nChange-Id: {}\n\nBody.\n", fresh_id()),
        );
    }),
    case(Rule::SubjectMissing, "at the tip", |clone, _| {
        clone.commit("file", &format!("Change-Id: {}\n", fresh_id()));
    }),
    case(Rule::ChangeIdDoubled, "at the tip", |clone, _| {
        let text = format!(
            "proxy: x\n\nChange-Id: {}\nChange-Id: {}\n",
            fresh_id(),
            fresh_id()
        );
        clone.commit("file", &text);
    }),
    case(Rule::ChangeIdDoubled, "below", |clone, _| {
        let text = format!(
            "proxy: x\n\nChange-Id: {}\nChange-Id: {}\n",
            fresh_id(),
            fresh_id()
        );
        clone.commit("file", &text);
        with_id(clone, "other");
    }),
    Case {
        edited: "proxy: without the line\n",
        ..case(Rule::ChangeIdMalformed, "at the tip", |clone, _| {
            clone.commit("file", "proxy: x\n\nChange-Id: I123\n");
        })
    },
    case(Rule::ChangeIdShared, "one change", |clone, _| {
        let id = fresh_id();
        clone.commit("file", &format!("proxy: x\n\nChange-Id: {id}\n"));
        clone.commit("file", &format!("proxy: y\n\nChange-Id: {id}\n"));
    }),
    case(Rule::ToBeSquashed, "with its commit", |clone, _| {
        with_id(clone, "file");
        clone.commit("file", "fixup! proxy: good\n");
    }),
    case(Rule::ToBeSquashed, "without its commit", |clone, _| {
        clone.commit("file", "fixup! proxy: begin\n");
    }),
    case(Rule::Merge, "with an id", |clone, _| {
        merge(clone, &format!("Merge side\n\nChange-Id: {}\n", fresh_id()));
    }),
    case(Rule::WrongBase, "on another branch", |clone, _| {
        with_id(clone, "stable");
        clone.git(&["push", "-q", "origin", "HEAD:refs/heads/stable"]);
        with_id(clone, "file");
    }),
    case(Rule::NoCommonAncestry, "an orphan", |clone, _| {
        clone.git(&["checkout", "-q", "--orphan", "orphan"]);
        clone.git(&["rm", "-q", "-r", "-f", "."]);
        with_id(clone, "other");
    }),
    case(Rule::Shallow, "a boundary that moved", |clone, origin| {
        for _ in 0..3 {
            with_id(clone, "file");
        }
        clone.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
        let (place, url) = (
            clone.directory.clone(),
            format!("file://{}", origin.display()),
        );
        std::fs::rename(&place, place.with_file_name("whole")).unwrap();
        std::fs::create_dir(&place).unwrap();
        clone.git(&["clone", "-q", "--depth=1", &url, "."]);
        with_id(clone, "mine");
        let whole = place.with_file_name("whole").to_string_lossy().into_owned();
        clone.git(&[
            "-C",
            &whole,
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "proxy: upstream",
        ]);
        clone.git(&[
            "-C",
            &whole,
            "push",
            "-q",
            "origin",
            "HEAD:refs/heads/master",
        ]);
        clone.git(&["fetch", "-q", "--depth=1"]);
    }),
    case(Rule::TargetUnknown, "not fetched yet", |clone, _| {
        with_id(clone, "file");
        clone.git(&["config", "gitreview.branch", "master"]);
        clone.git(&["update-ref", "-d", "refs/remotes/origin/master"]);
    }),
    case(
        Rule::TargetUnknown,
        "a linked work tree of a bare clone",
        |clone, origin| {
            let place = clone.directory.clone();
            let bare = clone.home().join("bare.git").to_string_lossy().into_owned();
            let tree = place.to_string_lossy().into_owned();
            clone.git(&["clone", "-q", "--bare", &origin.to_string_lossy(), &bare]);
            std::fs::rename(&place, place.with_file_name("whole")).unwrap();
            std::fs::create_dir(&place).unwrap();
            clone.git(&["-C", &bare, "worktree", "add", "-q", "-b", "topic", &tree]);
            clone.git(&["config", "gitreview.branch", "master"]);
            with_id(clone, "file");
        },
    ),
    case(
        Rule::TargetUnknown,
        "a clone of another branch only",
        |clone, origin| {
            clone.git(&["push", "-q", "origin", "HEAD:refs/heads/stable"]);
            let place = clone.directory.clone();
            std::fs::rename(&place, place.with_file_name("whole")).unwrap();
            std::fs::create_dir(&place).unwrap();
            let url = origin.to_string_lossy().into_owned();
            clone.git(&[
                "clone",
                "-q",
                "--single-branch",
                "--branch",
                "stable",
                &url,
                ".",
            ]);
            clone.git(&["config", "gitreview.branch", "master"]);
            with_id(clone, "file");
        },
    ),
    case(
        Rule::TargetUnknown,
        "a URL that is no remote's",
        |clone, origin| {
            with_id(clone, "file");
            let copy = clone.home().join("copy.git").to_string_lossy().into_owned();
            clone.git(&["clone", "-q", "--bare", &origin.to_string_lossy(), &copy]);
            clone.git(&["config", "gitreview.branch", "master"]);
            clone.git(&["remote", "rename", "origin", "elsewhere"]);
        },
    ),
    case(
        Rule::TooMany,
        "a target that was not fetched",
        |clone, origin| {
            let who = "Ada <ada@example.com> 1795424400 +0000";
            let parent = clone.git(&["rev-parse", "HEAD"]);
            let stream: String = (0..201)
                .map(|number| {
                    let from = match number {
                        0 => format!("from {parent}\n"),
                        _ => String::new(),
                    };
                    format!(
                        "commit refs/heads/master\ncommitter {who}\ndata 2\n{}\n{from}",
                        number % 10
                    )
                })
                .collect();
            let file = clone.home().join("stream");
            std::fs::write(&file, stream).unwrap();
            let mut import = Command::new("git");
            import
                .args(["fast-import", "--quiet", "--force"])
                .current_dir(&clone.directory)
                .envs(clone.environment())
                .stdin(std::fs::File::open(&file).unwrap());
            Answer::of(&mut import).expect(0);
            clone.git(&["reset", "-q", "--hard"]);
            let known = clone.git(&["rev-parse", "origin/master"]);
            clone.git(&[
                "push",
                "-q",
                &origin.to_string_lossy(),
                "HEAD:refs/heads/master",
            ]);
            clone.git(&["update-ref", "refs/remotes/origin/master", &known]);
        },
    ),
    case(Rule::AuthorUnknown, "at the tip", |clone, _| {
        clone.git(&["config", "user.email", "root@localhost"]);
        with_id(clone, "file");
    }),
    case(Rule::AuthorUnknown, "below", |clone, _| {
        clone.git(&["config", "user.email", "root@localhost"]);
        with_id(clone, "file");
        clone.git(&["config", "user.email", "ada@example.com"]);
        with_id(clone, "file");
    }),
    case(Rule::CommitterDiffers, "below", |clone, _| {
        clone.git(&["config", "user.email", "eve@example.com"]);
        with_id(clone, "file");
        clone.git(&["config", "user.email", "ada@example.com"]);
        with_id(clone, "file");
    }),
    case(Rule::DetachedHead, "with ids", |clone, _| {
        clone.git(&["checkout", "-q", "--detach"]);
        with_id(clone, "file");
    }),
    case(Rule::Unfinished, "a rebase", |clone, _| {
        stopped(clone, &["rebase", "side"]);
    }),
    case(Rule::Unfinished, "a rebase that applies", |clone, _| {
        stopped(clone, &["rebase", "--apply", "side"]);
    }),
    case(Rule::Unfinished, "an am", |clone, _| {
        conflict(clone);
        let patch = clone.git(&["format-patch", "-1", "--stdout", "side"]);
        let file = clone.home().join("patch");
        std::fs::write(&file, patch + "\n").unwrap();
        try_git(clone, &["am", &file.to_string_lossy()]);
        std::fs::write(clone.directory.join("file"), "resolved\n").unwrap();
        clone.git(&["add", "-A"]);
    }),
    case(Rule::Unfinished, "a merge", |clone, _| {
        stopped(clone, &["merge", "side"]);
    }),
    case(Rule::Unfinished, "a cherry-pick", |clone, _| {
        stopped(clone, &["cherry-pick", "side"]);
    }),
    case(Rule::Unfinished, "a revert", |clone, _| {
        with_id(clone, "file");
        with_id(clone, "file");
        try_git(clone, &["revert", "HEAD~"]);
        std::fs::write(clone.directory.join("file"), "resolved\n").unwrap();
        clone.git(&["add", "-A"]);
    }),
    case(Rule::Unfinished, "a bisect", |clone, _| {
        with_id(clone, "file");
        with_id(clone, "file");
        clone.git(&["bisect", "start", "HEAD", "HEAD~2"]);
    }),
    case(Rule::FixesMissing, "at the tip", |clone, _| {
        clone.commit_with_id("file", "proxy: x");
    }),
    case(Rule::SubsystemMissing, "below", |clone, _| {
        clone.commit_with_id("file", "no subsystem");
        with_id(clone, "file");
    }),
    case(Rule::SignOffMissing, "at the tip", |clone, _| {
        clone.commit_with_id("file", "proxy: x");
    }),
    case(Rule::SignOffMissing, "below", |clone, _| {
        clone.commit_with_id("file", "proxy: x");
        clone.commit_with_id("file", "proxy: y");
    }),
];

/// Fails to compile for a rule that nobody has thought of here.
fn wants_kata_rules(rule: Rule) -> bool {
    match rule {
        Rule::FixesMissing | Rule::SubsystemMissing | Rule::SignOffMissing => true,
        Rule::ChangeIdMissing
        | Rule::ChangeIdOutsideFooter
        | Rule::SubjectMissing
        | Rule::ChangeIdDoubled
        | Rule::ChangeIdMalformed
        | Rule::ChangeIdShared
        | Rule::ToBeSquashed
        | Rule::Merge
        | Rule::WrongBase
        | Rule::NoCommonAncestry
        | Rule::Shallow
        | Rule::TargetUnknown
        | Rule::TooMany
        | Rule::AuthorUnknown
        | Rule::CommitterDiffers
        | Rule::DetachedHead
        | Rule::Unfinished => false,
    }
}

/// Returns the findings of a rule.
fn findings(clone: &Clone, case: &Case, remote: &[&str]) -> Vec<Value> {
    let rules = match wants_kata_rules(case.rule) {
        true => "kata",
        false => "none",
    };
    let words = [
        "push",
        "--dry-run",
        "--format",
        "json",
        "--commit-rules",
        rules,
    ];
    let said = clone.call(&[&words[..], remote].concat());
    let name = serde_json::to_value(case.rule).unwrap();
    let report = said.json();
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|one| one["rule"] == name).collect()
}

/// Returns the commands in an advice: up to the first alternative.
fn commands(fix: &str) -> Vec<String> {
    let ends = [
        " adds",
        " gives",
        " keeps",
        " (or",
        ", mark",
        " commits it",
        ", if the",
        " and squash",
        ": so far",
        " puts",
        " to see",
        ": write",
        ": move",
        ": keep",
        ": delete",
        ": add",
        ": the commit",
    ];
    let first = fix
        .split("; ")
        .find(|part| part.contains("git ") || part.contains("kata-ci "));
    first
        .unwrap_or_default()
        .split(", then ")
        .map(|step| {
            let begin = [step.find("git "), step.find("kata-ci ")]
                .into_iter()
                .flatten()
                .min();
            let step = &step[begin.unwrap_or_default()..];
            let end = ends.iter().filter_map(|end| step.find(end)).min();
            step[..end.unwrap_or(step.len())].to_owned()
        })
        .filter(|step| !step.is_empty())
        .collect()
}

fn carry_out(clone: &Clone, case: &Case, fix: &str) {
    let text = match case.edited {
        "" => good_message(),
        text => text.to_owned(),
    };
    let message = clone.home().join("edited");
    std::fs::write(&message, text).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_kata-ci")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let order = match fix {
        _ if fix.contains("squash into") || fix.contains("and squash") => {
            "sed -i '2s/^pick/squash/'"
        }
        _ if fix.contains("--autosquash") => "true",
        _ => "sed -i '1s/^pick/reword/'",
    };
    for step in commands(fix) {
        let step = step
            .replace("kata-ci push --fix", "kata-ci push --fix --no-check")
            .replace("BRANCH", "mine")
            .replace("NAME", "review")
            .replace("YOU@EXAMPLE.COM", "ada@example.com");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &step])
            .current_dir(&clone.directory)
            .envs(clone.environment())
            .env("PATH", &path)
            .env("GIT_EDITOR", format!("cp '{}'", message.display()))
            .env("GIT_SEQUENCE_EDITOR", order);
        let answer = Answer::of(&mut shell);
        // A bad state elsewhere may stop the push itself, which is not what is asked here.
        let is_push = step.starts_with("kata-ci push");
        assert!(
            is_push || answer.code == Some(0),
            "{}: {step}: {answer:#?}",
            case.name
        );
    }
}

#[test]
fn each_advice_makes_its_finding_go_away() {
    for rule in Rule::ALL {
        assert!(
            CASES.iter().any(|case| case.rule == rule),
            "{rule:?} has no case"
        );
    }
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || CASES.iter().skip(half).step_by(2).for_each(try_case));
        }
    });
}

fn try_case(case: &Case) {
    let (origin, clone) = plain();
    (case.make)(&clone, &origin);
    let copy = clone.home().join("copy.git");
    let url = copy.to_string_lossy().into_owned();
    let remote: &[&str] = if copy.exists() { &[&url] } else { &[] };
    let found = findings(&clone, case, remote);
    let name = format!("{:?}, {}", case.rule, case.name);
    assert!(!found.is_empty(), "{name}: no such finding");
    let fix = found[0]["fix"].as_str().unwrap();
    carry_out(&clone, case, fix);
    let left = findings(&clone, case, remote);
    assert!(left.is_empty(), "{name}: after `{fix}`: {left:#?}");
}
