//! Tests the whole texts that people read.

use super::*;
use crate::gerrit::push_output::PushedChange;
use crate::gerrit::rejection::{RejectionContext, explain, explain_refusal};
use crate::push::preflight::Rule;
use crate::push::report::{ChangeReport, CommitState};

fn row(commit: &str, subject: &str, state: CommitState) -> CommitRow {
    CommitRow {
        commit: commit.repeat(10),
        subject: subject.to_owned(),
        change_id: Some(format!("I{}", commit.repeat(10))),
        state,
    }
}

fn report(outcome: Outcome) -> PushReport {
    PushReport {
        version: 1,
        outcome,
        exit: 0,
        project: "kata/proxy".to_owned(),
        remote: Some("gerrit".to_owned()),
        url: "ssh://ada@review.example.com:29418/kata/proxy".to_owned(),
        branch: "master".to_owned(),
        reference: "refs/for/master".to_owned(),
        options: Vec::new(),
        commits: vec![
            row("a1b2", "proxy: close the listener once", CommitState::New),
            row(
                "d4e5",
                "proxy: log the address of every client that connects, and when",
                CommitState::NextPatchSet,
            ),
        ],
        findings: Vec::new(),
        rewritten: Vec::new(),
        checked: None,
        changes: Vec::new(),
        rejection: None,
        said: Vec::new(),
        notes: Vec::new(),
    }
}

fn plain(report: &PushReport) -> String {
    anstream::adapter::strip_str(&render(report, 90)).to_string()
}

#[test]
fn a_push_that_was_taken() {
    let mut taken = report(Outcome::Pushed);
    taken.options = vec!["topic=close".to_owned(), "wip".to_owned()];
    taken.checked = Some("passed 1:12 ago (stamp), tests at 02cdce9".to_owned());
    taken.changes = [1234, 1235]
        .map(|number| ChangeReport {
            change: PushedChange {
                number,
                url: format!("https://review.example.com/c/kata/proxy/+/{number}"),
                subject: "proxy: close".to_owned(),
                new: true,
                wip: number == 1235,
                private: false,
            },
            commit: None,
            patch_set: Some(1),
        })
        .to_vec();
    insta::assert_snapshot!(plain(&taken));
}

#[test]
fn a_rejection() {
    let mut bad = report(Outcome::Rejected);
    let context = RejectionContext {
        remote: "gerrit".to_owned(),
        branch: "master".to_owned(),
        project: "kata/proxy".to_owned(),
        tip: bad.commits[1].commit.clone(),
        count: 2,
    };
    bad.rejection = Some(explain(
        "change https://review.example.com/c/kata/proxy/+/1201 closed",
        &context,
    ));
    insta::assert_snapshot!(plain(&bad));
}

#[test]
fn an_answer_nobody_knows_is_shown_whole() {
    let mut bad = report(Outcome::Rejected);
    bad.rejection = Some(explain("the moon is full", &RejectionContext::default()));
    bad.said = vec!["ERROR: see the plugin's page".to_owned()];
    insta::assert_snapshot!(plain(&bad));
}

#[test]
fn what_the_preflight_found() {
    let mut refused = report(Outcome::Refused);
    refused.findings = vec![
        PreflightFinding {
            commit: Some("a1b2".repeat(10)),
            ..PreflightFinding::error(
                Rule::ChangeIdMissing,
                "has no Change-Id",
                "kata-ci push --fix",
            )
            .line(3)
        },
        PreflightFinding::warning(
            Rule::DetachedHead,
            "HEAD is detached",
            "git switch -c BRANCH",
        ),
    ];
    insta::assert_snapshot!(plain(&refused));
}

#[test]
fn subjects_do_not_steer_the_terminal() {
    let mut evil = report(Outcome::DryRun);
    evil.commits[0].subject = "a: \x1b[2J\x07b\r".to_owned();
    let text = plain(&evil);
    assert!(
        !text
            .chars()
            .any(|letter| letter.is_control() && letter != '\n'),
        "{text:?}"
    );
}

#[test]
fn a_known_reason_does_not_hide_the_other_words_of_the_server() {
    let mut bad = report(Outcome::Rejected);
    let reason = "pre-receive hook declined: the tracker timed out";
    let rejection = explain_refusal(reason, &RejectionContext::default());
    assert!(!rejection.transient, "{rejection:?}");
    bad.rejection = Some(rejection);
    bad.said = ["One.", "", "Two.", "error: failed to push some refs to 'x'"]
        .map(str::to_owned)
        .to_vec();
    let text = plain(&bad);
    assert!(text.contains("One.\n") && text.contains("Two.\n"), "{text}");
    assert!(!text.contains("failed to push"), "{text}");
}
