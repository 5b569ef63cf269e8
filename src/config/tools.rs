//! The table `[tools]`: programs that `kata-ci doctor --install` gets for the jobs of a pipeline.
//!
//! Each has a directory of its own, whose name holds its version, so that pipelines with other
//! versions do not meet. Nothing is downloaded but by the package managers themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::dirs;
use crate::env::Environment;

/// The file that says that a program is whole.
pub const COMPLETE: &str = "complete";

/// The package manager of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolSource {
    /// A Go module: `go install MODULE@VERSION`.
    Go,
    /// A crate: `cargo install CRATE --version VERSION`.
    Cargo,
    /// A package of PyPI, in a virtual environment.
    Pip,
    /// A Debian package, unpacked. Its distribution decides the version if none is given.
    Apt,
}

/// A program that jobs need, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The package manager.
    pub source: ToolSource,
    /// The module, crate or package.
    pub package: String,
    /// The version.
    pub version: Option<String>,
}

/// A text that is no source of a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTool(String);

const SOURCES: [(&str, ToolSource); 4] = [
    ("go", ToolSource::Go),
    ("cargo", ToolSource::Cargo),
    ("pip", ToolSource::Pip),
    ("apt", ToolSource::Apt),
];

impl FromStr for Tool {
    type Err = InvalidTool;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, rest) = text.split_once(':').unwrap_or(("", text));
        let Some((_, source)) = SOURCES.iter().find(|(name, _)| *name == word) else {
            return Err(InvalidTool(
                "a program comes from go:MODULE@VERSION, cargo:CRATE@VERSION, pip:PACKAGE@VERSION or apt:PACKAGE".to_owned(),
            ));
        };
        let (package, version) = match rest.split_once('@') {
            Some((package, version)) => (package, Some(version)),
            None => (rest, None),
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._~+-/:[]".contains(letter);
        let good = |text: &str| {
            text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
                && text.chars().all(plain)
        };
        if !good(package) || !version.is_none_or(good) {
            return Err(InvalidTool(format!(
                "`{rest}` is no package with a version"
            )));
        }
        if version.is_none() && *source != ToolSource::Apt {
            return Err(InvalidTool(format!(
                "its version is missing: {word}:{package}@VERSION"
            )));
        }
        if version.is_some_and(|version| {
            ["latest", "upgrade", "patch", "main", "master"].contains(&version)
        }) {
            return Err(InvalidTool(
                "a version that stays the same is needed".to_owned(),
            ));
        }
        Ok(Self {
            source: *source,
            package: package.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = SOURCES.iter().find(|(_, source)| *source == self.source);
        let word = word.map_or("", |(word, _)| *word);
        match &self.version {
            Some(version) => write!(formatter, "{word}:{}@{version}", self.package),
            None => write!(formatter, "{word}:{}", self.package),
        }
    }
}

impl Tool {
    /// Returns the directory of a program of this name; `None` for a user without a home.
    pub fn directory(&self, program: &str, user: &Environment) -> Option<PathBuf> {
        let digest = Sha256::digest(self.to_string());
        let digest: String = digest
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let version = self
            .version
            .as_deref()
            .unwrap_or("any")
            .replace(['/', ':'], "_");
        Some(
            dirs::state(user)?
                .join("tools")
                .join(format!("{program}-{version}-{digest}")),
        )
    }

    /// Returns true if the program is in its directory.
    pub fn is_installed(directory: &Path) -> bool {
        directory.join(COMPLETE).is_file()
    }
}

/// Puts the programs that are installed first on the `PATH` of an environment.
pub fn put_on_path(
    tools: &BTreeMap<String, Tool>,
    user: &Environment,
    environment: &mut Environment,
) {
    let directories = tools
        .iter()
        .filter_map(|(program, tool)| tool.directory(program, user));
    let bins: Vec<_> = directories
        .filter(|directory| Tool::is_installed(directory))
        .map(|directory| directory.join("bin"))
        .collect();
    if bins.is_empty() {
        return;
    }
    let before = environment
        .get("PATH")
        .map(std::ffi::OsStr::to_owned)
        .unwrap_or_default();
    let all = bins.into_iter().chain(std::env::split_paths(&before));
    if let Ok(path) = std::env::join_paths(all) {
        environment.set("PATH", path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_and_shown_the_same() {
        for text in [
            "go:mvdan.cc/xurls/v2/cmd/xurls@v2.2.0",
            "cargo:just@1.40.0",
            "pip:yamllint@1.35.1",
            "apt:jq",
            "apt:jq@1.6-2.1+deb12u1",
        ] {
            assert_eq!(text.parse::<Tool>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "jq",
            "curl:https://x@1",
            "go:mvdan.cc/xurls",
            "go:x@latest",
            "go:-x@1",
            "apt:",
            "pip:a b@1",
            "cargo:x@--y",
        ] {
            assert!(text.parse::<Tool>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_is_whole_is_on_the_path_and_comes_first() {
        let home = tempfile::tempdir().unwrap();
        let user: Environment = [("HOME".into(), home.path().into())].into();
        let tool: Tool = "apt:jq".parse().unwrap();
        let tools: BTreeMap<_, _> = [("jq".to_owned(), tool.clone())].into();
        let directory = tool.directory("jq", &user).unwrap();
        std::fs::create_dir_all(directory.join("bin")).unwrap();
        let path = |tools| {
            let mut environment: Environment = [("PATH".into(), "/bin".into())].into();
            put_on_path(tools, &user, &mut environment);
            environment
                .get("PATH")
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        assert_eq!(path(&tools), "/bin");
        std::fs::write(directory.join(COMPLETE), "").unwrap();
        assert_eq!(path(&tools), format!("{}/bin:/bin", directory.display()));
        assert_eq!(path(&BTreeMap::new()), "/bin");
    }
}
