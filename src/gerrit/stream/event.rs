//! One event of the stream.

use serde::Deserialize;
use serde_json::Value;

/// The types of events that are asked for. All others concern nobody here.
pub const WANTED: [&str; 11] = [
    "patchset-created",
    "comment-added",
    "change-abandoned",
    "change-restored",
    "change-deleted",
    "change-merged",
    "wip-state-changed",
    "private-state-changed",
    "topic-changed",
    "ref-updated",
    "dropped-output",
];

/// A hint of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// Something happened to a change.
    Change(ChangeEvent),
    /// A ref of a project has another commit now.
    Ref {
        /// The project.
        project: String,
        /// The full name of the ref.
        reference: String,
    },
    /// The server dropped events, because they were not read fast enough.
    Dropped,
    /// A line that cannot be understood; an event may have been lost.
    Damaged,
    /// An event of another type.
    Other,
}

/// The kind of an event of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEventKind {
    /// A patch set was uploaded.
    PatchSetCreated,
    /// A message was written, perhaps with votes.
    CommentAdded,
    /// The change was abandoned.
    Abandoned,
    /// The change was restored.
    Restored,
    /// The change was deleted.
    Deleted,
    /// The change was merged.
    Merged,
    /// The change became work in progress, or ready.
    WipChanged,
    /// The change became private, or visible.
    PrivateChanged,
    /// The topic was set, changed or removed.
    TopicChanged,
}

/// The name of a patch set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchSetName {
    /// The number, from 1.
    pub number: u32,
    /// The commit.
    pub revision: String,
}

/// Something happened to a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEvent {
    /// The kind.
    pub kind: ChangeEventKind,
    /// The project.
    pub project: String,
    /// The number of the change.
    pub number: u64,
    /// The patch set that the event is about, which may be an old one. Not every event has it.
    pub patch_set: Option<PatchSetName>,
}

impl StreamEvent {
    /// Parses a line.
    pub fn parse(line: &[u8]) -> Self {
        let Ok(raw) = serde_json::from_slice::<Raw>(line) else {
            return Self::Damaged;
        };
        let kind = match raw.kind.as_deref() {
            Some("patchset-created") => ChangeEventKind::PatchSetCreated,
            Some("comment-added") => ChangeEventKind::CommentAdded,
            Some("change-abandoned") => ChangeEventKind::Abandoned,
            Some("change-restored") => ChangeEventKind::Restored,
            Some("change-deleted") => ChangeEventKind::Deleted,
            Some("change-merged") => ChangeEventKind::Merged,
            Some("wip-state-changed") => ChangeEventKind::WipChanged,
            Some("private-state-changed") => ChangeEventKind::PrivateChanged,
            Some("topic-changed") => ChangeEventKind::TopicChanged,
            Some("ref-updated") => return raw.reference().unwrap_or(Self::Damaged),
            Some("dropped-output") => return Self::Dropped,
            Some(_) => return Self::Other,
            None => return Self::Damaged,
        };
        raw.change(kind).map_or(Self::Damaged, Self::Change)
    }
}

/// An event as it is sent. A field of an unexpected shape is as good as a missing one.
#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    change: Value,
    #[serde(default, rename = "patchSet")]
    patch_set: Value,
    #[serde(default, rename = "refUpdate")]
    reference: Value,
}

impl Raw {
    fn change(&self, kind: ChangeEventKind) -> Option<ChangeEvent> {
        Some(ChangeEvent {
            kind,
            project: text(&self.change["project"])?,
            number: number(&self.change["number"])?,
            patch_set: self.patch_set(),
        })
    }

    fn patch_set(&self) -> Option<PatchSetName> {
        Some(PatchSetName {
            number: u32::try_from(number(&self.patch_set["number"])?).ok()?,
            revision: text(&self.patch_set["revision"])?,
        })
    }

    fn reference(&self) -> Option<StreamEvent> {
        Some(StreamEvent::Ref {
            project: text(&self.reference["project"])?,
            reference: text(&self.reference["refName"])?,
        })
    }
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns a positive number. Servers before 3.0 sent numbers as text.
fn number(value: &Value) -> Option<u64> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Recorded from a Gerrit 3.10, with shorter accounts.
    const CREATED: &str = r#"{"uploader":{"name":"Administrator","username":"admin"},"patchSet":{"number":2,"revision":"6f0a3d1c9d2b4d0f3cf1b7e6f1f2a3b4c5d6e7f8","parents":["a1"],"ref":"refs/changes/07/7/2","kind":"REWORK","sizeInsertions":1},"change":{"project":"proxy","branch":"master","id":"I5f0","number":7,"subject":"proxy: begin","owner":{"username":"admin"},"url":"http://127.0.0.1/c/proxy/+/7","status":"NEW","createdOn":1},"project":{"name":"proxy"},"refName":"refs/heads/master","changeKey":{"key":"I5f0"},"type":"patchset-created","eventCreatedOn":1700000000}"#;

    fn created() -> ChangeEvent {
        ChangeEvent {
            kind: ChangeEventKind::PatchSetCreated,
            project: "proxy".into(),
            number: 7,
            patch_set: Some(PatchSetName {
                number: 2,
                revision: "6f0a3d1c9d2b4d0f3cf1b7e6f1f2a3b4c5d6e7f8".into(),
            }),
        }
    }

    #[test]
    fn an_event_of_a_change_names_change_and_patch_set() {
        assert_eq!(
            StreamEvent::parse(CREATED.as_bytes()),
            StreamEvent::Change(created())
        );
        let old = CREATED.replace("\"number\":7", "\"number\":\"7\"");
        assert_eq!(
            StreamEvent::parse(old.as_bytes()),
            StreamEvent::Change(created())
        );
    }

    #[test]
    fn every_wanted_type_is_understood_and_others_are_no_damage() {
        for wanted in WANTED {
            let line = CREATED.replace("patchset-created", wanted);
            let line = line.replace(
                "\"type\"",
                r#""refUpdate":{"project":"proxy","refName":"refs/heads/master"},"type""#,
            );
            let event = StreamEvent::parse(line.as_bytes());
            assert!(
                !matches!(event, StreamEvent::Damaged | StreamEvent::Other),
                "{wanted}"
            );
        }
        for other in ["reviewer-added", "custom-keyed-values-changed", ""] {
            let line = CREATED.replace("patchset-created", other);
            assert_eq!(StreamEvent::parse(line.as_bytes()), StreamEvent::Other);
        }
    }

    #[test]
    fn what_lacks_a_change_is_damaged_and_what_lacks_a_patch_set_is_not() {
        for line in [
            "",
            "{}",
            "[]",
            "null",
            "{\"type\":7}",
            "{\"type\":\"comment-added\"}",
            "{\"type\":\"comment-added\",\"change\":{\"project\":\"p\",\"number\":0}}",
            "{\"type\":\"comment-added\",\"change\":\"7\"}",
            "{\"type\":\"ref-updated\"}",
        ] {
            assert_eq!(
                StreamEvent::parse(line.as_bytes()),
                StreamEvent::Damaged,
                "{line}"
            );
        }
        let bare = r#"{"type":"topic-changed","change":{"project":"p","number":3},"patchSet":[]}"#;
        let StreamEvent::Change(event) = StreamEvent::parse(bare.as_bytes()) else {
            panic!("{bare}")
        };
        assert_eq!((event.number, event.patch_set), (3, None));
    }

    proptest! {
        #[test]
        fn a_line_that_was_cut_is_damaged(at in 0..CREATED.len()) {
            prop_assert_eq!(StreamEvent::parse(&CREATED.as_bytes()[..at]), StreamEvent::Damaged);
            prop_assert_eq!(StreamEvent::parse(&CREATED.as_bytes()[at + 1..]), StreamEvent::Damaged);
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            StreamEvent::parse(&bytes);
        }
    }
}
