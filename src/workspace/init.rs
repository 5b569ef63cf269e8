//! Proposes a first `kata-ci.toml` for what a directory holds.
//!
//! Names of files tell the kind of a directory; Makefiles are read for the targets `check` and
//! `test`. This module starts no program and writes nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::WorkspaceError;
use super::detect::{detect, makefile_components, name, unique};
use super::fs::{MAKEFILES, absolute, subdirectories};

/// The most bytes of a Makefile that are looked at.
const MOST: u64 = 1 << 20;

/// Matches a rule's targets at the beginning of a line.
static RULE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)^([^\s#:=.][^:=#\n]*?)\s*::?(?:[^=]|$)").ok());

/// The proposal.
#[derive(Debug)]
pub struct Proposal {
    /// The absolute directory in which the file belongs.
    pub directory: PathBuf,
    /// The content of the file, with comments.
    pub text: String,
    /// The findings in a few words, for the user.
    pub found: String,
}

/// A language whose tests are run without a Makefile.
struct Language {
    step: &'static str,
    files: &'static [&'static str],
    command: &'static str,
}

const LANGUAGES: [Language; 3] = [
    Language {
        step: "test-go",
        files: &["go.mod"],
        command: r#"["go", "test", "-json", "./..."]"#,
    },
    Language {
        step: "test-rust",
        files: &["Cargo.toml"],
        command: r#"["cargo", "test"]"#,
    },
    Language {
        step: "test-python",
        files: &["pyproject.toml", "pytest.ini", "setup.py", "tox.ini"],
        command: r#"["python3", "-m", "pytest", "-v"]"#,
    },
];

/// Proposes a file for a directory; `None` if it holds nothing that could be tested.
///
/// # Errors
///
/// The directory cannot be inspected.
pub fn propose(directory: &Path) -> Result<Option<Proposal>, WorkspaceError> {
    let directory = absolute(directory)?;
    match detect(&directory) {
        Ok(detected) if detected.pipeline == "makefile" => of_makefiles(&directory).map(Some),
        Ok(detected) => Ok(Some(of_kata(detected.pipeline, detected.root))),
        Err(WorkspaceError::Nothing { .. }) => of_languages(&directory),
        Err(other) => Err(other),
    }
}

fn of_kata(pipeline: &str, root: PathBuf) -> Proposal {
    let text = format!(
        "version = 1\nextends = \"{pipeline}\"   # its steps and components, as they are\n\n\
         # What differs here, key by key:\n#\n\
         # [[step]]\n# name = \"test\"\n# timeout = \"10m\"\n#\n\
         # [[component]]\n# name = \"agent\"\n# remove = true               # not here\n",
    );
    Proposal {
        directory: root,
        found: format!("a workspace of {pipeline}"),
        text,
    }
}

fn of_makefiles(directory: &Path) -> Result<Proposal, WorkspaceError> {
    let components = makefile_components(directory)?;
    let mut text = "version = 1\nextends = \"makefile\"   # the steps check and test: make check, make test\n\n\
         # Where tests print nothing that kata-ci reads (go test, cargo test, TAP, pytest …):\n#\n\
         # [[step]]\n# name = \"test\"\n# expect = \"commands\"          # \"exit\" if make only calls something else\n"
        .to_owned();
    for component in &components {
        let _ = write!(
            text,
            "\n[[component]]\nname = {}\npath = {}\n{}",
            quoted(&component.name),
            quoted(&below(&component.path, directory)),
            steps(&component.path),
        );
    }
    Ok(Proposal {
        directory: directory.to_owned(),
        found: match components.len() {
            1 => "a Makefile".to_owned(),
            count => format!("{count} directories with a Makefile"),
        },
        text,
    })
}

/// Returns the line `steps` of a component whose Makefile lacks one of the two targets.
fn steps(directory: &Path) -> String {
    let targets = targets(directory);
    let known: Vec<_> = ["check", "test"]
        .into_iter()
        .filter(|step| targets.iter().any(|target| target == step))
        .collect();
    match known.as_slice() {
        ["check"] => "steps = [\"check\"]           # its Makefile has no target test\n".to_owned(),
        [one] => format!("steps = [\"{one}\"]            # its Makefile has no target check\n"),
        [] => {
            "# Its Makefile names neither check nor test; a file that it includes may.\n".to_owned()
        }
        _ => String::new(),
    }
}

fn targets(directory: &Path) -> Vec<String> {
    let file = MAKEFILES
        .iter()
        .map(|name| directory.join(name))
        .find(|path| path.is_file());
    let text = file.and_then(|path| crate::fs::read(&path, MOST).ok());
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    let rules = RULE.iter().flat_map(|rule| rule.captures_iter(&text));
    let names = rules.flat_map(|rule| {
        let words = rule[1].split_whitespace().map(str::to_owned);
        words.collect::<Vec<_>>()
    });
    names.collect()
}

fn of_languages(directory: &Path) -> Result<Option<Proposal>, WorkspaceError> {
    let projects = projects(directory)?;
    if projects.is_empty() {
        return Ok(None);
    }
    let mut text = "version = 1\n".to_owned();
    for language in &LANGUAGES {
        if projects.iter().any(|(_, its)| its.step == language.step) {
            let Language { step, command, .. } = language;
            let _ = write!(
                text,
                "\n[[step]]\nname = \"{step}\"\nrun = {command}\n\
                 expect = \"cases\"            # at least one test passed, and none failed\ntimeout = \"30m\"\n",
            );
        }
    }
    let mut taken = BTreeMap::new();
    for (path, language) in &projects {
        let kind = language.step.trim_start_matches("test-");
        let name = unique(format!("{}-{kind}", name(path)), &mut taken);
        let _ = write!(
            text,
            "\n[[component]]\nname = {}\npath = {}\nsteps = [\"{}\"]\n",
            quoted(&name),
            quoted(&below(path, directory)),
            language.step,
        );
    }
    Ok(Some(Proposal {
        directory: directory.to_owned(),
        found: match projects.len() {
            1 => "a project without a Makefile".to_owned(),
            count => format!("{count} projects without a Makefile"),
        },
        text,
    }))
}

/// Returns the projects here and one level below. Members of a workspace are tested from its top.
fn projects(directory: &Path) -> Result<Vec<(PathBuf, &'static Language)>, WorkspaceError> {
    let mut places = vec![directory.to_owned()];
    places.extend(subdirectories(directory)?);
    let mut found: Vec<(PathBuf, &Language)> = Vec::new();
    for place in places {
        for language in &LANGUAGES {
            let is_known =
                |(top, its): &(PathBuf, &Language)| top == directory && its.step == language.step;
            let has_file = language.files.iter().any(|file| place.join(file).is_file());
            if has_file && !found.iter().any(is_known) {
                found.push((place.clone(), language));
            }
        }
    }
    Ok(found)
}

/// Returns a path as it is written in a file in the directory `top`.
fn below(path: &Path, top: &Path) -> String {
    match path.strip_prefix(top).unwrap_or(path).to_string_lossy() {
        own if own.is_empty() => ".".to_owned(),
        own => own.into_owned(),
    }
}

/// Returns a text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, PipelineSource, load};
    use std::fs;

    /// Proposes for a directory with these files, and loads what was proposed.
    fn proposed(files: &[(&str, &str)]) -> (String, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let proposal = propose(place.path()).unwrap().unwrap();
        let file = proposal.directory.join("kata-ci.toml");
        fs::write(&file, &proposal.text).unwrap();
        let pipeline = load(&PipelineSource::File(file), &Overrides::default(), None).unwrap();
        let names = pipeline
            .components
            .iter()
            .map(|component| component.name.clone());
        (proposal.text, names.collect())
    }

    #[test]
    fn directories_with_makefiles_become_components_with_the_targets_they_have() {
        let (text, names) = proposed(&[
            ("one/Makefile", "check test: build\n\techo\n"),
            ("two/GNUmakefile", ".PHONY: test\nCC := cc\ntest:\n\techo\n"),
            ("three/Makefile", "include other.mk\n"),
        ]);
        assert_eq!(names, ["one", "three", "two"]);
        assert_eq!(text.matches("\nsteps = [\"test\"]").count(), 1, "{text}");
        assert_eq!(
            text.matches("names neither check nor test").count(),
            1,
            "{text}"
        );
    }

    #[test]
    fn projects_without_makefiles_get_steps_of_their_languages() {
        let (text, names) = proposed(&[
            ("Cargo.toml", "[workspace]"),
            ("member/Cargo.toml", "[package]"),
            ("tool.d/go.mod", "module x"),
            ("py/pyproject.toml", ""),
        ]);
        assert_eq!(names.len(), 3, "{text}");
        assert!(
            names[0].ends_with("-rust") && names[1..] == ["py-python", "tool-d-go"],
            "{names:?}"
        );
    }

    #[test]
    fn an_empty_directory_gets_nothing() {
        let place = tempfile::tempdir().unwrap();
        assert!(propose(place.path()).unwrap().is_none());
    }

    #[test]
    fn targets_are_those_of_rules() {
        let place = tempfile::tempdir().unwrap();
        let text = "A = b\nC := d\nall check:: x\n\techo no: rule\n# not: this\ntest:\n$(X): y\n";
        fs::write(place.path().join("Makefile"), text).unwrap();
        assert_eq!(targets(place.path()), ["all", "check", "test", "$(X)"]);
    }
}
