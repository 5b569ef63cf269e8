//! Tests that every push option arrives at a real Gerrit: pushed over ssh and over http, read back
//! over REST.

use serde_json::Value;

use crate::support::gerrit::{Clone, Project, Transport, User, server};

const BOTH: [Transport; 2] = [Transport::Ssh, Transport::Http];

fn start(transport: Transport) -> Option<(Project, Clone)> {
    let project = server()?.project("options");
    let clone = project.clone_as(User::Admin, transport);
    Some((project, clone))
}

/// Pushes HEAD with these arguments, and returns the change of its Change-Id.
fn pushed(project: &Project, clone: &Clone, id: &str, arguments: &[&str]) -> Value {
    let all = [&["push", "--no-check"], arguments].concat();
    clone.call(&all).expect(0);
    project.change(id).expect("the change is there")
}

/// Creates a new change with these options.
fn new_change(transport: Transport, arguments: &[&str]) -> Option<Value> {
    let (project, clone) = start(transport)?;
    let id = clone.commit_with_id("file", "proxy: try an option");
    Some(pushed(&project, &clone, &id, arguments))
}

fn last_message(change: &Value) -> String {
    let messages = change["messages"].as_array().expect("messages");
    messages.last().expect("one")["message"]
        .as_str()
        .expect("text")
        .to_owned()
}

fn accounts(change: &Value, kind: &str) -> Vec<String> {
    let list = change["reviewers"][kind]
        .as_array()
        .cloned()
        .unwrap_or_default();
    list.iter()
        .map(|one| one["email"].as_str().unwrap_or("?").to_owned())
        .collect()
}

#[test]
fn topics_are_literal() {
    for transport in BOTH {
        for topic in [
            "plain",
            "50% of a,b and c ümlaut",
            "a_b+c%20d",
            "(x) [y] {z} ~^:?*\\",
            "日本 🦀",
        ] {
            let Some(change) = new_change(transport, &["--topic", topic]) else {
                return;
            };
            assert_eq!(change["topic"], topic, "{transport:?}");
        }
    }
}

#[test]
fn messages_arrive_as_typed() {
    let message = "a_b + 50% é, two  spaces\n\nand = a new line; 100%25 %zz 🦀";
    for transport in BOTH {
        let Some(change) = new_change(transport, &["--message", message]) else {
            return;
        };
        assert!(
            last_message(&change).ends_with(message),
            "{transport:?}: {change}"
        );
    }
}

#[test]
fn hashtags_reviewers_and_cc() {
    let arguments = [
        "--hashtag",
        "one two",
        "--hashtag",
        "#ümlaut%",
        "-o",
        "t=three",
        "--reviewer",
        "guest@example.com",
    ];
    for transport in BOTH {
        let Some(change) = new_change(transport, &arguments) else {
            return;
        };
        let mut tags: Vec<_> = change["hashtags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| tag.as_str().unwrap())
            .collect();
        tags.sort_unstable();
        assert_eq!(tags, ["one two", "three", "ümlaut%"]);
        assert!(
            accounts(&change, "REVIEWER").contains(&"guest@example.com".to_owned()),
            "{change}"
        );
        let Some(change) = new_change(transport, &["--cc", "guest"]) else {
            return;
        };
        assert_eq!(accounts(&change, "CC"), ["guest@example.com"]);
    }
}

#[test]
fn labels_are_voted() {
    for transport in BOTH {
        let arguments = ["--label", "Verified+1", "-o", "l=Code-Review-2"];
        let Some(change) = new_change(transport, &arguments) else {
            return;
        };
        let vote = |label: &str| change["labels"][label]["all"][0]["value"].as_i64();
        assert_eq!(
            (vote("Verified"), vote("Code-Review")),
            (Some(1), Some(-2)),
            "{change}"
        );
    }
}

#[test]
fn work_in_progress_and_ready_stick_until_reversed() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let id = clone.commit_with_id("file", "proxy: not yet");
        let amend = |arguments: &[&str]| {
            clone.git(&[
                "commit",
                "-q",
                "--amend",
                "--allow-empty",
                "--date=now",
                "-C",
                "HEAD",
                "--reset-author",
            ]);
            std::fs::write(clone.directory.join("file"), format!("{arguments:?}\n")).unwrap();
            clone.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
            pushed(&project, &clone, &id, arguments)["work_in_progress"]
                .as_bool()
                .unwrap_or(false)
        };
        assert!(amend(&["--wip"]));
        assert!(amend(&[]), "it sticks");
        assert!(!amend(&["--ready"]));
        assert!(!amend(&["--message", "still ready"]));
    }
}

#[test]
fn private_and_public_again() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let id = clone.commit_with_id("file", "proxy: nobody's business");
        assert_eq!(
            pushed(&project, &clone, &id, &["--private"])["is_private"],
            true
        );
        std::fs::write(clone.directory.join("file"), "again\n").unwrap();
        clone.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
        let change = pushed(&project, &clone, &id, &["-o", "remove-private"]);
        assert!(change["is_private"].as_bool() != Some(true), "{change}");
    }
}

#[test]
fn what_leaves_no_trace_is_taken_all_the_same() {
    for option in [
        "notify=NONE",
        "notify=OWNER",
        "notify=OWNER_REVIEWERS",
        "notify=ALL",
        "notify-to=guest@example.com",
        "notify-cc=guest",
        "notify-bcc=guest",
        "trace=a-trace",
        "deadline=60s",
        "ignore-attention-set",
        "no-publish-comments",
        "np",
    ] {
        for transport in BOTH {
            let Some(change) = new_change(transport, &["-o", option]) else {
                return;
            };
            assert_eq!(change["status"], "NEW", "{option}");
        }
    }
}

#[test]
fn drafts_are_published_or_left() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let id = clone.commit_with_id("file", "proxy: drafted");
        let number = pushed(&project, &clone, &id, &[])["_number"].to_string();
        let place = format!("changes/{number}/revisions/current/drafts");
        let draft = serde_json::json!({"path": "file", "line": 1, "message": "said later"});
        project
            .server
            .rest(User::Admin, "PUT", &place, Some(&draft));
        let comments = |option: &str| {
            std::fs::write(clone.directory.join("file"), option).unwrap();
            clone.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
            pushed(&project, &clone, &id, &["-o", option]);
            let path = format!("changes/{number}/comments");
            project.server.rest(User::Admin, "GET", &path, None)["file"][0]["message"].clone()
        };
        assert_eq!(comments("no-publish-comments"), Value::Null);
        assert_eq!(comments("publish-comments"), "said later");
    }
}

#[test]
fn what_is_merged_already_gets_its_review_afterwards() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let id = clone.commit_with_id("file", "proxy: reviewed too late");
        clone.call(&["push", "--no-check", "--direct"]).expect(0);
        let change = pushed(&project, &clone, &id, &["-o", "merged"]);
        assert_eq!(change["status"], "MERGED");
    }
}

#[test]
fn short_names_mean_the_same() {
    let arguments = ["-o", "r=guest@example.com", "-o", "m=a_b", "-o", "t=one"];
    for transport in BOTH {
        let Some(change) = new_change(transport, &arguments) else {
            return;
        };
        let current = change["current_revision"].as_str().unwrap();
        assert_eq!(change["revisions"][current]["description"], "a_b");
        assert_eq!(change["hashtags"][0], "one");
        assert_eq!(
            accounts(&change, "REVIEWER").last().map(String::as_str),
            Some("guest@example.com")
        );
    }
}

#[test]
fn what_this_server_is_too_old_for_is_told() {
    let Some((_, clone)) = start(Transport::Ssh) else {
        return;
    };
    // Later ones know it.
    if !crate::support::gerrit::is_of_310() {
        return;
    }
    clone.commit_with_id("file", "proxy: of the future");
    let answer = clone
        .call(&["push", "--no-check", "-o", "custom-keyed-value=a:b"])
        .expect(1);
    for piece in ["custom-keyed-value", "leave it out"] {
        assert!(answer.output.contains(piece), "{piece}: {answer:?}");
    }
}

#[test]
fn submit_merges_at_once() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        project.rule("refs/for/refs/heads/*", "submit", "ALLOW");
        let id = clone.commit_with_id("file", "proxy: in a hurry");
        let arguments = ["-o", "submit", "-o", "l=Code-Review+2"];
        let change = pushed(&project, &clone, &id, &arguments);
        assert_eq!(change["status"], "MERGED");
    }
}

#[test]
fn an_edit_of_a_change_is_no_patch_set() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let id = clone.commit_with_id("file", "proxy: to be edited");
        pushed(&project, &clone, &id, &[]);
        std::fs::write(clone.directory.join("file"), "edited\n").unwrap();
        clone.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
        let change = pushed(&project, &clone, &id, &["-o", "edit"]);
        let number = change["_number"].as_u64().unwrap();
        assert_eq!(
            change["revisions"]
                .as_object()
                .unwrap()
                .values()
                .next()
                .unwrap()["_number"],
            1
        );
        let edit = project
            .server
            .rest(User::Admin, "GET", &format!("changes/{number}/edit"), None);
        assert_eq!(edit["commit"]["subject"], "proxy: to be edited");
    }
}

#[test]
fn a_base_makes_a_change_of_what_another_branch_has() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let base = clone.git(&["rev-parse", "HEAD"]);
        let id = clone.commit_with_id("file", "proxy: on a base");
        clone
            .call(&["push", "--no-check", "--direct", "--branch", "stable"])
            .expect(0);
        let change = pushed(&project, &clone, &id, &["-o", &format!("base={base}")]);
        assert_eq!(
            (&change["status"], &change["branch"]),
            (&"NEW".into(), &"master".into())
        );
    }
}

#[test]
fn json_gives_numbers_patch_sets_and_urls() {
    for transport in BOTH {
        let Some((project, clone)) = start(transport) else {
            return;
        };
        let first = clone.commit_with_id("one", "proxy: first");
        let second = clone.commit_with_id("two", "proxy: second");
        let report = clone
            .call(&["push", "--no-check", "--format", "json"])
            .expect(0)
            .json();
        assert_eq!(
            (&report["outcome"], &report["version"]),
            (&"pushed".into(), &1.into())
        );
        for (index, id) in [first, second].iter().enumerate() {
            let change = project.change(id).unwrap();
            let said = report["changes"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["number"] == change["_number"]);
            let said = said.unwrap_or_else(|| panic!("{report:#}"));
            assert_eq!(
                (&said["patch_set"], &said["new"]),
                (&1.into(), &true.into())
            );
            assert_eq!(said["commit"], change["current_revision"]);
            let url = said["url"].as_str().unwrap();
            assert!(
                url.starts_with(project.server.url())
                    && url.ends_with(&format!("/+/{}", change["_number"]))
            );
            assert_eq!(report["commits"][index]["state"], "new");
        }
        std::fs::write(clone.directory.join("two"), "again\n").unwrap();
        clone.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
        let report = clone
            .call(&["push", "--no-check", "--format", "json"])
            .expect(0)
            .json();
        assert_eq!(report["commits"][0]["state"], "unchanged");
        assert_eq!(report["commits"][1]["state"], "next-patch-set");
        let changes = report["changes"].as_array().unwrap();
        assert_eq!(
            (changes.len(), &changes[0]["patch_set"]),
            (1, &2.into()),
            "{report:#}"
        );
    }
}
