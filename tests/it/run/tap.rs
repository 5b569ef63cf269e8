//! Tests jobs that print TAP, with the installed bats and prove.

use std::collections::BTreeMap;

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, run_in};

fn counts(run: &Finished, job: &str) -> BTreeMap<String, u64> {
    run.cases(job)
}

fn expected(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let counts = counts.iter();
    counts
        .map(|(status, count)| ((*status).to_owned(), *count))
        .collect()
}

#[test]
fn tests_of_bats_and_perl_are_cases() {
    let place = makefiles(&[
        ("shell", "test:\n @bats -F tap good.bats\n.PHONY: test"),
        ("perl", "test:\n @prove -v --merge t\n.PHONY: test"),
    ]);
    write(
        &place.path().join("shell/good.bats"),
        "@test \"adds\" { [ $((1 + 1)) -eq 2 ]; }\n@test \"needs more\" { skip \"no kvm\"; }\n",
    );
    write(
        &place.path().join("perl/t/a.t"),
        "use Test::More tests => 2; ok(1, 'one');\nsubtest 'group' => sub { plan tests => 1; ok(1, 'two') };\n",
    );
    let run = run_in(place.path())
        .args(["-p", "makefile", "-s", "test"])
        .finish()
        .expect_code(0);
    assert_eq!(
        counts(&run, "shell.test"),
        expected(&[("passed", 1), ("skipped", 1)])
    );
    assert_eq!(counts(&run, "perl.test"), expected(&[("passed", 3)]));
    assert!(
        run.junit().contains("name=\"group/two\""),
        "{}",
        run.junit()
    );
}

#[test]
fn a_test_that_fails_is_told_with_its_place_and_what_never_ran() {
    let place = makefiles(&[
        ("shell", "test:\n @bats -F tap bad.bats\n.PHONY: test"),
        ("perl", "test:\n @prove -v --merge t\n.PHONY: test"),
    ]);
    write(
        &place.path().join("shell/bad.bats"),
        "@test \"breaks\" {\n  false\n}\n",
    );
    write(
        &place.path().join("perl/t/a.t"),
        "use Test::More tests => 3; ok(1, 'one'); exit 3;\n",
    );
    let run = run_in(place.path())
        .args(["-p", "makefile", "-s", "test"])
        .finish()
        .expect_code(1);
    assert_eq!(counts(&run, "shell.test"), expected(&[("failed", 1)]));
    assert_eq!(
        counts(&run, "perl.test"),
        expected(&[("failed", 1), ("not-run", 2), ("passed", 1)])
    );
    assert!(run.printed().contains("bad.bats:2"), "{}", run.printed());
}
