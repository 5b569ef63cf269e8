//! Tests that preflight and server agree on every message of a corpus, each pushed unchanged.

use std::path::Path;
use std::process::Command;

use kata_ci::gerrit::change_id::LinkServer;
use kata_ci::gerrit::push_output::PushAnswer;
use kata_ci::push::preflight::{ChangeIdState, state_of};

use crate::support::gerrit::{Answer, Clone, Transport, User, fresh_id, server};

/// Returns the server's words for a finding of the preflight.
fn words(state: &ChangeIdState) -> Option<&'static str> {
    match state {
        ChangeIdState::Good(..) => None,
        ChangeIdState::Missing => Some("missing Change-Id in message footer"),
        ChangeIdState::IsSubject => Some("missing subject"),
        ChangeIdState::OutsideFooter(_) => Some("Change-Id must be in message footer"),
        ChangeIdState::Several(..) => Some("multiple Change-Id lines"),
        ChangeIdState::Malformed(..) => Some("invalid Change-Id"),
    }
}

/// Commits with this message, byte for byte, on top of the target.
fn commit(clone: &Clone, message: &[u8]) -> String {
    let (tree, parent) = (
        clone.git(&["rev-parse", "origin/master^{tree}"]),
        clone.git(&["rev-parse", "origin/master"]),
    );
    let who = "admin <admin@example.com> 1795424400 +0000";
    let header = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n");
    let file = clone.home().join("commit");
    std::fs::write(&file, [header.as_bytes(), message].concat()).unwrap();
    clone.git(&["hash-object", "-t", "commit", "-w", &file.to_string_lossy()])
}

fn said(clone: &Clone, oid: &str) -> Option<String> {
    let mut push = Command::new("git");
    push.args([
        "push",
        "--porcelain",
        "origin",
        &format!("{oid}:refs/for/master"),
    ])
    .current_dir(&clone.directory)
    .envs(clone.environment())
    .env("LC_ALL", "C");
    let answer = Answer::of(&mut push);
    let reason = PushAnswer::parse(&answer.output, &answer.errors).reason();
    (answer.code != Some(0)).then(|| reason.expect("a reason"))
}

/// Returns the corpus and further messages, with ids of their own in place of the corpus's.
fn messages() -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gerrit/messages");
    let mut messages = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read(&path).unwrap();
        // Messages without an id are all the same to this test, so a few are enough.
        let has_id = String::from_utf8_lossy(&text)
            .to_lowercase()
            .contains("change-id");
        if has_id
            || ["crlf", "scissors", "comments-at-the-end", "emoji", "tabs"].contains(&name.as_str())
        {
            messages.push((name, text));
        }
    }
    for (name, text) in [
        (
            "prose-in-footer",
            "a: b\n\nBody.\n\nFixes: #1\nprose\nCHANGE-Id: ID\nmore prose\n",
        ),
        ("continued", "a: b\n\nFixes: #1\n goes on\nChange-Id: ID\n"),
        ("space-before", "a: b\n\n Change-Id: ID\n"),
        ("no-space-behind-colon", "a: b\n\nChange-Id:ID\n"),
        ("blank-line-with-space", "a: b\n \nChange-Id: ID\n"),
        ("two-below-subject", "a: b\nsecond line\nChange-Id: ID\n"),
        ("short-id", "a: b\n\nChange-Id: I12345678\n"),
        ("id-and-prose", "a: b\n\nChange-Id: ID and more\n"),
        ("comments-behind", "a: b\n\nChange-Id: ID\n# a line\n"),
        ("paragraph-behind", "a: b\n\nChange-Id: ID\n\n# a line\n"),
        ("crlf-twice", "a: b\r\n\r\nChange-Id: ID\r\n\r\nBody.\r\n"),
        ("blank-lines-behind", "a: b\n\nChange-Id: ID\n\n\n  \n"),
        (
            "upper-case-id",
            "a: b\n\nChange-Id: I5F0C5F0C5F0C5F0C5F0C5F0C5F0C5F0C5F0C5F0C\n",
        ),
    ] {
        messages.push((name.to_owned(), text.as_bytes().to_vec()));
    }
    for (_, text) in &mut messages {
        let own = String::from_utf8_lossy(text).replace(&format!("I{}", "5f0c".repeat(10)), "ID");
        *text = own.replace("ID", &fresh_id()).into_bytes();
    }
    messages
}

#[test]
fn messages_are_judged_as_the_server_judges_them() {
    let Some(server) = server() else { return };
    let clone = server
        .project("judged")
        .clone_as(User::Admin, Transport::Http);
    let links = LinkServer {
        review_url: None,
        host: "127.0.0.1".to_owned(),
    };
    let mut differences = Vec::new();
    for (name, message) in messages() {
        let oid = commit(&clone, &message);
        let state = state_of(&message, &links);
        let theirs = said(&clone, &oid);
        let agreed = match (words(&state), &theirs) {
            (None, None) => true,
            (Some(words), Some(theirs)) => theirs.contains(words),
            _ => false,
        };
        if !agreed {
            differences.push(format!(
                "{name}: we say {state:?}, the server {theirs:?}: {:?}",
                String::from_utf8_lossy(&message)
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
