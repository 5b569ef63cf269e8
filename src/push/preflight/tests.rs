//! Tests each rule on facts made by hand.

use super::*;
use crate::gerrit::change_id::LinkServer;
use crate::git::range::{Commit, Person};

const ONE: &str = "Change-Id: I5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c";
const OTHER: &str = "Change-Id: I0a1b0a1b0a1b0a1b0a1b0a1b0a1b0a1b0a1b0a1b";

fn ada() -> Person {
    Person {
        name: "Ada".to_owned(),
        email: "ada@example.com".to_owned(),
    }
}

fn commit(number: usize, message: &str) -> Commit {
    Commit {
        oid: format!("{number:040x}"),
        parents: vec!["f".repeat(40)],
        author: ada(),
        committer: ada(),
        message: message.as_bytes().to_vec(),
        ..Commit::default()
    }
}

fn facts(messages: &[&str]) -> CommitFacts {
    let commits: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(index, text)| commit(index + 1, text))
        .collect();
    CommitFacts {
        count: commits.len(),
        tip: commits
            .last()
            .map(|commit| commit.oid.clone())
            .unwrap_or_default(),
        commits,
        branch: Some("topic".to_owned()),
        target: "origin/master".to_owned(),
        target_branch: "master".to_owned(),
        remote: Some("origin".to_owned()),
        is_fetched: true,
        target_commit: Some("f".repeat(40)),
        merge_base: Some("f".repeat(40)),
        email: Some("ada@example.com".to_owned()),
        links: LinkServer {
            review_url: None,
            host: "review.example.com".to_owned(),
        },
        ..CommitFacts::default()
    }
}

const REVIEW: Rules = Rules {
    review: true,
    kata: false,
};
const KATA: Rules = Rules {
    review: false,
    kata: true,
};

fn rules(facts: &CommitFacts, rules: Rules) -> Vec<(Rule, Option<usize>)> {
    check(facts, rules)
        .into_iter()
        .map(|finding| (finding.rule, finding.line))
        .collect()
}

#[test]
fn good_commits_have_no_findings() {
    let good = facts(&[
        &format!("a: b\n\n{ONE}\n"),
        &format!("c: d\n\nBody.\n\n{OTHER}\nSigned-off-by: A <a@b.c>\n"),
    ]);
    assert_eq!(check(&good, REVIEW), []);
}

#[test]
fn each_way_a_change_id_can_be_wrong_names_its_line() {
    for (message, rule, line) in [
        ("a: b\n\nBody.\n".to_owned(), Rule::ChangeIdMissing, None),
        (format!("{ONE}\n"), Rule::SubjectMissing, Some(1)),
        (
            format!("a: b\n\n{ONE}\n\nBody.\n"),
            Rule::ChangeIdOutsideFooter,
            Some(3),
        ),
        (
            format!("a: b\n\n{ONE}\n{OTHER}\n"),
            Rule::ChangeIdDoubled,
            Some(4),
        ),
        (
            "a: b\n\nChange-Id: I123\n".to_owned(),
            Rule::ChangeIdMalformed,
            Some(3),
        ),
        (
            format!("a: b\n\nChange-Id: I{}\n", "0".repeat(40)),
            Rule::ChangeIdMalformed,
            Some(3),
        ),
        (
            "a: b\n\nChange-Id: I$(id)\n".to_owned(),
            Rule::ChangeIdMalformed,
            Some(3),
        ),
        ("fixup! a: b\n".to_owned(), Rule::ToBeSquashed, Some(1)),
    ] {
        assert_eq!(
            rules(&facts(&[&message]), REVIEW),
            [(rule, line)],
            "{message:?}"
        );
    }
}

#[test]
fn only_what_fix_can_do_is_called_fixable() {
    let fixable = |message: &str| check(&facts(&[message]), REVIEW)[0].fixable;
    assert!(fixable("a: b\n"));
    assert!(!fixable("fixup! a: b\n"));
    assert!(!fixable("a: b\n\nChange-Id: I123\n"));
}

#[test]
fn a_link_to_a_change_counts_as_its_id() {
    let link = ONE.replace("Change-Id: ", "Link: https://review.example.com/id/");
    let linked = facts(&[&format!("a: b\n\n{link}\n")]);
    assert_eq!(check(&linked, REVIEW), []);
    let elsewhere = link.replace("review.", "tracker.");
    let missing = [(Rule::ChangeIdMissing, None)];
    let other = facts(&[&format!("a: b\n\n{elsewhere}\n")]);
    assert_eq!(rules(&other, REVIEW), missing);
    let both = facts(&[&format!("a: b\n\n{elsewhere}\n{ONE}\n")]);
    assert_eq!(check(&both, REVIEW), []);
    let by_url = CommitFacts {
        links: LinkServer {
            review_url: Some("https://tracker.example.com/".to_owned()),
            host: String::new(),
        },
        ..other
    };
    assert_eq!(check(&by_url, REVIEW), []);
}

#[test]
fn a_shallow_clone_is_named_as_the_cause() {
    let cut = CommitFacts {
        merge_base: None,
        boundary: [format!("{:040x}", 1)].into(),
        ..facts(&["upstream: theirs\n", &format!("a: b\n\n{ONE}\n")])
    };
    let findings = check(&cut, REVIEW);
    assert_eq!(findings[0].rule, Rule::Shallow);
    let fix = &findings[0].fix;
    assert!(fix.starts_with("git fetch --unshallow origin"), "{fix}");
}

#[test]
fn an_id_shared_by_two_names_both_and_the_way_to_part_them() {
    let shared = facts(&[&format!("a: one\n\n{ONE}\n"), &format!("a: two\n\n{ONE}\n")]);
    let findings = check(&shared, REVIEW);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, Rule::ChangeIdShared);
    assert_eq!(findings[0].commit.as_deref(), Some(shared.tip.as_str()));
    assert!(
        findings[0].text.contains("0000000 (a: one)"),
        "{findings:?}"
    );
}

#[test]
fn the_fix_fits_the_place_of_the_commit() {
    let doubled = format!("a: b\n\n{ONE}\n{OTHER}\n");
    let stack = facts(&[&doubled, "a: c\n\nChange-Id: I2\n"]);
    let fixes: Vec<_> = check(&stack, REVIEW)
        .into_iter()
        .map(|finding| finding.fix)
        .collect();
    assert!(fixes[0].starts_with("git rebase -i 0000000~"), "{fixes:?}");
    assert!(fixes[1].starts_with("git commit --amend"), "{fixes:?}");
}

#[test]
fn where_the_commits_are() {
    let good = facts(&[&format!("a: b\n\n{ONE}\n")]);
    let mut merge = good.clone();
    merge.commits[0].parents.push("e".repeat(40));
    let mut other = good.clone();
    other.foreign_base = Some(("d".repeat(40), "origin/stable".to_owned()));
    let unknown = CommitFacts {
        target_commit: None,
        merge_base: None,
        ..good.clone()
    };
    let unrelated = CommitFacts {
        merge_base: None,
        ..good.clone()
    };
    let many = CommitFacts {
        count: 500,
        commits: Vec::new(),
        ..good.clone()
    };
    let rebase = CommitFacts {
        unfinished: Some("rebase"),
        branch: None,
        ..good.clone()
    };
    let detached = CommitFacts {
        branch: None,
        ..good
    };
    for (facts, rule) in [
        (merge, Rule::Merge),
        (other, Rule::WrongBase),
        (unknown, Rule::TargetUnknown),
        (unrelated, Rule::NoCommonAncestry),
        (many, Rule::TooMany),
        (rebase, Rule::Unfinished),
        (detached, Rule::DetachedHead),
    ] {
        assert_eq!(rules(&facts, REVIEW), [(rule, None)]);
    }
}

#[test]
fn people_no_server_knows() {
    for (email, known) in [
        ("ada@example.com", true),
        ("", false),
        ("ada", false),
        ("root@localhost", false),
        ("ada@laptop.(none)", false),
        ("ada@laptop.localdomain", false),
        ("@example.com", false),
    ] {
        let mut one = facts(&[&format!("a: b\n\n{ONE}\n")]);
        one.commits[0].author.email = email.to_owned();
        assert_eq!(rules(&one, REVIEW).is_empty(), known, "{email}");
    }
    let mut other = facts(&[&format!("a: b\n\n{ONE}\n")]);
    other.commits[0].committer.email = "bob@example.com".to_owned();
    let findings = check(&other, REVIEW);
    assert_eq!(
        (findings[0].rule, findings[0].severity),
        (Rule::CommitterDiffers, Severity::Warning)
    );
}

#[test]
fn kata_wants_subsystem_sign_off_and_an_issue() {
    let good = "proxy: close\n\nFixes: #12\n\nSigned-off-by: Ada <ada@example.com>\n";
    assert_eq!(check(&facts(&[good]), KATA), []);
    let second = "proxy: more\n\nSigned-off-by: Ada <ada@example.com>\n";
    assert_eq!(
        check(&facts(&[good, second]), KATA),
        [],
        "one commit with an issue is enough"
    );
    let bad = facts(&["close the listener\n"]);
    let expected = [
        (Rule::SubsystemMissing, Some(1)),
        (Rule::SignOffMissing, None),
        (Rule::FixesMissing, None),
    ];
    assert_eq!(rules(&bad, KATA), expected);
    let url = "proxy: close\n\nfixes: https://github.com/kata-containers/proxy/issues/12\nSigned-off-by: A <a@b.c>\n";
    assert_eq!(check(&facts(&[url]), KATA), []);
}

#[test]
fn a_direct_push_needs_no_change_ids() {
    assert_eq!(check(&facts(&["whatever\n"]), Rules::default()), []);
}
