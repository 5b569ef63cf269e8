//! Parses single values of a configuration.
//!
//! Each function takes any text. It refuses an invalid one with an example of a valid one. None
//! knows the location of the text.

use std::time::Duration;

use super::diagnostic::{printable, quote, suggestion};
use super::{
    CommitRules, Flaky, Ignore, IsolatePolicy, Layout, LeftBehindPolicy, NetworkPolicy, Proxy,
    Reads, Requirement,
};
use crate::model::Expect;

/// A text that is invalid for its key.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The diagnostic, in a line.
    pub title: String,
    /// The text to write instead, for under the carets.
    pub label: String,
}

impl Refusal {
    /// Makes a refusal.
    pub fn new(title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            label: label.into(),
        }
    }
}

/// The most bytes of a name. Names become parts of file names (`COMPONENT.STEP.2.log`, at most 255
/// bytes) and of arguments.
const LONGEST_NAME: usize = 100;

/// The longest time. Longer is no limit, and a longer time could overflow a clock.
const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// Parses the name of a component or step.
pub(super) fn name(text: &str) -> Result<String, Refusal> {
    let wrong = if text.is_empty() {
        "a name cannot be empty"
    } else if text.starts_with('-') {
        "a name cannot begin with `-`: it would be read as an option"
    } else if text.contains(['/', '.']) {
        "a name cannot hold `/` or `.`: it becomes part of file names"
    } else if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        "a name cannot hold white space or control characters"
    } else if text.len() > LONGEST_NAME {
        "a name cannot be longer than 100 bytes: it becomes part of file names"
    } else {
        return Ok(text.to_owned());
    };
    Err(Refusal::new(
        format!("{} is no usable name", quote(text)),
        wrong,
    ))
}

/// Accepts any text that is not empty.
pub(super) fn filled(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("an empty text", "write something here"));
    }
    Ok(text.to_owned())
}

/// Parses a pattern of paths.
pub(super) fn pattern(text: &str) -> Result<String, Refusal> {
    let text = filled(text)?;
    match Ignore::new([&*text]) {
        Ok(_) => Ok(text),
        Err(error) => Err(Refusal::new(
            format!("{} is no pattern of paths", quote(&text)),
            printable(&error.kind().to_string()),
        )),
    }
}

/// Parses a pattern of report files: relative to the component, and below it.
pub(super) fn reports(text: &str) -> Result<String, Refusal> {
    let text = filled(text)?;
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        return Err(Refusal::new(
            format!("{} leads out of the component", quote(&text)),
            "write a path below the component's directory, such as \"build/reports/**/*.xml\"",
        ));
    }
    match globset::Glob::new(&text) {
        Ok(_) => Ok(text.trim_start_matches("./").to_owned()),
        Err(error) => Err(Refusal::new(
            format!("{} is no pattern of paths", quote(&text)),
            printable(&error.kind().to_string()),
        )),
    }
}

/// Accepts any text.
pub(super) fn any(text: &str) -> Result<String, Refusal> {
    Ok(text.to_owned())
}

/// Parses the reason of an `allow_vacuous`.
pub(super) fn reason(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(
            "`allow_vacuous` without a reason",
            "say why a job that tests nothing is all right: the reason is shown with each run",
        ));
    }
    Ok(text.to_owned())
}

/// Parses the reason of an `allow_errors`.
pub(super) fn errors_reason(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(
            "`allow_errors` without a reason",
            "say why errors in the output are all right: the reason is shown with each run",
        ));
    }
    Ok(text.to_owned())
}

/// Parses a size in bytes that is not zero: `512MiB`, `2GiB`.
pub(super) fn size(text: &str) -> Result<u64, Refusal> {
    let digits =
        text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit = match text[digits.len()..].trim() {
        "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    let size = digits.parse::<u64>().ok().zip(unit);
    size.and_then(|(number, unit)| number.checked_mul(unit))
        .filter(|size| (1..=1 << 62).contains(size))
        .ok_or_else(|| {
            Refusal::new(
                format!("{} is no size", quote(text)),
                "write a whole number and a unit: B, KiB, MiB, GiB or TiB, as in \"2GiB\"",
            )
        })
}

/// Parses a size of memory that is enough to start a job.
pub(super) fn memory(text: &str) -> Result<u64, Refusal> {
    const LEAST: u64 = 16 << 20;
    size(text).and_then(|size| match size {
        LEAST.. => Ok(size),
        _ => Err(Refusal::new(
            "too little memory for any job",
            "give it \"16MiB\" or more",
        )),
    })
}

/// Parses the name of an environment variable.
pub(super) fn variable(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.contains(['=', '\0']) {
        return Err(Refusal::new(
            format!("{} cannot name an environment variable", quote(text)),
            "a name is not empty and holds neither `=` nor NUL",
        ));
    }
    Ok(text.to_owned())
}

/// Parses the name of a program of `[tools]`.
pub(super) fn program_name(text: &str) -> Result<String, Refusal> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    match begins && text.len() <= LONGEST_NAME && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Refusal::new(
            format!("{} cannot name a program", quote(text)),
            "the name of its file, without a directory",
        )),
    }
}

/// Parses a program of `[tools]`; the empty text removes one.
pub(super) fn tool(text: &str) -> Result<String, Refusal> {
    match text.parse::<super::Tool>() {
        _ if text.is_empty() => Ok(String::new()),
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(Refusal::new(
            format!("{} is no program that can be installed", quote(text)),
            error.to_string(),
        )),
    }
}

/// Parses a pattern of variables: a name with `*` and `?`.
pub(super) fn variable_pattern(text: &str) -> Result<String, Refusal> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_*?".contains(letter);
    match !text.is_empty() && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Refusal::new(
            format!("{} is no pattern of variables", quote(text)),
            "write names, with `*` for any letters: [\"LIBC\", \"KATA_*\"]",
        )),
    }
}

/// Parses a time that is not zero: `90s`, `1h 30m`.
pub(super) fn timeout(text: &str) -> Result<Duration, Refusal> {
    let duration = grace(text)?;
    if duration.is_zero() {
        return Err(Refusal::new(
            "a timeout of zero",
            "every job would be ended at once: give it some time, such as \"30m\"",
        ));
    }
    Ok(duration)
}

/// Parses a time, which may be zero.
pub(super) fn grace(text: &str) -> Result<Duration, Refusal> {
    let duration = humantime::parse_duration(text).map_err(|_| {
        Refusal::new(
            format!("{} is not a duration", quote(text)),
            "write \"10m\", \"90s\" or \"1h 30m\"",
        )
    })?;
    bounded(duration).ok_or_else(|| {
        Refusal::new(
            format!("{} is longer than a year", quote(text)),
            "write the longest time worth waiting for",
        )
    })
}

/// Returns the duration, unless it is longer than any clock could wait.
pub(super) fn bounded(duration: Duration) -> Option<Duration> {
    (duration <= LONGEST_TIME).then_some(duration)
}

/// Parses `off`, `auto` or `on`.
pub(super) fn network(text: &str) -> Result<NetworkPolicy, Refusal> {
    one_of(
        text,
        "policy",
        &[
            ("off", NetworkPolicy::Off),
            ("auto", NetworkPolicy::Auto),
            ("on", NetworkPolicy::On),
        ],
    )
}

/// Parses `off`, `auto` or `on`.
pub(super) fn isolate(text: &str) -> Result<IsolatePolicy, Refusal> {
    one_of(
        text,
        "policy",
        &[
            ("off", IsolatePolicy::Off),
            ("auto", IsolatePolicy::Auto),
            ("on", IsolatePolicy::On),
        ],
    )
}

/// Parses the URL of a proxy. It may hold a password, so a refused text is not repeated.
pub(super) fn proxy(text: &str) -> Result<Proxy, Refusal> {
    Proxy::parse(text).ok_or_else(|| {
        Refusal::new(
            "this is no URL of a proxy",
            "write it like \"http://proxy.example.com:3128\" (or https, socks5, socks5h), or \"\" for none at all",
        )
    })
}

/// Parses a host for `no_proxy`.
pub(super) fn host(text: &str) -> Result<String, Refusal> {
    if text.is_empty() || text.contains(|letter: char| letter == ',' || letter.is_whitespace()) {
        return Err(Refusal::new(
            format!("{} is not one host", quote(text)),
            "write a list: [\"localhost\", \".example.com\"]",
        ));
    }
    Ok(text.to_owned())
}

/// Parses `cases`, `commands` or `exit`.
pub(super) fn expect(text: &str) -> Result<Expect, Refusal> {
    one_of(
        text,
        "expectation",
        &[
            ("cases", Expect::Cases),
            ("commands", Expect::Commands),
            ("exit", Expect::Exit),
        ],
    )
}

/// Parses `pass` or `fail`.
pub(super) fn flaky(text: &str) -> Result<Flaky, Refusal> {
    one_of(
        text,
        "outcome of a flaky job",
        &[("pass", Flaky::Pass), ("fail", Flaky::Fail)],
    )
}

/// Parses `report` or `fail`.
pub(super) fn left_behind(text: &str) -> Result<LeftBehindPolicy, Refusal> {
    one_of(
        text,
        "answer to what a job leaves behind",
        &[
            ("report", LeftBehindPolicy::Report),
            ("fail", LeftBehindPolicy::Fail),
        ],
    )
}

/// Parses `tree` or `commits`.
pub(super) fn reads(text: &str) -> Result<Reads, Refusal> {
    one_of(
        text,
        "thing to read",
        &[("tree", Reads::Tree), ("commits", Reads::Commits)],
    )
}

/// Parses `kata` or `none`.
pub(super) fn commit_rules(text: &str) -> Result<CommitRules, Refusal> {
    one_of(
        text,
        "set of rules",
        &[("kata", CommitRules::Kata), ("none", CommitRules::None)],
    )
}

/// Parses `plain` or `gopath`.
pub(super) fn layout(text: &str) -> Result<Layout, Refusal> {
    one_of(
        text,
        "layout",
        &[("plain", Layout::Plain), ("gopath", Layout::Gopath)],
    )
}

/// Parses a word of `requires`.
pub(super) fn requirement(text: &str) -> Result<Requirement, Refusal> {
    text.parse().map_err(|error: super::UnknownRequirement| {
        const KNOWN: [&str; 6] = ["go", "cargo", "tests-clone", "origin", "root", "kvm"];
        let label = match suggestion(text, KNOWN) {
            _ if text.contains(">=") => "write a version in numbers: \"go>=1.19\"".to_owned(),
            similar if similar.is_empty() => "a program is written \"program:NAME\"".to_owned(),
            similar => similar,
        };
        Refusal::new(printable(&error.to_string()), label)
    })
}

fn one_of<T: Copy>(text: &str, what: &str, known: &[(&str, T)]) -> Result<T, Refusal> {
    if let Some((_, value)) = known.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<_> = known
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect();
    let similar = suggestion(text, known.iter().map(|(word, _)| *word));
    Err(Refusal::new(
        format!("unknown {what} {}", quote(text)),
        format!("{similar} one of {}", words.join(", "))
            .trim()
            .to_owned(),
    ))
}
