//! Stories of `kata-ci doctor --for review` at a real Gerrit: who may vote there.

use serde_json::Value;

use crate::support::gerrit::{Clone, Transport, User, server};

/// Returns the state of a rule about the server, and the whole answer.
fn asked(clone: &Clone, rule: &str) -> (String, String) {
    let words = ["doctor", "--for", "push,review", "--format", "json"];
    let answer = clone.call(&words);
    let json: Value = answer.json();
    let checks = json["checks"].as_array().expect("checks").clone();
    let found = (checks.iter()).find(|one| one["subject"] == "gerrit" && one["rule"] == rule);
    let state = found.map_or("", |one| one["state"].as_str().expect("a state"));
    (state.to_owned(), answer.output)
}

fn expect(clone: &Clone, rule: &str, state: &str) {
    let (found, answer) = asked(clone, rule);
    assert_eq!(found, state, "{rule}: {answer}");
}

#[test]
fn who_may_vote_is_asked_of_the_server() {
    let Some(server) = server() else {
        return;
    };
    let project = server.project("doctor");
    let admin = project.clone_as(User::Admin, Transport::Http);
    expect(&admin, "reachable", "can");
    expect(&admin, "account", "can");
    // Without a change there is nothing to ask by.
    expect(&admin, "vote", "could-not-be-asked");
    admin.commit_with_id("file", "proxy: a change");
    admin.git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    expect(&admin, "vote", "can");
    let guest = project.clone_as(User::Guest, Transport::Http);
    expect(&guest, "reachable", "can");
    expect(&guest, "vote", "cannot");
    // By ssh the server has no web address that could be known, unless the pipeline names it.
    let by_ssh = project.clone_as(User::Admin, Transport::Ssh);
    expect(&by_ssh, "reachable", "can");
    expect(&by_ssh, "account", "");
    let pipeline = |label: &str| {
        format!(
            "version = 1\n[gerrit]\nurl = '{}'\nlabel = '{label}'\n[[step]]\nname = 'check'\nrun = ['true']\n[[component]]\nname = 'proxy'\npath = '.'\n",
            server.url()
        )
    };
    let file = by_ssh.directory.join("kata-ci.toml");
    std::fs::write(&file, pipeline("Verified")).expect("written");
    let (state, answer) = asked(&by_ssh, "account");
    assert!(["can", "cannot"].contains(&state.as_str()), "{answer}");
    let file = admin.directory.join("kata-ci.toml");
    std::fs::write(&file, pipeline("Nobodys-Label")).expect("written");
    expect(&admin, "vote", "cannot");
    std::fs::remove_file(&file).expect("removed");
    // A password that the server refuses, and a server that is gone.
    let store = guest.home().join("credentials");
    let text = std::fs::read_to_string(&store).expect("credentials");
    let wrong = text.replace(server.password(User::Guest), "wrong");
    std::fs::write(&store, wrong).expect("written");
    let (state, answer) = asked(&guest, "authenticated");
    assert!(state == "cannot" && !answer.contains("wrong"), "{answer}");
    expect(&guest, "account", "cannot");
}
