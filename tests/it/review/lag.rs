//! A replica that does not have the patch set yet.

use std::process::Command;

use super::forwarder::{forward, status};
use super::patch_set::{Reviewed, main_go};

fn replica(one: &Reviewed) -> String {
    let place = one
        .clone
        .home()
        .join("replica")
        .join(format!("{}.git", one.project.name));
    let status = Command::new("git")
        .args(["clone", "-q", "--bare"])
        .arg(&one.clone.directory)
        .arg(&place)
        .status();
    assert!(status.unwrap().success());
    place.display().to_string()
}

#[test]
fn what_a_replica_lacks_comes_from_the_primary() {
    let Some(one) = Reviewed::new("review-replica", &["first"]) else {
        return;
    };
    one.trust();
    let replica = replica(&one);
    one.write("main.go", &main_go("good"));
    one.patch_set();
    let number = one.number();
    let clone = one.clone.beside(&replica, "fresh/clone");
    let url = one.project.server.url();
    let answer = clone
        .call(&["review", &number, "--vote", "--server", url])
        .expect(0);
    assert!(answer.errors.contains("posted Verified +1"), "{answer:?}");
    assert_eq!(one.vote(), 1);
}

#[test]
fn a_ref_that_is_not_there_yet_is_tried_again_and_is_no_minus() {
    let Some(one) = Reviewed::new("review-lag", &["first"]) else {
        return;
    };
    one.trust();
    let replica = replica(&one);
    one.write("main.go", &main_go("good"));
    one.patch_set();
    let number = one.number();
    let http: u16 = one.project.server.value("http_port").parse().unwrap();
    let url_after = |refusals: u32| {
        let mut left = refusals;
        let rule = move |line: &str| {
            let is_fetch = line.contains("/info/refs");
            (is_fetch && left > 0).then(|| {
                left -= 1;
                status(404, "not yet")
            })
        };
        let port = forward(http, Box::new(rule));
        let password = one
            .project
            .server
            .password(crate::support::gerrit::User::Admin);
        let store = one.clone.home().join("credentials");
        let known = std::fs::read_to_string(&store).unwrap();
        std::fs::write(
            &store,
            format!("{known}http://admin:{password}@127.0.0.1:{port}\n"),
        )
        .unwrap();
        format!("http://127.0.0.1:{port}")
    };
    let review = |name: &str, url: &str| {
        let clone = one.clone.beside(&replica, name);
        clone.call(&["review", &number, "--vote", "--server", url])
    };
    let answer = review("never/clone", &url_after(u32::MAX)).expect(75);
    assert!(answer.errors.contains("cannot be fetched"), "{answer:?}");
    assert_eq!((one.vote(), one.messages().len()), (0, 0));
    review("late/clone", &url_after(2)).expect(0);
    assert_eq!(one.vote(), 1);
}
