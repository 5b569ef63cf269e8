//! The files of a source tree, read from a disk or made up by a test.

use std::fs;
use std::path::Path;

/// A Rust file of the tree.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path below the tree's root, with `/`: `exec/helper/mod.rs`.
    pub path: String,
    /// The file's text.
    pub text: String,
}

impl SourceFile {
    /// The path of the module that the file holds: `exec::helper` for `exec/helper/mod.rs`, nothing
    /// for `lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        match path {
            "lib" => Vec::new(),
            _ => path.split('/').map(str::to_owned).collect(),
        }
    }
}

/// Reads every Rust file below `root`, ordered by path.
pub fn read_tree(root: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    read_directory(root, root, &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!files.is_empty(), "no Rust file below {}", root.display());
    files
}

fn read_directory(root: &Path, directory: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_directory(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(SourceFile {
                path: path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}
