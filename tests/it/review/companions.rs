//! Changes of several projects under one topic.

use std::fs;

use super::patch_set::Reviewed;
use crate::support::gerrit::{Transport, User};

const PIPELINE: &str = "version = 1\n[[component]]\nname = 'proxy'\npath = '.'\n[[component]]\nname = 'agent'\npath = '../agent'\n\
    [[step]]\nname = 'test'\nexpect = 'exit'\nscript = 'if [ -f needs ]; then grep -q good ../agent/verdict; fi'\n";

#[test]
fn a_companion_of_the_topic_lies_beside_it_and_is_run_too() {
    let Some(one) = Reviewed::new("review-topic", &["first"]) else {
        return;
    };
    one.trust();
    let agent = one.project.server.project("agent");
    let url = agent.url(User::Admin, Transport::Http);
    let beside = one.clone.beside(&url, "agent");
    fs::write(beside.directory.join("verdict"), "bad\n").unwrap();
    fs::write(beside.directory.join("Makefile"), "check:\n").unwrap();
    beside.commit("file", "agent: begin\n");
    beside.git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    beside.git(&["fetch", "-q"]);
    one.write("kata-ci.toml", PIPELINE);
    one.clone.commit("file", "proxy: two components\n");
    one.clone
        .git(&["push", "-q", "origin", "HEAD:refs/heads/master"]);
    one.clone.git(&["fetch", "-q"]);
    // Alone it has agent as it is, and fails.
    one.write("needs", "");
    one.patch_set();
    let answer = one.review(&["--base"]).expect(1);
    assert!(
        answer.output.contains("proxy.test") && !answer.output.contains("agent.test"),
        "{answer:?}"
    );
    fs::write(beside.directory.join("verdict"), "good\n").unwrap();
    beside.commit_with_id("file", "agent: good");
    let topic = format!("topic-{}", one.number());
    beside.git(&[
        "push",
        "-q",
        "origin",
        &format!("HEAD:refs/for/master%topic={topic}"),
    ]);
    beside.git(&["checkout", "-q", "--detach", "origin/master"]);
    let path = format!("changes/{}/topic", one.number());
    let body = serde_json::json!({"topic": topic});
    one.project
        .server
        .rest(User::Admin, "PUT", &path, Some(&body));
    let answer = one.review(&["--vote"]).expect(0);
    assert!(answer.output.contains("agent.test"), "{answer:?}");
    assert_eq!(one.vote(), 1);
}
