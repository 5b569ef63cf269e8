//! Copies the settings of the user's repository that a checkout needs, in git's own format.

use crate::git::{GitError, Repository};

/// Sections that decide what is fetched, how files are written to the work tree, and who commits.
/// Only filters run programs, and the checkout needs them for the same files.
const SECTIONS: [&str; 4] = ["remote", "filter", "lfs", "user"];
/// Further keys, as git lists them.
const KEYS: [&str; 6] = [
    "core.autocrlf",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.symlinks",
    "extensions.partialclone",
];

/// Returns the relevant settings of the repository's own file, as the text of such a file.
pub(super) fn of(repository: &Repository) -> Result<String, GitError> {
    let arguments = ["config", "--local", "--includes", "--list", "-z"];
    Ok(text(&repository.run(arguments)?))
}

/// Formats a list of `KEY \n VALUE \0 …`; a key without a value means true.
fn text(listed: &[u8]) -> String {
    let listed = String::from_utf8_lossy(listed);
    listed
        .split('\0')
        .filter(|entry| !entry.is_empty())
        .map(|entry| entry.split_once('\n').unwrap_or((entry, "true")))
        .filter(|(key, _)| matters(key))
        .filter_map(|(key, value)| line(key, value))
        .collect()
}

fn matters(key: &str) -> bool {
    let section = key.split('.').next().unwrap_or(key);
    SECTIONS.contains(&section) || KEYS.contains(&key)
}

fn line(key: &str, value: &str) -> Option<String> {
    let (section, rest) = key.split_once('.')?;
    let (subsection, name) = match rest.rsplit_once('.') {
        Some((subsection, name)) => (Some(subsection), name),
        None => (None, rest),
    };
    let heading = match subsection {
        Some(subsection) => format!(
            "[{section} \"{}\"]",
            subsection.replace('\\', "\\\\").replace('"', "\\\"")
        ),
        None => format!("[{section}]"),
    };
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t");
    Some(format!("{heading}\n\t{name} = \"{value}\"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Git;
    use crate::git::test_repository::environment;
    use proptest::prelude::*;

    fn read_back(text: &str) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, text).unwrap();
        let git = Git::find(&environment()).unwrap();
        let file = file.to_string_lossy();
        git.at("/")
            .run(["config", "--file", &file, "--list", "-z"])
            .unwrap()
    }

    #[test]
    fn what_runs_programs_or_means_another_place_is_left_out() {
        let listed = b"core.bare\ntrue\0core.hookspath\n/x\0core.worktree\n/y\0core.fsmonitor\nx\0remote.origin.url\nu\0\
            alias.x\n!y\0core.autocrlf\ntrue\0";
        let expected = "[remote \"origin\"]\n\turl = \"u\"\n[core]\n\tautocrlf = \"true\"\n";
        assert_eq!(text(listed), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn git_reads_what_was_written(name in "[^\0\n\r]{1,8}", value in "[^\0\r]{0,16}") {
            let listed = format!("remote.{name}.url\n{value}\0");
            prop_assert_eq!(
                String::from_utf8_lossy(&read_back(&text(listed.as_bytes()))).into_owned(),
                listed
            );
        }
    }
}
