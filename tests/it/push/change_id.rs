//! Tests that Change-Ids are placed exactly as by the hook of the running server, on a corpus of
//! messages.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::gerrit::{Clone, Transport, User, is_of_310, server};

type Settings = &'static [(&'static str, &'static str)];

/// Settings of git that change the hook's work on any message.
const SETTINGS: [Settings; 3] = [
    &[],
    &[("gerrit.reviewUrl", "https://review.example.com/")],
    &[("core.commentChar", ";")],
];

/// Settings that decide which messages get an id. They are tried on messages to be squashed and on
/// a plain one.
const WHETHER: [Settings; 3] = [
    &[("gerrit.createChangeId", "always")],
    &[("gerrit.createChangeId", "false")],
    &[
        ("gerrit.reviewUrl", "https://review.example.com"),
        ("gerrit.createChangeId", "always"),
    ],
];

struct Bench {
    clone: Clone,
    hook: PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let server = server()?;
        let clone = server
            .project("messages")
            .clone_as(User::Admin, Transport::Ssh);
        let hook = clone.home().join("server-hook");
        std::fs::write(&hook, server.download("tools/hooks/commit-msg")).unwrap();
        std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
        Some(Self { clone, hook })
    }

    /// Returns exit code and message of a program that takes the message's file as its last
    /// argument.
    fn run(
        &self,
        program: &Path,
        arguments: &[&str],
        message: &[u8],
        settings: &[(&str, &str)],
    ) -> (bool, Vec<u8>) {
        let file = self.clone.home().join("COMMIT_EDITMSG");
        std::fs::write(&file, message).unwrap();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(&file)
            .current_dir(&self.clone.directory)
            .envs(self.clone.environment())
            .env("GIT_COMMITTER_DATE", "2026-11-23T09:00:00Z")
            .env("GIT_CONFIG_COUNT", settings.len().to_string())
            .stdin(Stdio::null());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        let status = command.output().unwrap().status;
        (status.success(), std::fs::read(&file).unwrap())
    }

    fn compare(&self, name: &str, message: &[u8], settings: &[(&str, &str)]) -> Result<(), String> {
        let theirs = self.run(&self.hook, &[], message, settings);
        let ours = Path::new(env!("CARGO_BIN_EXE_kata-ci"));
        let ours = self.run(ours, &["hook", "commit-msg"], message, settings);
        if ours == theirs {
            return Ok(());
        }
        let tail = |text: &[u8]| {
            String::from_utf8_lossy(&text[text.len().saturating_sub(600)..]).into_owned()
        };
        Err(format!(
            "{name} with {settings:?}: server {} {:?}\n   ours {} {:?}",
            theirs.0,
            tail(&theirs.1),
            ours.0,
            tail(&ours.1)
        ))
    }
}

fn corpus() -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gerrit/messages");
    let mut messages: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with(".gitattributes"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    let megabyte = "A line of a very long message.\n".repeat(34_000);
    let long = format!("proxy: a megabyte\n\n{megabyte}\nSigned-off-by: Ada <ada@example.com>\n");
    assert!(long.len() > 1 << 20);
    messages.push(("one-megabyte".to_owned(), long.into_bytes()));
    messages.sort();
    messages
}

#[test]
fn messages_get_the_same_bytes_as_from_the_hook_the_server_serves() {
    let Some(bench) = Bench::new() else { return };
    let corpus = corpus();
    assert!(corpus.len() >= 40);
    let mut differences = Vec::new();
    // Later hooks see no divider in `---`. Their servers find the id above it all the same.
    let is_meant = |name: &str| is_of_310() || !name.starts_with("divider");
    for (name, message) in corpus.iter().filter(|(name, _)| is_meant(name)) {
        let whether =
            ["fixup", "squash", "amend", "subject-only", "empty"].contains(&name.as_str());
        for settings in SETTINGS.iter().chain(WHETHER.iter().filter(|_| whether)) {
            differences.extend(bench.compare(name, message, settings).err());
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
