//! Why nothing was tested, in words, with what to do about it.
//!
//! The causes are those that the text can tell; whether nothing was tested is not decided here.

use super::observations::Seen;
use crate::model::Tally;

/// A cause and its fix.
type Cause = (String, Option<String>);

/// The causes, most telling first.
pub(super) fn causes(seen: &Seen, tally: &Tally) -> Vec<Cause> {
    [
        no_golang(seen),
        no_virtualization(seen),
        filtered(seen, tally),
        idle(seen),
        no_go_tests(seen, tally),
        all_skipped(tally),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn cause(what: &str, fix: &str) -> Option<Cause> {
    Some((what.to_owned(), (!fix.is_empty()).then(|| fix.to_owned())))
}

fn no_golang(seen: &Seen) -> Option<Cause> {
    seen.no_golang.then_some(())?;
    cause(
        "kata's go-test.sh found no Go packages (\"no golang code to test\")",
        "a v1 component needs GO111MODULE=off and its place in a GOPATH: $GOPATH/src/github.com/kata-containers/NAME",
    )
}

fn no_virtualization(seen: &Seen) -> Option<Cause> {
    seen.no_virtualization.then_some(())?;
    cause(
        "dragonball's Makefile skips its tests without virtualization",
        "run it on a machine with /dev/kvm, or set allow_vacuous",
    )
}

fn filtered(seen: &Seen, tally: &Tally) -> Option<Cause> {
    if seen.filtered == 0 || tally.tested() > 0 {
        return None;
    }
    let number = seen.filtered;
    if seen.ignored_flag {
        return cause(
            &format!("{number} filtered out: as root kata's Makefile adds --ignored"),
            "run as another user, or with USERID=1000, or set allow_vacuous",
        );
    }
    cause(
        &format!("{number} filtered out"),
        "see which filter its command line gives to the tests",
    )
}

fn idle(seen: &Seen) -> Option<Cause> {
    let said = seen.make_idle.as_deref()?;
    if said.ends_with("is up to date.") {
        return cause(
            &format!("make says: {said}"),
            "a file or directory has the target's name: declare the target .PHONY, or remove the file",
        );
    }
    cause(
        &format!("make says: {said}"),
        "the target has no recipe: leave the step out for this component, or set allow_vacuous",
    )
}

fn no_go_tests(seen: &Seen, tally: &Tally) -> Option<Cause> {
    if tally.tested() > 0 {
        return None;
    }
    let (files, fits) = (seen.without_files, seen.without_match);
    match (files, fits) {
        (0, 0) => None,
        (_, 0) => cause(
            &format!("[no test files] in every package ({files})"),
            "write tests, or leave the step out for this component",
        ),
        _ => cause(
            &format!("[no tests to run] in {fits} of {} packages", files + fits),
            "see which filter (-run, -skip, build tags) its command line gives to go test",
        ),
    }
}

fn all_skipped(tally: &Tally) -> Option<Cause> {
    if tally.tested() > 0 || tally.skipped == 0 {
        return None;
    }
    let reason = match tally.skipped {
        1 => "its one case was skipped".to_owned(),
        skipped => format!("all {skipped} cases were skipped"),
    };
    cause(&reason, "")
}
