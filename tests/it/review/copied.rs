//! Votes that the server copies to commits that nobody ran.

use super::patch_set::{Reviewed, main_go, vote_on};

#[test]
fn a_copied_plus_is_taken_back_before_its_own_run_has_passed() {
    let Some(one) = Reviewed::new("review-copied", &["first"]) else {
        return;
    };
    one.trust();
    one.own_label("Works", "is:ANY");
    one.write("main.go", &main_go("good"));
    one.patch_set();
    one.review(&["--vote", "--label", "Works"]).expect(0);
    one.write("main.go", &main_go("bad"));
    one.patch_set();
    let vote = || vote_on(&one.change(), "Works", "admin");
    assert_eq!(vote(), 1, "the server copies it");
    // A step that waits until somebody has seen the vote.
    let seen = one.clone.home().join("seen");
    let wait = format!(
        "version = 1\n[[component]]\nname = 'proxy'\npath = '.'\n[[step]]\nname = 'wait'\nexpect = 'exit'\nisolate = 'off'\n\
         script = '''\nuntil [ -e {seen} ]; do [ -e {seen} ] || : ; done\ngrep -q good main.go\n'''\n",
        seen = seen.display()
    );
    let pipeline = one.clone.home().join("operator.toml");
    std::fs::write(
        &pipeline,
        wait.replace(
            "path = '.'",
            &format!("path = '{}'", one.clone.directory.display()),
        ),
    )
    .unwrap();
    let number = one.number();
    let pipeline = pipeline.display().to_string();
    let words = [
        "review",
        &number,
        "--vote",
        "--no-base",
        "--label",
        "Works",
        "-p",
        &pipeline,
    ];
    let mut child = one.clone.kata_ci(&words).spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while vote() != 0 {
        assert!(std::time::Instant::now() < deadline, "it still stands");
    }
    std::fs::write(seen, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(vote(), -1);
    let said = one.messages();
    assert!(
        said.iter()
            .any(|text| text.contains("has not been run, so it is taken back")),
        "{said:?}"
    );
}
