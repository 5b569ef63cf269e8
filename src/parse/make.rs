//! Reads what make, the shells and cargo print: programs that are missing, and whether a recipe ran
//! at all.

use super::evidence::Evidence;
use super::marks::{CHECKERS, Marks};

/// The most missing programs that are kept.
pub(super) const MOST_PROGRAMS: usize = 32;

/// The words with which scripts say that they miss a program.
const MISSED: [&str; 9] = [
    "command not found",
    "not found",
    "not installed",
    "No such file or directory",
    "lease install",
    "must be installed",
    "ENOENT",
    "no such file or directory",
    " installed",
];

/// Reads the output outside of tests.
#[derive(Debug, Default)]
pub(super) struct Make {
    /// Programs that were not found, in order.
    pub missing: Vec<String>,
    /// A recipe that ended with 127 or 126, with its target.
    unexplained: Option<String>,
    /// True if a line was seen that only a recipe prints.
    pub recipe: bool,
    /// True if output was seen that is not make's own.
    pub other: bool,
}

impl Make {
    /// Looks at any line, which has these marks: a message of make itself, and whether it shows a
    /// recipe.
    pub(super) fn watch(&mut self, text: &str, marks: Marks, evidence: &mut Evidence) {
        let idle = marks.has(Marks::OF_MAKE).then(|| idle(text)).flatten();
        if let Some(idle) = idle {
            evidence.make_idle.get_or_insert_with(|| idle.to_owned());
        } else if !self.recipe {
            self.recipe = is_recipe(text);
            self.other = self.other || !text.trim().is_empty();
        }
    }

    /// Takes the last of the lines that were passed over.
    pub(super) fn skipped(&mut self, last: &[u8]) {
        self.recipe = self.recipe || !last.iter().all(u8::is_ascii_whitespace);
        self.other |= self.recipe;
    }

    /// Adds a program that is missing outside of any test.
    pub(super) fn missing(&mut self, program: String) {
        if self.missing.len() < MOST_PROGRAMS && !self.missing.contains(&program) {
            self.missing.push(program);
        }
    }

    /// Takes a recipe that ended with 127: a program is missing, even if no message names it.
    pub(super) fn error(&mut self, text: &str) {
        if let Some(target) = error_127(text) {
            self.unexplained.get_or_insert(target);
        }
    }

    /// Describes a recipe that ended with 127 without a named program.
    pub(super) fn unexplained(&self) -> Option<&str> {
        self.unexplained.as_deref()
    }
}

/// Parses `make: Nothing to be done for 'check'.` and `make: 'test' is up to date.`, but not those
/// of a sub-make.
fn idle(text: &str) -> Option<&str> {
    let message = text.trim().strip_prefix("make: ")?;
    let idle =
        message.starts_with("Nothing to be done for ") || message.ends_with(" is up to date.");
    idle.then_some(message)
}

/// Returns true if only a recipe prints this line. Lines that `$(shell …)` and make itself print
/// while the Makefile is read prove nothing.
fn is_recipe(text: &str) -> bool {
    let text = text.trim();
    let proves_nothing = [
        "INFO: ",
        "WARNING: ",
        "ERROR: ",
        "make: ",
        "curl: ",
        "/bin/sh: ",
        "sh: ",
        "fatal: ",
        "warning: ",
        "go: ",
    ];
    !text.is_empty()
        && !text.contains(": *** ")
        && !proves_nothing.iter().any(|start| text.starts_with(start))
}

/// Parses `make: *** [Makefile:39: test] Error 127`.
fn error_127(text: &str) -> Option<String> {
    if !text.as_bytes().contains(&b'*') {
        return None;
    }
    let (head, rest) = text.trim().split_once(": *** [")?;
    let (place, code) = rest.split_once("] Error ")?;
    let missing = head.starts_with("make") && code.split(' ').next() == Some("127");
    let (file, target) = place.rsplit_once(": ").unwrap_or(("", place));
    let file = if file.is_empty() {
        String::new()
    } else {
        format!(" ({file})")
    };
    missing.then(|| format!("a program that `{target}`{file} runs"))
}

/// Returns the program that a shell, make, env or cargo reports as missing in a line with these
/// marks.
pub(super) fn missing_program(text: &str, marks: Marks) -> Option<String> {
    if !marks.has(Marks::MISSING) {
        return None;
    }
    let text = text.trim();
    if let Some(command) = text.strip_prefix("error: no such command: `") {
        return command
            .split('`')
            .next()
            .map(|command| format!("cargo-{command}"));
    }
    let program = command_not_found(text)
        .or_else(|| shell_not_found(text))
        .or_else(|| no_such_file(text))
        .or_else(|| no_permission(text))
        .or_else(|| cargo(text))
        .or_else(|| marks.has(Marks::CHECKER).then(|| missed_checker(text))?)?;
    let program = program.trim_matches(['‘', '’', '\'', '"', '`']).trim();
    let plain = !program.is_empty() && program.len() < 512 && !program.contains([' ', '\t']);
    plain.then(|| program.to_owned())
}

/// Parses the messages of bash, `X: line 3: PROG: command not found` and `bash: PROG: command not
/// found`; sudo prints the same.
fn command_not_found(text: &str) -> Option<&str> {
    let (_, program) = text
        .strip_suffix(": command not found")?
        .rsplit_once(": ")?;
    Some(program)
}

/// Parses the message of dash, `/bin/sh: 1: PROG: not found`.
fn shell_not_found(text: &str) -> Option<&str> {
    let mut parts = text.strip_suffix(": not found")?.rsplitn(3, ": ");
    let (program, number, shell) = (parts.next()?, parts.next()?, parts.next()?);
    (is_number(number) && !shell.contains("  ")).then_some(program)
}

/// Parses the messages about missing files: make's `make: PROG: No such file or directory`; bash's
/// `bash: /x.sh: …` and `X: line 3: PROG: …`; `env: ‘PROG’: …`; `timeout: failed to run command
/// ‘PROG’: …`; dash's `sh: 0: cannot open x.sh: No such file`.
fn no_such_file(text: &str) -> Option<&str> {
    if let Some((head, program)) = text
        .strip_suffix(": No such file")
        .and_then(|text| text.split_once(": cannot open "))
    {
        return head.contains("sh: ").then_some(program);
    }
    let message = text.strip_suffix(": No such file or directory")?;
    runner(message)
}

fn no_permission(text: &str) -> Option<&str> {
    runner(
        text.strip_suffix(": Permission denied")
            .or(text.strip_suffix(": permission denied"))?,
    )
}

/// Returns the program of `WHO: PROG`, if `WHO` is a program that runs others and the message is
/// about that.
fn runner(message: &str) -> Option<&str> {
    let (who, program) = message.rsplit_once(": ")?;
    let program = program
        .strip_prefix("failed to run command ")
        .unwrap_or(program);
    let (speaker, line) = who.split_once(": line ").unwrap_or((who, ""));
    let name = speaker.rsplit('/').next().unwrap_or(speaker);
    let name = name.split('[').next().unwrap_or(name);
    let runs = match name {
        "make" => {
            !program.ends_with("akefile") && !program.ends_with(".mk") && !program.contains("***")
        }
        "bash" | "sh" => line.is_empty() || program.contains('/'),
        "env" | "timeout" | "xargs" | "nohup" | "setsid" => true,
        // A script names itself, but the message for a missing file of a redirection is the same.
        _ => is_number(line) && lies_with_programs(program),
    };
    runs.then_some(program)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true for paths of programs such as `/go/bin/yq` and `./install_yq.sh`.
fn lies_with_programs(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    directory.ends_with("/bin") || directory.ends_with("/sbin") || name.ends_with(".sh")
}

/// Recognises the message of a script that misses a known checker, whatever its words: `x.sh: line
/// 3: pushd: /go/src/golangci-lint: No such file or directory`, `ERROR: need yamllint installed`,
/// `exec: "shellcheck": executable file not found in $PATH`. A script that does without it, or
/// installs it, says so.
fn missed_checker(text: &str) -> Option<&'static str> {
    let is_lack = MISSED.iter().any(|words| text.contains(words));
    let lower = text.to_ascii_lowercase();
    let is_note = lower.starts_with("info")
        || lower.starts_with("warn")
        || ["skip", "already", "is installed", "successfully"]
            .iter()
            .any(|word| lower.contains(word));
    if !is_lack || is_note || is_place(text) {
        return None;
    }
    if let Some(program) = program_in_words(text) {
        return Some(program);
    }
    let directory = text.strip_suffix(": No such file or directory")?;
    let (who, path) = directory.rsplit_once(": ")?;
    let is_change = who.ends_with(": pushd") || who.ends_with(": cd");
    let name = path.rsplit('/').next().filter(|_| is_change)?;
    CHECKERS.iter().find(|checker| **checker == name).copied()
}

/// Returns the checker that a message names as a word, or as a program in quotes.
fn program_in_words(text: &str) -> Option<&'static str> {
    if text.ends_with(": No such file or directory") {
        return None;
    }
    let words = text.split(|letter: char| !(letter.is_alphanumeric() || "-_/.".contains(letter)));
    words
        .filter_map(|word| CHECKERS.iter().find(|checker| **checker == word))
        .next()
        .copied()
}

/// Returns true for `FILE:LINE: message`, which is about a file.
fn is_place(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let (file, line) = (parts.next(), parts.next());
    file.is_some_and(|file| !file.contains(' ')) && line.is_some_and(is_number)
}

/// Parses the messages of cargo: `error: could not execute process `x …` (never executed)`, `error:
/// 'cargo-clippy' is not installed for the toolchain …`.
fn cargo(text: &str) -> Option<&str> {
    let message = text.strip_prefix("error: ")?;
    if let Some(process) = message
        .strip_prefix("could not execute process `")
        .filter(|_| message.ends_with("(never executed)"))
    {
        return process.split([' ', '`']).next();
    }
    let program = message.strip_prefix('\'')?;
    let (program, rest) = program.split_once('\'')?;
    rest.starts_with(" is not installed for the ")
        .then_some(program)
}
