//! Helpers of the tests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::*;

/// Returns the sample configurations of a kind, ordered by name.
pub fn samples(kind: &str) -> Vec<PathBuf> {
    let directory = directory().join(kind);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

/// Returns the directory of the samples.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/configurations")
}

/// Loads a file without the user's configuration.
pub fn load_file(path: &Path) -> Result<Pipeline, ConfigError> {
    load(
        &PipelineSource::File(path.to_owned()),
        &Overrides::default(),
        None,
    )
}

/// Loads a text as the only file of a directory of its own.
pub fn load_text(text: &str) -> Result<Pipeline, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kata-ci.toml");
    fs::write(&path, text).unwrap();
    load_file(&path)
}

/// Loads a shipped pipeline.
pub fn load_shipped(name: &'static str) -> Pipeline {
    load(&PipelineSource::Shipped(name), &Overrides::default(), None).unwrap()
}

/// Returns the step with this name.
pub fn step<'a>(pipeline: &'a Pipeline, name: &str) -> &'a Step {
    pipeline
        .steps
        .iter()
        .find(|step| step.name == name)
        .unwrap()
}

/// Returns the component with this name.
pub fn component<'a>(pipeline: &'a Pipeline, name: &str) -> &'a Component {
    let mut components = pipeline.components.iter();
    components.find(|component| component.name == name).unwrap()
}
