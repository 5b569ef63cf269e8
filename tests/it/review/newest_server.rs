//! The same with the newest Gerrit that can be had: pushes, votes, comments, the stream.

use super::votes::minus_then_plus;
use super::watch::copied::taken_back_in_time;
use crate::support::gerrit::{Transport, User, newest_server};

#[test]
fn a_minus_and_a_plus() {
    if let Some(server) = newest_server() {
        minus_then_plus(server);
    }
}

#[test]
fn a_watcher_with_a_vote_that_is_copied() {
    if let Some(server) = newest_server() {
        taken_back_in_time(server);
    }
}

#[test]
fn a_push_and_its_refusal() {
    let Some(server) = newest_server() else {
        return;
    };
    let project = server.project("newest");
    for transport in [Transport::Ssh, Transport::Http] {
        let clone = project.clone_as(User::Admin, transport);
        let id = clone.commit_with_id("file", "proxy: one");
        let push = ["push", "--no-check", "--topic", "t", "--reviewer", "guest"];
        clone.call(&push).expect(0);
        let change = project.change(&id).expect("it is there");
        assert_eq!(change["topic"], "t");
        let path = format!("changes/{}/reviewers", change["_number"]);
        let reviewers = server.rest(User::Admin, "GET", &path, None).to_string();
        assert!(reviewers.contains("guest@example.com"), "{reviewers}");
        clone.git(&[
            "commit",
            "-q",
            "--amend",
            "--date",
            "2020-01-01T00:00:00",
            "--no-edit",
        ]);
        clone.call(&["push", "--no-check"]).expect(0);
        let change = project.change(&id).expect("it is there");
        assert_eq!(
            change["current_revision"],
            clone.git(&["rev-parse", "HEAD"])
        );
        let path = format!("changes/{}/abandon", change["_number"]);
        server.rest(User::Admin, "POST", &path, Some(&serde_json::json!({})));
        clone.git(&[
            "commit",
            "-q",
            "--amend",
            "--date",
            "2021-01-01T00:00:00",
            "--no-edit",
        ]);
        let answer = clone.call(&["push", "--no-check"]);
        assert_ne!(answer.code, Some(0), "{answer:?}");
        let said = format!("{}{}", answer.output, answer.errors);
        assert!(
            said.contains("closed") && said.contains("restore"),
            "{said}"
        );
    }
}
