//! Resolves the words that select components: a name, a path, a glob, or a job (`COMPONENT.STEP`).
//!
//! A component's name holds neither a slash nor a dot, so that the words cannot be mixed up. A word
//! that selects nothing stays as it is, and [`crate::plan::build`] refuses it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::Placed;
use crate::config::Pipeline;
use crate::model::Selection;

/// The components and steps that words can select.
struct Known<'a> {
    components: Vec<(&'a str, PathBuf)>,
    steps: Vec<&'a str>,
    /// The directory that paths start at.
    directory: PathBuf,
}

/// Returns the selection with names of components and jobs only. Paths start at `directory`;
/// `user_path` turns the directory of a checkout into the user's own.
pub fn resolve_words(
    selection: &Selection,
    pipeline: &Pipeline,
    placed: &[Placed],
    directory: &Path,
    user_path: impl Fn(&Path) -> PathBuf,
) -> Selection {
    let known = Known {
        components: (placed.iter())
            .map(|one| (&*one.component.name, real(&user_path(&one.directory))))
            .collect(),
        steps: (pipeline.steps.iter()).map(|step| &*step.name).collect(),
        directory: real(directory),
    };
    let mut resolved = Selection {
        components: Vec::new(),
        ..selection.clone()
    };
    for word in &selection.components {
        known.add(word, &mut resolved);
    }
    // A component that is selected as a whole has no jobs of its own.
    let whole = &resolved.components;
    resolved
        .jobs
        .retain(|component, _| !whole.contains(component));
    resolved.components.extend(resolved.jobs.keys().cloned());
    resolved
}

impl Known<'_> {
    fn add(&self, word: &str, resolved: &mut Selection) {
        let is_path = word.contains('/') || word.starts_with('.');
        if let (false, Some((component, step))) = (is_path, word.split_once('.')) {
            return self.add_jobs(word, (component, step), resolved);
        }
        let mut names = match is_path {
            true => Vec::new(),
            false => self.named(word),
        };
        if names.is_empty() {
            names = self.at(word);
        }
        if names.is_empty() {
            names.push(word);
        }
        for name in names {
            if !resolved.components.iter().any(|known| known == name) {
                resolved.components.push(name.to_owned());
            }
        }
    }

    fn add_jobs(&self, word: &str, (component, step): (&str, &str), resolved: &mut Selection) {
        let names = self.named(component);
        if names.is_empty() {
            resolved.components.push(word.to_owned());
        }
        let mut steps: BTreeSet<String> = matching(step, self.steps.iter().copied())
            .map(str::to_owned)
            .collect();
        if steps.is_empty() {
            steps.insert(step.to_owned());
        }
        for name in names {
            let jobs = resolved.jobs.entry(name.to_owned()).or_default();
            jobs.extend(steps.iter().cloned());
        }
    }

    /// Returns the components whose names match.
    fn named(&self, word: &str) -> Vec<&str> {
        matching(word, self.components.iter().map(|(name, _)| *name)).collect()
    }

    /// Returns the components at a path, else those below it, else the one around it.
    fn at(&self, word: &str) -> Vec<&str> {
        let path = self.directory.join(word);
        let Ok(path) = path.canonicalize() else {
            return self.under(word);
        };
        let all = || self.components.iter();
        let names = |fits: &dyn Fn(&Path) -> bool| -> Vec<&str> {
            all()
                .filter(|(_, own)| fits(own))
                .map(|(name, _)| *name)
                .collect()
        };
        let at = names(&|own| own == path);
        let below = names(&|own| own.starts_with(&path));
        let around = all().filter(|(_, own)| path.starts_with(own));
        let around = around.max_by_key(|(_, own)| own.components().count());
        match (at.is_empty(), below.is_empty()) {
            (false, _) => at,
            (_, false) => below,
            _ => around.map(|(name, _)| *name).into_iter().collect(),
        }
    }

    /// Returns the components whose paths match a glob.
    fn under(&self, word: &str) -> Vec<&str> {
        let pattern = word.trim_start_matches("./").trim_end_matches('/');
        let Some(glob) = glob(pattern) else {
            return Vec::new();
        };
        let fits = |own: &Path| {
            own.strip_prefix(&self.directory)
                .is_ok_and(|own| glob.is_match(own))
        };
        (self.components.iter())
            .filter(|(_, own)| fits(own))
            .map(|(name, _)| *name)
            .collect()
    }
}

/// Returns the names that match a name or a glob.
fn matching<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let glob = glob(word);
    names.filter(move |name| {
        glob.as_ref()
            .is_some_and(|glob| glob.is_match(Path::new(name)))
    })
}

fn glob(word: &str) -> Option<globset::GlobMatcher> {
    let mut builder = GlobBuilder::new(word);
    let glob = builder.literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

/// Returns the path without links; as it is if it is not there.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(words: &[&str]) -> (Vec<String>, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().canonicalize().unwrap();
        let mut components = Vec::new();
        for name in ["agent", "runtime", "libs"] {
            let directory = top.join("src").join(name);
            std::fs::create_dir_all(directory.join("inner")).unwrap();
            components.push((name, directory));
        }
        let known = Known {
            components,
            steps: vec!["check", "test"],
            directory: top,
        };
        let mut selection = Selection::default();
        for word in words {
            known.add(word, &mut selection);
        }
        let jobs = (selection.jobs.iter())
            .flat_map(|(name, steps)| steps.iter().map(move |step| format!("{name}.{step}")));
        (selection.components.clone(), jobs.collect())
    }

    #[test]
    fn names_paths_and_globs_select() {
        for (word, names) in [
            ("agent", vec!["agent"]),
            ("src/agent", vec!["agent"]),
            ("./src/agent/", vec!["agent"]),
            ("src/agent/inner", vec!["agent"]),
            ("src", vec!["agent", "runtime", "libs"]),
            (".", vec!["agent", "runtime", "libs"]),
            ("*n*", vec!["agent", "runtime"]),
            ("src/l*", vec!["libs"]),
            ("src/{agent,libs}/", vec!["agent", "libs"]),
            ("nosuch", vec!["nosuch"]),
            ("src/no*", vec!["src/no*"]),
            ("[", vec!["["]),
        ] {
            assert_eq!(resolved(&[word]).0, names, "{word}");
        }
    }

    #[test]
    fn a_component_and_a_step_select_a_job() {
        let (components, jobs) = resolved(&["agent.test", "l*.check", "runtime.*", "agent.nosuch"]);
        assert!(components.is_empty(), "{components:?}");
        let expected = [
            "agent.nosuch",
            "agent.test",
            "libs.check",
            "runtime.check",
            "runtime.test",
        ];
        assert_eq!(jobs, expected);
        assert_eq!(resolved(&["nosuch.test"]).0, ["nosuch.test"]);
    }
}
