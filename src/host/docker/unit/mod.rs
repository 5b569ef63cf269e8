//! `docker.service` with its drop-ins, as systemd reads them: the ExecStart in force, the variables
//! of its command line, and an edit of a drop-in that keeps all else.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::host::root::HostRoot;

/// The unit.
const UNIT: &str = "docker.service";
/// The directories of units, the one that wins first.
const DIRECTORIES: [&str; 8] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A unit file or drop-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFile {
    /// The path on the host.
    pub path: PathBuf,
    /// The content.
    pub text: String,
}

/// An assignment of a unit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The section, without its brackets.
    pub section: String,
    /// The name before `=`.
    pub name: String,
    /// The value, in one line.
    pub value: String,
    /// The first and the last of its lines, from 1 on.
    pub lines: (usize, usize),
}

/// The command that starts docker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecStart {
    /// The value, in one line.
    pub value: String,
    /// The file that says it.
    pub file: PathBuf,
    /// The line.
    pub line: usize,
}

/// The reason why a unit is not read as systemd would read it.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// The file could not be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// The file holds something that ends systemd's own reading.
    #[error("{}{}: {problem}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line.
        line: Option<usize>,
        /// The problem.
        problem: String,
    },
    /// The unit has no command, or more than one.
    #[error("{UNIT} has {found} ExecStart= in force ({places}): systemd does not start it")]
    Commands {
        /// The number, in words.
        found: &'static str,
        /// The places.
        places: String,
    },
}

impl UnitFile {
    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is not text as systemd takes it.
    pub fn read(root: &HostRoot, path: &Path) -> Result<Option<Self>, UnitError> {
        let bytes = root.read(path).map_err(|error| UnitError::Read {
            path: path.to_owned(),
            error,
        })?;
        bytes.map(|bytes| Self::of(path, bytes)).transpose()
    }

    /// Makes a file of its bytes.
    ///
    /// # Errors
    /// When they are not text as systemd takes it.
    pub fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, UnitError> {
        let broken = |problem: &str| UnitError::Broken {
            path: path.to_owned(),
            line: None,
            problem: problem.to_owned(),
        };
        let text = String::from_utf8(bytes).map_err(|_| broken("it is not text in UTF-8"))?;
        if text.contains('\0') || text.replace("\r\n", "\n").contains('\r') {
            return Err(broken(
                "it holds characters that end a line for systemd only",
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// Returns the assignments, in their order.
    ///
    /// # Errors
    /// When a section's header is broken: systemd stops reading there.
    pub fn assignments(&self) -> Result<Vec<Assignment>, UnitError> {
        let mut all = Vec::new();
        let mut section = String::new();
        for line in logical_lines(&self.text) {
            if let Some(header) = line.text.strip_prefix('[') {
                let name = header.strip_suffix(']').ok_or_else(|| UnitError::Broken {
                    path: self.path.clone(),
                    line: Some(line.first),
                    problem: format!("`{}` is no header of a section", line.text),
                })?;
                section = name.to_owned();
            } else if let Some((name, value)) = line.text.split_once('=') {
                all.push(Assignment {
                    section: section.clone(),
                    name: name.trim_end().to_owned(),
                    value: value.trim().to_owned(),
                    lines: (line.first, line.last),
                });
            }
        }
        Ok(all)
    }

    /// Replaces the commands of `[Service]` by this one. All other lines stay.
    ///
    /// # Errors
    /// When a section's header is broken.
    pub fn set_exec_start(&mut self, value: &str) -> Result<(), UnitError> {
        let pair = format!("ExecStart=\nExecStart={value}\n");
        let old: Vec<_> = (self.assignments()?.into_iter())
            .filter(is_exec_start)
            .map(|one| one.lines)
            .collect();
        let Some(first) = old.first().map(|lines| lines.0) else {
            let gap = match self.text.as_str() {
                "" => "",
                text if text.ends_with('\n') && !ends_in_continuation(text) => "",
                _ => "\n\n",
            };
            self.text = format!("{}{gap}[Service]\n{pair}", self.text);
            return Ok(());
        };
        let mut text = String::new();
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            let number = index + 1;
            let is_old = old
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&number));
            let is_comment = line.trim_start().starts_with(['#', ';']);
            if number == first {
                text.push_str(&pair);
            }
            if !is_old || is_comment {
                text.push_str(line);
            }
        }
        self.text = text;
        Ok(())
    }
}

fn is_exec_start(assignment: &Assignment) -> bool {
    assignment.section == "Service" && assignment.name == "ExecStart"
}

/// A line with what it is continued by.
struct LogicalLine {
    text: String,
    first: usize,
    last: usize,
}

/// Joins lines that end with a backslash, and leaves out comments and empty lines.
fn logical_lines(text: &str) -> Vec<LogicalLine> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    let mut open: Option<LogicalLine> = None;
    for (index, line) in text.lines().enumerate() {
        let part = line.trim_start_matches([' ', '\t']);
        if part.starts_with(['#', ';']) {
            continue;
        }
        let mut logical = open.take().unwrap_or_else(|| LogicalLine {
            text: String::new(),
            first: index + 1,
            last: index + 1,
        });
        logical.last = index + 1;
        match is_continued(part) {
            true => {
                logical.text.push_str(&part[..part.len() - 1]);
                logical.text.push(' ');
                open = Some(logical);
            }
            false => {
                logical.text.push_str(part);
                lines.push(logical);
            }
        }
    }
    lines.extend(open);
    for line in &mut lines {
        line.text = line.text.trim().to_owned();
    }
    lines.retain(|line| !line.text.is_empty());
    lines
}

fn is_continued(line: &str) -> bool {
    let backslashes = line.len() - line.trim_end_matches('\\').len();
    backslashes % 2 == 1
}

fn ends_in_continuation(text: &str) -> bool {
    let is_comment = |line: &&str| line.trim_start().starts_with(['#', ';']);
    let last = text.lines().rev().find(|line| !is_comment(line));
    last.is_some_and(is_continued)
}

/// The unit of docker, with its drop-ins.
#[derive(Debug, Clone, Default)]
pub struct DockerUnit {
    files: Vec<UnitFile>,
}

impl DockerUnit {
    /// Reads the unit and its drop-ins in the order of systemd. Without the unit there are no
    /// files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(root: &HostRoot) -> Result<Self, UnitError> {
        let units = DIRECTORIES.map(|directory| Path::new(directory).join(UNIT));
        let Some(unit) = units.iter().find(|path| root.has(path)) else {
            return Ok(Self::default());
        };
        Self::of_files(root, std::iter::once(unit.clone()).chain(drop_ins(root)?))
    }

    /// Reads these files, the unit first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of_files(
        root: &HostRoot,
        paths: impl IntoIterator<Item = PathBuf>,
    ) -> Result<Self, UnitError> {
        let read = |path: PathBuf| UnitFile::read(root, &path).transpose();
        let files: Result<_, _> = paths.into_iter().filter_map(read).collect();
        Ok(Self { files: files? })
    }

    /// Returns the files, the unit first.
    pub fn files(&self) -> &[UnitFile] {
        &self.files
    }

    /// Returns this unit with a file that is replaced, or added as the drop-in of its name.
    pub fn with(&self, file: UnitFile) -> Self {
        let mut files = self.files.clone();
        match files.iter_mut().skip(1).find(|one| one.path == file.path) {
            Some(there) => *there = file,
            None => {
                let later = |one: &UnitFile| one.path.file_name() > file.path.file_name();
                let place = files.iter().skip(1).position(later);
                files.insert(place.map_or(files.len(), |place| place + 1), file);
            }
        }
        Self { files }
    }

    /// Returns the command in force. `None` if there is no unit.
    ///
    /// # Errors
    /// When systemd would find none, or more than one.
    pub fn exec_start(&self) -> Result<Option<ExecStart>, UnitError> {
        let mut commands: Vec<ExecStart> = Vec::new();
        for file in &self.files {
            for one in file.assignments()?.iter().filter(|one| is_exec_start(one)) {
                match one.value.as_str() {
                    "" => commands.clear(),
                    value => commands.push(ExecStart {
                        value: value.to_owned(),
                        file: file.path.clone(),
                        line: one.lines.0,
                    }),
                }
            }
        }
        let place = |one: &ExecStart| format!("{}:{}", one.file.display(), one.line);
        match (commands.len(), self.files.first()) {
            (_, None) => Ok(None),
            (1, _) => Ok(commands.pop()),
            (0, Some(unit)) => Err(UnitError::Commands {
                found: "no",
                places: unit.path.display().to_string(),
            }),
            _ => Err(UnitError::Commands {
                found: "more than one",
                places: commands.iter().map(place).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Returns the variables that the command line can use: `Environment=` and the files of
    /// `EnvironmentFile=`.
    ///
    /// # Errors
    /// When a section's header is broken.
    pub fn variables(&self, root: &HostRoot) -> Result<BTreeMap<String, Variable>, UnitError> {
        let mut direct = BTreeMap::new();
        let mut files = Vec::new();
        for file in &self.files {
            for one in file.assignments()? {
                match (one.section.as_str(), one.name.as_str(), one.value.as_str()) {
                    ("Service", "Environment", "") => direct.clear(),
                    ("Service", "Environment", value) => {
                        let words = shlex::split(value).unwrap_or_default();
                        direct.extend(words.iter().filter_map(|word| pair(word, &file.path)));
                    }
                    ("Service", "EnvironmentFile", "") => files.clear(),
                    ("Service", "EnvironmentFile", value) => {
                        files.push(PathBuf::from(value.trim_start_matches('-')));
                    }
                    _ => {}
                }
            }
        }
        for path in files {
            // systemd itself reports one that cannot be read.
            let text = root.read(&path).ok().flatten().unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            direct.extend(logical_lines(&text).iter().filter_map(|line| {
                let (name, value) = line.text.split_once('=')?;
                let value = value.trim();
                let inner = ['"', '\'']
                    .iter()
                    .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
                Some(Variable::named(name.trim(), inner.unwrap_or(value), &path))
            }));
        }
        Ok(direct)
    }
}

/// A variable of the unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The value.
    pub value: String,
    /// The file that says it.
    pub file: PathBuf,
}

impl Variable {
    fn named(name: &str, value: &str, file: &Path) -> (String, Self) {
        let variable = Self {
            value: value.to_owned(),
            file: file.to_owned(),
        };
        (name.to_owned(), variable)
    }
}

fn pair(word: &str, file: &Path) -> Option<(String, Variable)> {
    let (name, value) = word.split_once('=')?;
    Some(Variable::named(name, value, file))
}

/// Returns the drop-ins in the order in which systemd reads them. Of those with one name, the one
/// in the directory that wins is read; one that leads to /dev/null or is empty hides the others.
fn drop_ins(root: &HostRoot) -> Result<Vec<PathBuf>, UnitError> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for kind in [UNIT, "service"] {
        for directory in DIRECTORIES {
            let directory = Path::new(directory).join(format!("{kind}.d"));
            let names = root.list(&directory).map_err(|error| UnitError::Read {
                path: directory.clone(),
                error,
            })?;
            for name in names
                .into_iter()
                .filter(|name| Path::new(name).extension().is_some_and(|end| end == "conf"))
            {
                if seen.insert(name.clone()) {
                    found.push((name.clone(), directory.join(name)));
                }
            }
        }
    }
    found.sort();
    let is_masked = |path: &Path| {
        root.resolve(path)
            .is_ok_and(|path| path.ends_with("dev/null"))
    };
    let paths = found.into_iter().map(|(_, path)| path);
    Ok(paths.filter(|path| !is_masked(path)).collect())
}

#[cfg(test)]
mod tests;
