//! Finds a pipeline and loads it with everything it extends.
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::{ConfigError, Diagnostic, Diagnostics, quote};
use super::layer::Layer;
use super::read::{Read, Role, read};
use super::resolve::{Overrides, resolve};
use super::source::{Document, Located, Location, PipelineSource};
use super::{Gerrit, IsolatePolicy, Network, NetworkPolicy, Pipeline, Review, shipped};
use crate::dirs;
use crate::env::Environment;

/// The name of a pipeline file that is found without being named.
const FILE: &str = "kata-ci.toml";

/// The most bytes of a pipeline file; `-p /dev/zero` must not fill the memory.
const LIMIT: usize = 1 << 20;

/// Returns the pipeline to run.
///
/// `option` is the value of `-p`: a shipped name, or a file relative to the current directory.
/// Without it, returns the nearest `kata-ci.toml` in `directory` or above it, if there is one.
///
/// # Errors
///
/// A name that is neither shipped nor a file, or a parent directory that cannot be inspected.
pub fn locate(
    option: Option<&str>,
    directory: &Path,
) -> Result<Option<PipelineSource>, ConfigError> {
    match option {
        Some(name) => Ok(Some(named(name, Path::new(""))?)),
        None => Ok(upwards(directory)?),
    }
}

/// Returns the nearest `kata-ci.toml` in `directory` or above it, up to `top`, if there is one.
///
/// # Errors
///
/// A directory that cannot be inspected.
pub fn locate_below(directory: &Path, top: &Path) -> Result<Option<PipelineSource>, ConfigError> {
    let below = |source: &PipelineSource| matches!(source, PipelineSource::File(path) if path.starts_with(top));
    Ok(upwards(directory)?.filter(below))
}

fn named(name: &str, directory: &Path) -> Result<PipelineSource, Diagnostic> {
    if let Some(name) = shipped::find(name) {
        return Ok(PipelineSource::Shipped(name));
    }
    let path = directory.join(name);
    let means_file = name.contains('/') || name.ends_with(".toml");
    if means_file || (!name.is_empty() && path.symlink_metadata().is_ok()) {
        return Ok(PipelineSource::File(path));
    }
    Err(shipped::unknown(name))
}

fn upwards(directory: &Path) -> Result<Option<PipelineSource>, Diagnostic> {
    let refuse = |path: &Path, error: &io::Error| {
        Diagnostic::new(format!("cannot look for {}: {error}", path.display()))
            .help("name the pipeline with -p")
    };
    let start = std::path::absolute(directory).map_err(|error| refuse(directory, &error))?;
    for directory in start.ancestors() {
        let path = directory.join(FILE);
        match path.symlink_metadata() {
            Ok(_) => return Ok(Some(PipelineSource::File(path))),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(refuse(&path, &error)),
        }
    }
    Ok(None)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns the path of the user's configuration, whether it exists or not: `kata-ci/config.toml` in
/// `$XDG_CONFIG_HOME`, else in `$HOME/.config`.
///
/// A relative path does not count, as the XDG base directory specification has it.
pub fn user_file(environment: &Environment) -> Option<PathBuf> {
    Some(dirs::config(environment)?.join("config.toml"))
}

/// Loads a pipeline: below it the pipelines that it extends, below these the user's configuration
/// (`user`, which need not exist), and the given options on top.
///
/// # Errors
///
/// Every diagnostic of a file, each with its line.
pub fn load(
    source: &PipelineSource,
    overrides: &Overrides,
    user: Option<&Path>,
) -> Result<Pipeline, ConfigError> {
    let diagnostics = Diagnostics::default();
    let lowest = user.map(user_layer).transpose()?.unwrap_or_default();
    let document = open(source)?;
    let (layers, _) = chain(Arc::clone(&document))?;
    let layer =
        (layers.into_iter().rev()).fold(lowest, |under, over| over.over(under, &diagnostics));
    Ok(Pipeline {
        base: base(source)?,
        ..resolve(layer, &document, overrides, diagnostics)?
    })
}

/// Loads a pipeline that [`super::write()`] wrote. `name` is its name for people, `base` the
/// directory that the paths of its components are relative to.
///
/// # Errors
///
/// Every diagnostic; the text that it names is the value as TOML.
pub fn load_written(
    value: &serde_json::Value,
    name: &str,
    base: PathBuf,
    overrides: &Overrides,
    user: Option<&Path>,
) -> Result<Pipeline, ConfigError> {
    let text = toml::to_string(value)
        .map_err(|error| Diagnostic::new(format!("{name} is no pipeline: {error}")))?;
    let diagnostics = Diagnostics::default();
    let lowest = user.map(user_layer).transpose()?.unwrap_or_default();
    let source = PipelineSource::File(PathBuf::from(name));
    let document = Arc::new(Document { source, text });
    let layer = read(&document, Role::Pipeline)?.layer;
    let layer = layer.over(lowest, &diagnostics);
    Ok(Pipeline {
        base: Some(base),
        ..resolve(layer, &document, overrides, diagnostics)?
    })
}

/// Returns the files of a pipeline: its own, and those that it extends.
///
/// # Errors
///
/// See [`load`].
pub fn files(source: &PipelineSource) -> Result<Vec<PathBuf>, ConfigError> {
    let (_, sources) = chain(open(source)?)?;
    let files = sources.into_iter().filter_map(|source| match source {
        PipelineSource::File(path) => Some(path),
        PipelineSource::Shipped(_) => None,
    });
    Ok(files.collect())
}

fn base(source: &PipelineSource) -> Result<Option<PathBuf>, Diagnostic> {
    let absolute = |directory| {
        std::path::absolute(directory).map_err(|error| {
            Diagnostic::new(format!("cannot tell where {source} lies: {error}"))
                .help("name it by an absolute path")
        })
    };
    match source.directory() {
        None => Ok(None),
        Some(directory) if directory.as_os_str().is_empty() => absolute(Path::new(".")).map(Some),
        Some(directory) => absolute(directory).map(Some),
    }
}

/// The operator's own decisions, which no pipeline can change.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// The table `[review]`.
    pub review: Review,
    /// The table `[gerrit]`.
    pub gerrit: Gerrit,
    /// The table `[network]`.
    pub network: Network,
    /// The `network` of `[defaults]`.
    pub network_policy: Option<NetworkPolicy>,
    /// The `isolate` of `[defaults]`.
    pub isolate: Option<IsolatePolicy>,
}

/// Reads the operator's decisions from the user's configuration, which need not exist.
///
/// # Errors
///
/// Every diagnostic of the file, each with its line.
pub fn operator(user: Option<&Path>) -> Result<Operator, ConfigError> {
    let read = user.map(user_read).transpose()?.unwrap_or_default();
    let layer = read.layer;
    Ok(Operator {
        review: read.review,
        gerrit: layer.gerrit,
        network: layer.network,
        network_policy: layer.defaults.network,
        isolate: layer.defaults.isolate,
    })
}

fn user_layer(path: &Path) -> Result<Layer, ConfigError> {
    Ok(user_read(path)?.layer)
}

fn user_read(path: &Path) -> Result<Read, ConfigError> {
    match path.symlink_metadata() {
        Err(error) if is_absent(&error) => return Ok(Read::default()),
        // Opening it will report the diagnostic.
        Ok(_) | Err(_) => {}
    }
    let document = open(&PipelineSource::File(path.to_owned()))?;
    read(&document, Role::User)
}

/// Returns the layers from the given file down to the one that extends nothing, and their sources.
fn chain(mut document: Arc<Document>) -> Result<(Vec<Layer>, Vec<PipelineSource>), ConfigError> {
    let (mut layers, mut sources) = (Vec::new(), Vec::new());
    let mut visited: Vec<(PipelineSource, Located<String>)> = Vec::new();
    loop {
        let Read { layer, extends, .. } = read(&document, Role::Pipeline)?;
        layers.push(layer);
        sources.push(document.source.clone());
        let Some(extends) = extends else {
            return Ok((layers, sources));
        };
        visited.push((document.source.identity(), extends));
        document = extended(&document, &visited)?;
    }
}

fn extended(
    document: &Document,
    visited: &[(PipelineSource, Located<String>)],
) -> Result<Arc<Document>, Diagnostic> {
    let Some((_, extends)) = visited.last() else {
        return Err(Diagnostic::new("nothing is extended"));
    };
    let directory = document.source.directory().unwrap_or(Path::new(""));
    let from_here = |diagnostic: Diagnostic| diagnostic.also(&extends.place, "extended here");
    let source = named(&extends.value, directory).map_err(from_here)?;
    let identity = source.identity();
    match visited.iter().position(|(known, _)| *known == identity) {
        None => open(&source).map_err(from_here),
        Some(begin) => Err(circle(&visited[begin..])),
    }
}

fn circle(visited: &[(PipelineSource, Located<String>)]) -> Diagnostic {
    let diagnostic = visited.iter().fold(
        Diagnostic::new("pipelines extend each other in a circle"),
        |diagnostic, (_, extends)| {
            diagnostic.at(&extends.place, format!("extends {}", quote(&extends.value)))
        },
    );
    diagnostic.help("take one `extends` out: a pipeline cannot lie under itself")
}

/// Reads the text of a source.
pub(super) fn open(source: &PipelineSource) -> Result<Arc<Document>, Diagnostic> {
    let bytes = match source {
        PipelineSource::Shipped(name) => shipped::text(name)
            .ok_or_else(|| shipped::unknown(name))?
            .as_bytes()
            .to_owned(),
        PipelineSource::File(path) => contents(path).map_err(|error| unreadable(path, &error))?,
    };
    from_bytes(source.clone(), bytes)
}

fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    crate::fs::open(path)?
        .take(LIMIT as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Err(io::Error::other("it is longer than 1 MiB"));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("cannot read {}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::NotFound => diagnostic.help(shipped::known()),
        io::ErrorKind::IsADirectory => diagnostic.help("name the file in it, such as kata-ci.toml"),
        io::ErrorKind::PermissionDenied => diagnostic
            .help("its mode or that of a directory above it keeps this user from reading it"),
        _ => diagnostic,
    }
}

fn from_bytes(source: PipelineSource, bytes: Vec<u8>) -> Result<Arc<Document>, Diagnostic> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(Document { source, text })),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
            let place = Location::new(&Arc::new(Document { source, text }), start..end);
            Err(Diagnostic::new("the file is not UTF-8")
                .at(&place, "these bytes are no character")
                .help("TOML is UTF-8: save the file so, or convert it with iconv"))
        }
    }
}
