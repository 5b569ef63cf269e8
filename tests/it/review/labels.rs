//! Labels that are not there or not for everybody, and comments that a server does not take.

use kata_ci::gerrit::rest::{BaseUrl, Client, CommentInput, CredentialSource, HttpSettings};
use kata_ci::git::Repository;
use kata_ci::review::{MessagesOnly, Posted, ReviewResult, post};

use super::patch_set::{Reviewed, main_go, vote};
use crate::support::gerrit::{Transport, User};

#[test]
fn a_label_that_does_not_exist_is_said_and_costs_the_vote_only() {
    let Some(one) = Reviewed::new("review-label", &["first"]) else {
        return;
    };
    one.trust();
    one.write("main.go", &main_go("good"));
    one.patch_set();
    let answer = one.review(&["--vote", "--label", "Nowhere"]).expect(0);
    assert!(
        answer.errors.contains("there is no label `Nowhere`"),
        "{answer:?}"
    );
    let said = one.messages().remove(0);
    assert!(
        said.contains("every job passed") && said.contains("No vote was given"),
        "{said}"
    );
}

#[test]
fn a_vote_that_may_not_be_given_names_the_permission() {
    let Some(one) = Reviewed::new("review-rights", &["first"]) else {
        return;
    };
    one.write("main.go", &main_go("good"));
    one.patch_set();
    let guest = one.project.clone_as(User::Guest, Transport::Http);
    let answer = guest.call(&["review", &one.number(), "--vote"]).expect(0);
    let permission = "`label-Verified` on refs/heads/master";
    assert!(answer.errors.contains(permission), "{answer:?}");
    assert_eq!(vote(&one.change(), "guest"), 0);
    let said = one.messages().remove(0);
    assert!(
        said.contains("every job passed") && said.contains(permission),
        "{said}"
    );
    // One that may give a part of the range.
    one.allow("Verified", -1, 0);
    let answer = guest.call(&["review", &one.number(), "--vote"]).expect(0);
    assert!(answer.errors.contains(permission), "{answer:?}");
}

#[test]
fn a_comment_outside_of_the_patch_set_costs_the_comments_only() {
    let Some(one) = Reviewed::new("review-outside", &["first"]) else {
        return;
    };
    one.trust();
    one.write("main.go", &main_go("bad"));
    one.patch_set();
    let directory = one.clone.home().join("reports");
    one.review(&["--base", "--report-dir", &directory.display().to_string()])
        .expect(1);
    let mut result = ReviewResult::read(&directory).unwrap();
    let comment = CommentInput {
        line: Some(1),
        message: "elsewhere".to_owned(),
        unresolved: false,
    };
    result
        .input
        .comments
        .insert("no/such/file.go".to_owned(), vec![comment]);
    let report = post(&client(&one), &result, &mut MessagesOnly).unwrap();
    assert_eq!(report.posted, Posted::Voted(-1));
    assert!(
        report.remarks[0].contains("no inline comments"),
        "{report:?}"
    );
    assert_eq!(one.vote(), -1);
    assert_eq!(
        one.comments().as_object().map(serde_json::Map::len),
        Some(0)
    );
    // The same result is not posted twice, and an older run not after a newer one.
    let mut again = |run| {
        result.run = run;
        post(&client(&one), &result, &mut MessagesOnly)
            .unwrap()
            .posted
    };
    assert_eq!(again(1), Posted::Already);
    assert_eq!(again(3), Posted::Voted(-1));
    assert_eq!(again(2), Posted::Superseded(3));
    assert_eq!(one.messages().len(), 2);
}

/// Returns a client with the clone's own credentials.
fn client(one: &Reviewed) -> Client {
    let environment = one.clone.environment().into_iter();
    let mut all = kata_ci::env::Environment::current();
    all.extend(environment.map(|(name, value)| (name.into(), value.into())));
    let git = Repository::at(&one.clone.directory, &all);
    let server: BaseUrl = one.project.server.url().parse().unwrap();
    let settings = HttpSettings::of_git(&git, &server).unwrap();
    Client::new(
        server,
        &settings,
        Some(Box::new(git) as Box<dyn CredentialSource>),
    )
    .unwrap()
}

#[test]
fn a_change_that_is_closed_meanwhile_gets_nothing() {
    let Some(one) = Reviewed::new("review-closed", &["first"]) else {
        return;
    };
    one.trust();
    one.write("main.go", &main_go("good"));
    one.patch_set();
    let path = format!("changes/{}/abandon", one.number());
    one.project
        .server
        .rest(User::Admin, "POST", &path, Some(&serde_json::json!({})));
    let answer = one.review(&["--vote"]).expect(0);
    assert!(
        answer.errors.contains("the change is abandoned"),
        "{answer:?}"
    );
    assert_eq!(one.messages().len(), 0);
}
