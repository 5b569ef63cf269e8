//! Lists the files of a work tree, tracked or new, by git's index and its ignore rules.
//!
//! No file's content is read. So no program runs that the repository's attributes or configuration
//! name: neither a filter nor a monitor of the file system.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A file as git knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The mode, object and stage in the index, as `ls-files --stage` words them; of an unmerged
    /// file all of them. Empty for a file that is not tracked.
    pub index: String,
}

impl Listed {
    /// Returns the object in the index; `None` if the file is not tracked, unmerged or a repository
    /// of its own.
    pub fn object(&self) -> Option<&str> {
        let mut words = self.index.split(' ');
        let (mode, object, stage) = (words.next()?, words.next()?, words.next()?);
        let is_file = stage == "0" && words.next().is_none() && mode != "160000";
        is_file.then_some(object)
    }

    /// Returns true for a repository of its own: a submodule.
    pub fn is_repository(&self) -> bool {
        self.index.starts_with("160000 ")
    }
}

/// Files of a work tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files by their path from the top. A repository within is one entry, which ends in `/`.
    pub files: BTreeMap<PathBuf, Listed>,
    /// Git's warnings of directories that it could not read: new files in there are not known.
    pub unread: BTreeSet<String>,
}

/// Parses `MODE OBJECT STAGE\tPATH` of a tracked file, `PATH` of another one. A path can hold a tab
/// itself.
pub(super) fn parse(output: &[u8]) -> BTreeMap<PathBuf, Listed> {
    let mut files: BTreeMap<PathBuf, Listed> = BTreeMap::new();
    let entries = output.split(|byte| *byte == 0);
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let (index, path) = split(entry);
        let path = OsString::from_vec(path.to_vec()).into();
        let listed = files.entry(path).or_default();
        if !listed.index.is_empty() {
            listed.index.push(' ');
        }
        listed.index.push_str(index);
    }
    files
}

fn split(entry: &[u8]) -> (&str, &[u8]) {
    let tab = entry.iter().position(|byte| *byte == b'\t');
    let parts = tab.and_then(|tab| {
        let index = std::str::from_utf8(&entry[..tab]).ok()?;
        is_index(index).then_some((index, &entry[tab + 1..]))
    });
    parts.unwrap_or(("", entry))
}

/// Returns true for the text before a tracked path. No file has such a name by chance: the object's
/// is too long.
fn is_index(text: &str) -> bool {
    let words: Vec<_> = text.split(' ').collect();
    let [mode, object, stage] = words[..] else {
        return false;
    };
    let all = |word: &str, is: fn(&u8) -> bool| word.bytes().all(|byte| is(&byte));
    mode.len() == 6
        && all(mode, u8::is_ascii_digit)
        && object.len() >= 40
        && all(object, u8::is_ascii_hexdigit)
        && stage.len() == 1
        && all(stage, u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;
    use std::path::Path;

    use super::*;

    const OBJECT: &str = "587be6b4c3f93f93c489c0111bba5596147a26cb";

    #[test]
    fn an_unmerged_file_has_no_object_and_neither_has_a_repository() {
        let listed =
            format!("100644 {OBJECT} 1\tf\x00100644 {OBJECT} 2\tf\x00160000 {OBJECT} 0\tr\0");
        let files = parse(listed.as_bytes());
        assert_eq!(files.len(), 2);
        assert!(files.values().all(|listed| listed.object().is_none()));
        assert!(!files[Path::new("f")].index.is_empty());
    }

    proptest! {
        #[test]
        fn every_path_arrives_as_it_is(paths in prop::collection::btree_map("[^\\x00/]{1,12}", any::<bool>(), 0..8)) {
            let mut output = Vec::new();
            for (path, is_tracked) in &paths {
                if *is_tracked {
                    output.extend(format!("100755 {OBJECT} 0\t").bytes());
                }
                output.extend(path.bytes().chain([0]));
            }
            let files = parse(&output);
            prop_assert_eq!(files.len(), paths.len());
            for (path, is_tracked) in &paths {
                prop_assert_eq!(files[Path::new(path)].object().is_some(), *is_tracked);
            }
        }
    }
}
