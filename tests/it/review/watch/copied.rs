//! A vote that the server copies to a new patch set, while the watcher looks after it.

use serde_json::{Value, json};

use super::{Place, on_current};
use crate::support::gerrit::{Server, User, server};

/// Gives the project a label of its own, whose votes go to every new patch set.
fn own_label(place: &Place) {
    let (server, project) = (place.server, place.projects[0].id());
    let label = json!({"function": "NoBlock", "copy_condition": "is:ANY",
        "values": {"-1": "Fails", "0": "None", "+1": "Works"}});
    server.rest(
        User::Admin,
        "PUT",
        &format!("projects/{project}/labels/Works"),
        Some(&label),
    );
    let rule = json!({"global:Registered-Users": {"action": "ALLOW", "min": -1, "max": 1}});
    let permission = json!({"label-Works": {"label": "Works", "rules": rule}});
    let body = json!({"add": {"refs/heads/*": {"permissions": permission}}});
    server.rest(
        User::Admin,
        "POST",
        &format!("projects/{project}/access"),
        Some(&body),
    );
}

fn vote(change: &Value) -> i64 {
    let all = change["labels"]["Works"]["all"].as_array();
    let values = all.into_iter().flatten().map(|vote| &vote["value"]);
    values.filter_map(Value::as_i64).sum()
}

#[test]
fn a_copied_plus_is_gone_while_the_new_patch_set_runs() {
    if let Some(server) = server() {
        taken_back_in_time(server);
    }
}

/// The story itself, for any server.
pub fn taken_back_in_time(server: &'static Server) {
    let place = Place::new(server, 1);
    own_label(&place);
    let slow = place.home().join("slow");
    place.pipeline(&format!(
        "while [ -e {} ]; do sleep 0.1; done; ! grep -q bad verdict",
        slow.display()
    ));
    let stream = place.stream();
    let _watcher = place.watch(&["--stream", &stream, "--label", "Works"]);
    let clone = &place.clones[0];
    let verdict = |text: &str| std::fs::write(clone.directory.join("verdict"), text);
    verdict("good").expect("written");
    clone.commit_with_id("file", "watched: one");
    place.push(0);
    place.until("the first has +1", |all| {
        all.iter()
            .all(|change| vote(change) == 1 && on_current(change) == ["1"])
    });
    std::fs::write(&slow, "").expect("written");
    verdict("bad").expect("written");
    clone.git(&["commit", "-q", "--all", "--amend", "--no-edit"]);
    // The answer to the push shows the change with the vote that was copied.
    place.push(0);
    place.until("the copied vote is taken back", |all| vote(&all[0]) == 0);
    assert!(on_current(&place.changes()[0]).is_empty(), "it still runs");
    place.until_logged("took a copied vote back", 1);
    std::fs::remove_file(&slow).expect("removed");
    place.until("its own run gives -1", |all| {
        vote(&all[0]) == -1 && on_current(&all[0]) == ["1"]
    });
    // The minus is copied, too, and says nothing about the corrected one.
    std::fs::write(&slow, "").expect("written");
    verdict("good").expect("written");
    clone.git(&["commit", "-q", "--all", "--amend", "--no-edit"]);
    place.push(0);
    place.until("the copied minus is taken back", |all| vote(&all[0]) == 0);
    std::fs::remove_file(&slow).expect("removed");
    place.until("its own run gives +1", |all| {
        vote(&all[0]) == 1 && on_current(&all[0]) == ["1"]
    });
}
