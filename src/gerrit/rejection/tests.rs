//! Each rule of the table matches real messages of servers.

use super::*;

fn context() -> RejectionContext {
    RejectionContext {
        remote: "origin".to_owned(),
        branch: "master".to_owned(),
        project: "kata/proxy".to_owned(),
        tip: "1a2b3c4d".to_owned() + &"0".repeat(32),
        count: 1,
    }
}

/// Messages, each with a piece of the fix that it must have.
const SAID: &[(&str, &str)] = &[
    (
        "commit 1a2b3c4: missing Change-Id in message footer",
        "kata-ci push --fix",
    ),
    (
        "commit 1a2b3c4: Change-Id must be in message footer",
        "git commit --amend: move",
    ),
    (
        "commit 9999999: Change-Id must be in message footer",
        "git rebase -i 9999999~",
    ),
    (
        "commit 1a2b3c4: missing subject; Change-Id must be in message footer",
        "write a subject",
    ),
    (
        "commit 1a2b3c4: multiple Change-Id lines in message footer",
        "keep the one",
    ),
    (
        "commit 1a2b3c4: invalid Change-Id line format in message footer",
        "delete the line",
    ),
    (
        "same Change-Id in multiple changes.\nSquash the commits with the same Change-Id",
        "squash them",
    ),
    (
        "I5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c has duplicates",
        "abandon all but one",
    ),
    ("no new changes", "nothing needs"),
    (
        "commit(s) already exists (as current patchset)",
        "nothing needs",
    ),
    (
        "commit already exists (in the change)",
        "git commit --amend --no-edit",
    ),
    (
        "commit already exists (in the project): Change 3",
        "git commit --amend --no-edit",
    ),
    (
        "change http://127.0.0.1:8080/c/p1/+/1201 closed",
        "restore change 1201",
    ),
    ("change 1201 closed", "restore change 1201"),
    ("cannot add patch set to 1201.", "Add Patch Set"),
    ("branch nobranch not found", "git ls-remote --heads origin"),
    ("no common ancestry", "git remote -v"),
    (
        "implicit merges detected",
        "git rebase --onto origin/master",
    ),
    (
        "commit 1a2b3c4: you are not allowed to upload merges",
        "git rebase origin/master",
    ),
    (
        "the number of pushed changes in a batch exceeds the max limit 20",
        "git log origin/master..HEAD",
    ),
    ("commit 1a2b3c4: invalid author", "--reset-author"),
    (
        "commit 1a2b3c4: invalid committer",
        "git rebase --force-rebase",
    ),
    (
        "commit 1a2b3c4: not Signed-off-by author/committer/uploader in message footer",
        "--signoff",
    ),
    (
        "prohibited by Gerrit: not permitted: update",
        "push for review",
    ),
    (
        "prohibited by Gerrit: not permitted: create",
        "Create Reference",
    ),
    (
        "prohibited by Gerrit: project state does not permit write",
        "has moved",
    ),
    ("prohibited by Gerrit: something new", "ask a project owner"),
    (
        "the options 'wip' and 'ready' are mutually exclusive",
        "give one of them",
    ),
    ("private changes are disabled", "leave --private out"),
    ("topic length exceeds the limit (2048)", "a shorter one"),
    ("base not found", "git branch -r --contains"),
    ("ada@host: Permission denied (publickey).", "ssh-add -l"),
    ("Project not found: kata/proxy", "the right to read"),
    ("\"--foo\" is not a valid option", "leave it out"),
    ("label \"Foo\" is not a configured label", "Name+1"),
    (
        "fatal: Authentication failed for 'http://127.0.0.1/a/x/'",
        "HTTP password",
    ),
    (
        "ssh: connect to host 127.0.0.1 port 1: Connection refused",
        "try again",
    ),
    ("internal server error (trace)", "try again"),
    ("non-fast-forward", "git fetch origin"),
    (
        "Change-Id in message footer does not match Change-Id of target change",
        "",
    ),
    ("commit 1a2b3c4 already exists in change 1201", "--date=now"),
    (
        "only users with Toggle-Wip-State permission can modify Work-in-Progress",
        "leave --wip and --ready out",
    ),
    ("change 1201 not found", "push to refs/for/master"),
    (
        "edit is not supported for new changes",
        "leave `-o edit` out",
    ),
    (
        "number of new commits exceeds limit, and skip-validation not set",
        "the base is wrong",
    ),
    ("Branch is unborn", "--direct"),
    (
        "commit 1a2b3c4: pushing merge commit 1a2b3c4 by ada@host requires 'Forge Server' permission",
        "--reset-author --no-edit",
    ),
    (
        "prohibited by Gerrit: not permitted: update by submit",
        "leave `-o submit` out",
    ),
    ("contains banned commit 0123abc", "git rebase -i 0123abc~"),
    (
        "label \"Code-Review\": +9 is not a valid value",
        "lists the values",
    ),
    (
        "applying label \"Code-Review\": 2 is restricted",
        "leave --label out",
    ),
    ("base must be a commit", "git rev-list -1 NAME shows"),
    ("cannot use merged with base", "give one of them"),
    ("not merged into branch", "leave `-o merged` out"),
    (
        "\"x\" is not a valid value for \"--notify\"",
        "give another value",
    ),
    ("Account 'eve' not found", "e-mail address"),
    ("topic can't contain quotation marks", "leave them out"),
    ("hashtags may not contain commas", "without a comma"),
    (
        "Comment validation failure: too long",
        "a shorter --message",
    ),
    (
        "cannot combine normal pushes and magic pushes",
        "one after the other",
    ),
    (
        "Exceeding maximum number of files per change (101 > 100)",
        "split it",
    ),
    (
        "fatal: the receiving end does not support push options",
        "behind the ref's name",
    ),
    ("Host key verification failed.", "accept it"),
    (
        "ssh: Could not resolve hostname nowhere.invalid: Name or service not known",
        "the URL and the network",
    ),
    ("pre-receive hook declined", "see what it says"),
    (
        "error: failed to push some refs to 'ssh://x'",
        "--no-verify",
    ),
];

#[test]
fn every_answer_has_a_cause_and_an_exact_fix() {
    for (said, fix) in SAID {
        let explained = explain(said, &context());
        assert!(explained.known, "{said}");
        assert!(explained.fix.contains(fix), "{said}: {}", explained.fix);
        assert_eq!(explained.reason, *said);
        let texts = format!("{} {}", explained.cause, explained.fix);
        assert!(!texts.contains(['{', '$']), "{said}: {texts}");
    }
}

#[test]
fn every_pattern_is_a_regular_expression() {
    assert_eq!(COMPILED.len(), table::RULES.len());
}

#[test]
fn every_rule_has_a_sample_that_no_rule_above_it_takes() {
    let rule_of = |said: &str| {
        let (_, bare) = named_commit(said);
        COMPILED.iter().position(|one| one.pattern.is_match(bare))
    };
    let seen: Vec<_> = SAID.iter().filter_map(|(said, _)| rule_of(said)).collect();
    let without: Vec<_> = (0..COMPILED.len())
        .filter(|rule| !seen.contains(rule))
        .map(|rule| table::RULES[rule].pattern)
        .collect();
    assert!(without.is_empty(), "without a sample in SAID: {without:#?}");
}

#[test]
fn every_placeholder_is_one_that_is_filled_in() {
    let any = Regex::new(r"\$[0-9]+|\{[^}]*\}").unwrap();
    for compiled in COMPILED.iter() {
        let rule = compiled.rule;
        let groups = compiled.pattern.captures_len() - 1;
        let is_filled = |name: &str| match name.strip_prefix('$') {
            Some(number) => (1..=groups.min(9)).any(|group| group.to_string() == number),
            None => table::PLACEHOLDERS.contains(&name),
        };
        for text in [rule.cause, rule.fix] {
            for found in any.find_iter(text).map(|found| found.as_str()) {
                assert!(is_filled(found), "{}: {found} in {text:?}", rule.pattern);
            }
        }
    }
}

#[test]
fn the_number_of_a_change_is_named() {
    let explained = explain(
        "change http://127.0.0.1:8080/c/p1/+/1201 closed",
        &context(),
    );
    assert!(
        explained.cause.contains("change 1201,"),
        "{}",
        explained.cause
    );
    assert!(
        explained.cause.starts_with("1a2b3c4 carries"),
        "{}",
        explained.cause
    );
}

#[test]
fn already_there_is_success_and_only_that() {
    let there: Vec<_> = SAID
        .iter()
        .filter(|(said, _)| explain(said, &context()).nothing_new)
        .collect();
    assert_eq!(there.len(), 2);
    assert!(explain("Connection reset by peer", &context()).transient);
    assert!(!explain("change 3 closed", &context()).transient);
}

#[test]
fn what_is_not_known_is_said_and_not_guessed() {
    let explained = explain("the moon is full", &context());
    assert!(!explained.known && !explained.nothing_new);
    assert!(explained.cause.contains("does not know"));
}

#[test]
fn the_words_of_a_server_cannot_fill_templates() {
    let said = "prohibited by Gerrit: not permitted: {project} $1";
    let explained = explain(said, &context());
    assert!(
        explained.cause.contains("`{project} $1`"),
        "{}",
        explained.cause
    );
}

#[test]
fn in_a_stack_it_is_not_said_which_commit_where_the_server_does_not_say() {
    let stack = RejectionContext {
        count: 3,
        ..context()
    };
    let explained = explain("change 1201 closed", &stack);
    assert!(explained.cause.starts_with("a commit of the push carries"));
    assert!(explained.fix.contains("git rebase -i origin/master"));
}
