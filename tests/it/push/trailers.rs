//! Whatever the user's settings of trailers and comments are, a message keeps its trailers and gets
//! its id at the end.

use std::process::Command;

use crate::support::gerrit::{Answer, Clone, plain};

const SIGNED: &str = "proxy: close\n\nBody.\n\nSigned-off-by: Ada <ada@example.com>\n";

/// Commits with an editor that writes this text above what git has put there.
fn edit(clone: &Clone, text: &str, words: &[&str]) -> String {
    let editor = clone.home().join("editor");
    let text_file = clone.home().join("text");
    std::fs::write(&text_file, text).unwrap();
    let script = format!(
        "#!/bin/sh\ncat '{}' \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n",
        text_file.display()
    );
    std::fs::write(&editor, script).unwrap();
    std::fs::write(clone.directory.join("file"), format!("{text}{words:?}")).unwrap();
    let mut command = Command::new("git");
    command
        .args(["commit", "-q", "-a"])
        .args(words)
        .current_dir(&clone.directory)
        .envs(clone.environment())
        .env("GIT_EDITOR", format!("sh {}", editor.display()));
    Answer::of(&mut command).expect(0);
    clone.git(&["log", "-1", "--format=%B"])
}

fn last_paragraph(message: &str) -> Vec<&str> {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    last.lines().collect()
}

fn has_one_id_at_the_end(message: &str) {
    let ids = |lines: &[&str]| {
        lines
            .iter()
            .filter(|line| line.starts_with("Change-Id: I"))
            .count()
    };
    let all: Vec<_> = message.lines().collect();
    assert_eq!(
        (ids(&all), ids(&last_paragraph(message))),
        (1, 1),
        "{message}"
    );
}

const SETTINGS: [&[(&str, &str)]; 7] = [
    &[("trailer.ifexists", "replace")],
    &[("trailer.separators", "=#")],
    &[
        ("trailer.sign.key", "Signed-off-by"),
        ("trailer.sign.ifexists", "doNothing"),
    ],
    &[("trailer.signed-off-by.command", "echo evil")],
    &[
        ("trailer.ifmissing", "doNothing"),
        ("trailer.where", "start"),
    ],
    &[("core.commentChar", "auto")],
    &[("core.commentChar", "S")],
];

#[test]
fn settings_of_trailers_neither_lose_nor_misplace_any() {
    for settings in SETTINGS {
        let (_, clone) = plain();
        clone.call(&["hook", "install"]).expect(0);
        for (key, value) in settings {
            clone.git(&["config", key, value]);
        }
        std::fs::write(clone.directory.join("file"), "x").unwrap();
        clone.git(&["commit", "-q", "-a", "-m", SIGNED]);
        let hooked = clone.git(&["log", "-1", "--format=%B"]);
        clone.commit("file", SIGNED);
        clone.call(&["push", "--no-check", "--fix"]).expect(0);
        let fixed = clone.git(&["log", "-1", "--format=%B"]);
        for message in [&hooked, &fixed] {
            has_one_id_at_the_end(message);
            let signed = last_paragraph(message);
            assert!(
                signed.contains(&"Signed-off-by: Ada <ada@example.com>"),
                "{settings:?}: {message}"
            );
        }
    }
}

#[test]
fn chosen_comment_characters_and_diffs_are_no_text() {
    let (_, clone) = plain();
    clone.call(&["hook", "install"]).expect(0);
    clone.git(&["config", "core.commentChar", "auto"]);
    let text = "proxy: close\n\n#12 is what this fixes\n\nSigned-off-by: Ada <ada@example.com>\n";
    let template = clone.home().join("template");
    std::fs::write(
        &template,
        "\n# a line that makes git choose another character\n",
    )
    .unwrap();
    let template = template.to_string_lossy().into_owned();
    for words in [
        &["-v"][..],
        &[],
        &["-v", "-t", &template],
        &["-t", &template],
    ] {
        let message = edit(&clone, text, words);
        assert_eq!(
            message.matches("Change-Id: I").count(),
            1,
            "{words:?}: {message}"
        );
        assert!(!message.contains("diff --git"), "{words:?}: {message}");
    }
}

#[test]
fn a_rule_across_the_body_does_not_end_the_message() {
    let (_, clone) = plain();
    clone.call(&["hook", "install"]).expect(0);
    let text = "proxy: close\n\nBefore.\n\n---\n\nBehind, in two\n\nparagraphs.\n";
    let message = edit(&clone, text, &[]);
    has_one_id_at_the_end(&message);
    clone.git(&["commit", "-q", "--amend", "--no-edit"]);
    assert_eq!(clone.git(&["log", "-1", "--format=%B"]), message);
}

#[test]
fn lines_that_git_keeps_are_no_comments() {
    let (_, clone) = plain();
    clone.call(&["hook", "install"]).expect(0);
    for text in [
        "proxy: close\n\n#12 is what this fixes\n",
        "#12: close\n",
        "proxy: a\n\nConflicts:\n\tfile\n",
    ] {
        std::fs::write(clone.directory.join("file"), text).unwrap();
        clone.git(&["commit", "-q", "-a", "-m", text]);
        let message = clone.git(&["log", "-1", "--format=%B"]);
        assert!(message.starts_with(text.trim_end()), "{message}");
        has_one_id_at_the_end(&message);
    }
}
