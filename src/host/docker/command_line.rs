//! The command line that starts dockerd, as systemd takes it apart: its flags, and edits that leave
//! all other words as they are written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::unit::{ExecStart, Variable};

/// Flags with another name in `daemon.json`.
const KEYS: [(&str, &str); 20] = [
    ("add-runtime", "runtimes"),
    (
        "allow-nondistributable-artifacts",
        "allow-nondistributable-artifacts",
    ),
    ("authorization-plugin", "authorization-plugins"),
    ("cdi-spec-dir", "cdi-spec-dirs"),
    ("cluster-store-opt", "cluster-store-opts"),
    ("default-address-pool", "default-address-pools"),
    ("default-ulimit", "default-ulimits"),
    ("dns-opt", "dns-opts"),
    ("exec-opt", "exec-opts"),
    ("feature", "features"),
    ("graph", "data-root"),
    ("host", "hosts"),
    ("insecure-registry", "insecure-registries"),
    ("label", "labels"),
    ("log-opt", "log-opts"),
    ("node-generic-resource", "node-generic-resources"),
    ("registry-mirror", "registry-mirrors"),
    ("storage-opt", "storage-opts"),
    ("dns", "dns"),
    ("mtu", "mtu"),
];
/// Flags of one letter.
const SHORT: [(char, &str); 9] = [
    ('D', "debug"),
    ('G', "group"),
    ('H', "host"),
    ('b', "bridge"),
    ('g', "graph"),
    ('l', "log-level"),
    ('p', "pidfile"),
    ('s', "storage-driver"),
    ('v', "version"),
];

/// A flag of dockerd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The long name, without dashes.
    pub name: String,
    /// The value; empty for a switch.
    pub value: String,
    /// The file that says it, and its line.
    pub place: (PathBuf, Option<usize>),
    /// The words of the command that it consists of; `None` if a variable holds it.
    words: Option<Range<usize>>,
}

impl Flag {
    /// Returns the key of `daemon.json` with the same meaning.
    pub fn key(&self) -> &str {
        let found = KEYS.iter().find(|(name, _)| *name == self.name);
        found.map_or(&self.name, |(_, key)| key)
    }

    /// Returns the place for people.
    pub fn shown_place(&self) -> String {
        match &self.place {
            (file, Some(line)) => format!("{}:{line}", file.display()),
            (file, None) => file.display().to_string(),
        }
    }

    /// Returns the name and the path of `--add-runtime`. Docker makes the name lower case.
    pub fn runtime(&self) -> Option<(String, &str)> {
        let (name, path) = self.value.split_once('=')?;
        (self.name == "add-runtime").then(|| (name.trim().to_lowercase(), path.trim()))
    }
}

/// The reason why a command line is not edited.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CommandLineError {
    /// A quote is not closed, or an escape is not known to systemd.
    #[error("{place}: the quotes or backslashes of ExecStart= are not balanced: {value}")]
    Quotes {
        /// The file and line.
        place: String,
        /// The command.
        value: String,
    },
    /// Another program is started.
    #[error("{place}: ExecStart= does not start dockerd, but `{program}`: its flags are not known")]
    Program {
        /// The file and line.
        place: String,
        /// The program.
        program: String,
    },
    /// A value cannot stand in a command line of systemd.
    #[error("`{0}` cannot stand in ExecStart=")]
    Value(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    range: Range<usize>,
}

/// The command line of dockerd.
#[derive(Debug, Clone)]
pub struct CommandLine {
    command: ExecStart,
    words: Vec<Word>,
    variables: BTreeMap<String, Variable>,
}

impl CommandLine {
    /// Takes a command apart.
    ///
    /// # Errors
    /// When systemd could not, or it starts another program than dockerd.
    pub fn of(
        command: ExecStart,
        variables: BTreeMap<String, Variable>,
    ) -> Result<Self, CommandLineError> {
        let place = format!("{}:{}", command.file.display(), command.line);
        let Some(words) = words(&command.value) else {
            let value = command.value;
            return Err(CommandLineError::Quotes { place, value });
        };
        let first = words.first().map(|word| word.text.as_str());
        let program = first
            .unwrap_or_default()
            .trim_start_matches(['@', '-', ':', '+', '!']);
        let is_dockerd = Path::new(program)
            .file_name()
            .is_some_and(|name| name == "dockerd");
        // A lone semicolon begins another command.
        if !is_dockerd || words.iter().any(|word| word.text == ";") {
            let program = program.to_owned();
            return Err(CommandLineError::Program { place, program });
        }
        Ok(Self {
            command,
            words,
            variables,
        })
    }

    /// Returns the program, as it is written.
    pub fn program(&self) -> &str {
        let first = self.words.first().map_or("dockerd", |word| &word.text);
        first.trim_start_matches(['@', '-', ':', '+', '!'])
    }

    /// Returns the command as a value of ExecStart=.
    pub fn value(&self) -> &str {
        &self.command.value
    }

    /// Returns the flags in their order, those in variables included.
    pub fn flags(&self) -> Vec<Flag> {
        let mut flags = Vec::new();
        let mut own = Vec::new();
        for (index, word) in self.words.iter().enumerate().skip(1) {
            match self.variable_of(&word.text) {
                Some(variable) => {
                    flags.append(&mut self.read(&std::mem::take(&mut own)));
                    let inner = variable.value.split_whitespace().map(str::to_owned);
                    let place = (variable.file.clone(), None);
                    flags.extend(read_flags(
                        &inner.map(|word| (word, None)).collect::<Vec<_>>(),
                        &place,
                    ));
                }
                None => own.push((self.expanded(&word.text), Some(index))),
            }
        }
        flags.append(&mut self.read(&own));
        flags
    }

    fn read(&self, words: &[(String, Option<usize>)]) -> Vec<Flag> {
        let place = (self.command.file.clone(), Some(self.command.line));
        read_flags(words, &place)
    }

    /// Returns the variable that a whole word stands for: systemd takes its value apart.
    fn variable_of(&self, word: &str) -> Option<&Variable> {
        self.variables.get(word.strip_prefix('$')?)
    }

    /// Replaces `${NAME}` inside of a word.
    fn expanded(&self, word: &str) -> String {
        let mut text = word.to_owned();
        for (name, variable) in &self.variables {
            text = text.replace(&format!("${{{name}}}"), &variable.value);
        }
        text.replace("$$", "$").replace("%%", "%")
    }

    /// Adds a flag with its value at the end.
    ///
    /// # Errors
    /// When the value cannot stand there.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), CommandLineError> {
        let word = written(&format!("--{name}={value}"))?;
        self.command.value = format!("{} {word}", self.command.value.trim_end());
        self.reread();
        Ok(())
    }

    /// Removes a flag. Returns false for one that stands in a variable.
    pub fn remove(&mut self, flag: &Flag) -> bool {
        let Some(place) = &flag.words else {
            return false;
        };
        let ends = (self.words.get(place.start), self.words.get(place.end - 1));
        let (Some(first), Some(last)) = ends else {
            return false;
        };
        let text = &self.command.value;
        let before = text[..first.range.start].trim_end();
        self.command.value = format!("{before}{}", &text[last.range.end..]);
        self.reread();
        true
    }

    fn reread(&mut self) {
        self.words = words(&self.command.value).unwrap_or_default();
    }
}

/// Reads flags as dockerd does. A word that is no flag is the value of the flag before it.
fn read_flags(words: &[(String, Option<usize>)], place: &(PathBuf, Option<usize>)) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let mut wants = false;
    for (word, index) in words {
        let own = index.map(|index| index..index + 1);
        let mut push = |name: &str, value: &str| {
            flags.push(Flag {
                name: name.to_owned(),
                value: value.to_owned(),
                place: place.clone(),
                words: own.clone(),
            });
        };
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').unwrap_or((long, ""));
            push(name, value);
            wants = !long.contains('=');
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            wants = short_flags(letters, &mut push);
        } else if let Some(flag) = flags.last_mut().filter(|_| wants) {
            flag.value.clone_from(word);
            if let (Some(words), Some(index)) = (&mut flag.words, index) {
                words.end = index + 1;
            }
            wants = false;
        }
    }
    flags
}

/// Reads `-D`, `-Hfd://`, `-Dl debug`. Returns true if the last one's value is the next word.
fn short_flags(letters: &str, push: &mut impl FnMut(&str, &str)) -> bool {
    for (at, letter) in letters.char_indices() {
        let known = SHORT.iter().find(|(short, _)| *short == letter);
        let name = known.map_or_else(|| letter.to_string(), |(_, name)| (*name).to_owned());
        let rest = &letters[at + letter.len_utf8()..];
        if !["debug", "version"].contains(&name.as_str()) {
            push(&name, rest.strip_prefix('=').unwrap_or(rest));
            return rest.is_empty();
        }
        push(&name, "");
    }
    false
}

/// Returns a word as systemd takes it.
fn written(word: &str) -> Result<String, CommandLineError> {
    if word.chars().any(char::is_control) {
        return Err(CommandLineError::Value(word.to_owned()));
    }
    let word = word.replace('%', "%%").replace('$', "$$");
    let plain = |letter: char| !letter.is_whitespace() && !"\"'\\;".contains(letter);
    if word.chars().all(plain) {
        return Ok(word);
    }
    Ok(format!(
        "\"{}\"",
        word.replace('\\', r"\\").replace('"', "\\\"")
    ))
}

/// Takes a command apart as systemd does. `None` if its quotes or escapes are broken.
fn words(command: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut open: Option<Word> = None;
    let mut quote = None;
    let mut letters = command.char_indices();
    while let Some((at, letter)) = letters.next() {
        let is_gap = quote.is_none() && letter.is_ascii_whitespace();
        if is_gap {
            words.extend(open.take());
            continue;
        }
        let word = open.get_or_insert_with(|| Word {
            text: String::new(),
            range: at..at,
        });
        match (letter, quote) {
            (letter, Some(mark)) if letter == mark => quote = None,
            ('"' | '\'', None) => quote = Some(letter),
            ('\\', _) => word.text.push_str(&escaped(&mut letters)?),
            _ => word.text.push(letter),
        }
        word.range.end = letters.offset();
    }
    words.extend(open);
    quote.is_none().then_some(words)
}

/// Reads an escape of systemd, behind its backslash. One that it does not know stands for itself.
/// `None` for a backslash at the end.
fn escaped(letters: &mut std::str::CharIndices) -> Option<String> {
    let (_, letter) = letters.clone().next()?;
    let known = escape(letters);
    Some(known.map_or_else(|| format!("\\{letter}"), String::from))
}

fn escape(letters: &mut std::str::CharIndices) -> Option<char> {
    let (_, letter) = letters.next()?;
    let mut number = |digits: usize, radix: u32| {
        let text: String = letters.clone().take(digits).map(|(_, one)| one).collect();
        let value = u32::from_str_radix(&text, radix)
            .ok()
            .and_then(char::from_u32)?;
        letters.by_ref().take(digits).for_each(drop);
        Some(value)
    };
    match letter {
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        's' => Some(' '),
        '\\' | '"' | '\'' => Some(letter),
        'x' => number(2, 16),
        'u' => number(4, 16),
        'U' => number(8, 16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: &str) -> Result<CommandLine, CommandLineError> {
        let command = ExecStart {
            value: value.to_owned(),
            file: "/u".into(),
            line: 7,
        };
        let variable = Variable {
            value: "--default-runtime k  -D".to_owned(),
            file: "/etc/default/docker".into(),
        };
        CommandLine::of(command, [("DOCKER_OPTS".to_owned(), variable)].into())
    }

    fn flags(value: &str) -> Vec<String> {
        let shown = |flag: Flag| format!("{} {} {}", flag.key(), flag.value, flag.shown_place());
        line(value)
            .unwrap()
            .flags()
            .into_iter()
            .map(shown)
            .collect()
    }

    #[test]
    fn flags_are_read_as_dockerd_reads_them() {
        assert_eq!(
            flags(
                "-/usr/sbin/dockerd -H fd:// --containerd=/c.sock $DOCKER_OPTS -Dl info --label 'a=b c' --add-runtime K=/k"
            ),
            [
                "hosts fd:// /u:7",
                "containerd /c.sock /u:7",
                "default-runtime k /etc/default/docker",
                "debug  /etc/default/docker",
                "debug  /u:7",
                "log-level info /u:7",
                "labels a=b c /u:7",
                "runtimes K=/k /u:7",
            ]
        );
        let added = line("dockerd --add-runtime K=/k").unwrap().flags();
        assert_eq!(added[0].runtime(), Some(("k".to_owned(), "/k")));
    }

    #[test]
    fn an_edit_leaves_the_other_words_as_they_are_written() {
        let mut command =
            line("/usr/bin/dockerd  -H fd://   --add-runtime 'k=/old path' $DOCKER_OPTS").unwrap();
        let old = command
            .flags()
            .into_iter()
            .find(|flag| flag.runtime().is_some())
            .unwrap();
        assert!(command.remove(&old));
        command.add("add-runtime", "k=/new path/100%").unwrap();
        assert_eq!(
            command.value(),
            "/usr/bin/dockerd  -H fd:// $DOCKER_OPTS \"--add-runtime=k=/new path/100%%\""
        );
        let of_variable = command
            .flags()
            .into_iter()
            .find(|flag| flag.name == "default-runtime")
            .unwrap();
        assert!(!command.remove(&of_variable));
        assert!(command.add("x", "a\nb").is_err());
    }

    #[test]
    fn what_is_not_dockerd_or_not_balanced_is_refused() {
        for (value, words) in [
            (
                "/usr/bin/podman system service",
                "does not start dockerd, but `/usr/bin/podman`",
            ),
            ("/usr/bin/dockerd 'a", "not balanced"),
            ("/usr/bin/dockerd \\", "not balanced"),
            ("/usr/bin/dockerd ; /bin/true", "does not start dockerd"),
            ("", "does not start dockerd, but ``"),
        ] {
            let error = line(value).unwrap_err().to_string();
            assert!(error.contains(words), "{value}: {error}");
        }
    }
}
