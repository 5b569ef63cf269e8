//! The texts that go with the parts: `summary.md`, to be pasted into a bug report, and
//! `index.json`.

use std::fmt::Write as _;

use serde::Serialize;

use super::collect::Found;
use super::fatal;
use super::parts::Subject;
use super::raw::End;
use crate::text::secrets::mask;
use crate::text::{for_terminal, one_line};

/// The most bytes of the whole summary: an issue of GitHub holds 65,536 characters.
const MOST: usize = 60_000;

/// The most bytes of a part in it.
const PART: usize = 6_000;

/// The lines of problems that are shown of each log.
const PROBLEMS: usize = 50;

/// The parts that a maintainer asks for first.
const FIRST: &[&str] = &[
    "kata-runtime-version",
    "kata-runtime-env",
    "kata-ctl-version",
    "kata-ctl-env",
    "kata-shim-version",
    "kata-configuration",
    "containerd-version",
    "docker-version",
    "docker-configuration",
    "containerd-configuration",
    "crio-version",
    "kubectl-version",
    "kubectl-runtimeclasses",
];

/// A part as `index.json` has it.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    file: Option<String>,
    command: &'a str,
    end: String,
    exit_code: Option<i32>,
    seconds: f64,
    bytes: u64,
    cut: bool,
    masked: usize,
}

/// Returns `index.json`: every part with command, end, seconds, bytes, cut or not, masked secrets.
pub(super) fn index(found: &[Found]) -> String {
    let entries: Vec<Entry<'_>> = found.iter().map(entry).collect();
    let text = serde_json::to_string_pretty(&entries).unwrap_or_default();
    format!("{text}\n")
}

fn entry(found: &Found) -> Entry<'_> {
    Entry {
        file: found.has_text().then(|| format!("{}.txt", found.name)),
        command: &found.command,
        end: mask(&found.end.to_string()).text,
        exit_code: match found.end {
            End::Exited(code) => Some(code),
            _ => None,
        },
        seconds: (found.seconds * 1000.0).round() / 1000.0,
        bytes: found.total,
        cut: found.is_cut,
        masked: found.text.count,
    }
}

/// Returns the summary. `since` is the time that the logs begin at.
pub(super) fn summary(found: &[Found], since: &str) -> String {
    let masked: usize = found.iter().map(|found| found.text.count).sum();
    let mut text = format!(
        "# kata host: diagnosis\n\nBy kata-ci {} at {}. Logs since {}. {masked} secrets were masked.\n",
        env!("CARGO_PKG_VERSION"),
        crate::clock::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        escaped(since),
    );
    text.push_str(&fatal_lines(found));
    for name in FIRST {
        let parts = found
            .iter()
            .filter(|part| part.name == *name && part.has_text());
        for part in parts {
            details(&mut text, &part.command, &without_comments(&part.text.text));
        }
    }
    for log in found.iter().filter(|found| found.is_log) {
        let problems = fatal::problems(&log.text.text, PROBLEMS);
        if !problems.is_empty() {
            let title = format!("Last {} problems of {}", problems.len(), log.name);
            details(&mut text, &title, &problems.join("\n"));
        }
    }
    text.push_str(&table(found));
    text
}

fn fatal_lines(found: &[Found]) -> String {
    let lines: Vec<(&str, &str)> = found
        .iter()
        .flat_map(|part| {
            part.fatal()
                .into_iter()
                .map(|line| (part.name.as_str(), line))
        })
        .collect();
    if lines.is_empty() {
        return format!("\n{}\n", without_fatal_lines(found));
    }
    let shown: Vec<String> = (lines.iter().take(fatal::SHOWN))
        .map(|(name, line)| format!("{name}: {}", one_line(line, 400)))
        .collect();
    format!(
        "\n**{} fatal lines**, which kata's own tests take for a failure:\n\n{}\n",
        lines.len(),
        fenced(&shown.join("\n"))
    )
}

/// Tells that no log has a fatal line, as far as logs were read.
fn without_fatal_lines(found: &[Found]) -> String {
    let unread = unread(found);
    let has_entries = found.iter().any(|found| found.is_log && found.total > 0);
    match (unread.is_empty(), has_entries) {
        (true, true) => {
            "No log has a `fatal error`, a `fatal signal` or a `segfault at`.".to_owned()
        }
        (true, false) => "No log has an entry, so nothing is known of fatal errors.".to_owned(),
        (false, _) => format!(
            "**Not all logs were read**, so nothing is known of fatal errors in {}.",
            escaped(&unread.join(", "))
        ),
    }
}

/// Returns the logs that could not be read to their end, each with the reason.
pub(super) fn unread(found: &[Found]) -> Vec<String> {
    let is_read = |found: &&Found| !found.is_log || matches!(found.end, End::Exited(0));
    let unread = found.iter().filter(|found| !is_read(found));
    unread
        .map(|found| format!("{} ({})", found.name, found.end))
        .collect()
}

/// Returns the lines of a configuration that say something, and of any other text all.
fn without_comments(text: &str) -> String {
    let is_said = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && (!line.starts_with('#') || line.starts_with("# /"))
    };
    text.lines().filter(is_said).collect::<Vec<_>>().join("\n")
}

fn details(text: &mut String, title: &str, body: &str) {
    let end = body.floor_char_boundary(PART.min(body.len()));
    let cut = if end < body.len() { "\n… (cut)" } else { "" };
    let block = format!(
        "\n<details><summary>{}</summary>\n\n{}\n\n</details>\n",
        escaped(title),
        fenced(&format!("{}{cut}", &body[..end]))
    );
    if text.len() + block.len() <= MOST {
        text.push_str(&block);
    }
}

fn table(found: &[Found]) -> String {
    let mut text =
        "\n| part | command | end | seconds | bytes | masked |\n|---|---|---|---|---|---|\n"
            .to_owned();
    let is_there = |found: &&Found| !found.is_absent() && !matches!(found.end, End::NotAsked(_));
    for part in found.iter().filter(is_there) {
        let cut = if part.is_cut { " (cut)" } else { "" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {}{cut} | {} |",
            part.name,
            escaped(&one_line(&part.command, 100)),
            escaped(&one_line(&mask(&part.end.to_string()).text, 100)),
            part.seconds,
            part.total,
            part.text.count
        );
    }
    let absent = absent(found);
    if !absent.is_empty() {
        let _ = writeln!(text, "\nNot there: {}.", escaped(&absent.join(", ")));
    }
    for part in found {
        if let End::NotAsked(why) = &part.end {
            let _ = writeln!(text, "\nNot asked: {}, since {}.", part.name, escaped(why));
        }
    }
    text
}

/// Returns the programs, and the sets of files, that are not there.
pub(super) fn absent(found: &[Found]) -> Vec<String> {
    let parts = found.iter().filter(|found| found.is_absent());
    let mut names: Vec<String> = parts
        .map(|found| match found.command.split(' ').next() {
            Some("cat") | None => found.name.clone(),
            Some(program) => program.to_owned(),
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Puts text into a block that it cannot end.
fn fenced(text: &str) -> String {
    let longest = text
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}", text.trim_end())
}

/// Returns text for a table or a heading: no pipe, tag or mark-up of its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in for_terminal(text, 2000).chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | '@' | '#' | '\\' => {
                let _ = write!(escaped, "&#{};", letter as u32);
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Returns the subjects of parts that did not end by themselves, for a person.
pub(super) fn unanswered(found: &[Found]) -> Vec<String> {
    let late = found
        .iter()
        .filter(|found| matches!(found.end, End::TimedOut(_)));
    late.map(|found| one_line(&found.command, 60)).collect()
}

/// Returns one subject's parts for a terminal: a heading for each, then its text.
pub(super) fn shown(found: &[Found], subject: Subject) -> String {
    let mut text = String::new();
    for part in found
        .iter()
        .filter(|found| found.subject == subject && !found.is_absent())
    {
        let end = match &part.end {
            End::Exited(0) => String::new(),
            end => format!(" ({end})"),
        };
        let _ = writeln!(text, "== {}{end}", part.command);
        text.push_str(part.text.text.trim_end());
        text.push_str(if part.is_cut {
            "\n… (cut)\n\n"
        } else {
            "\n\n"
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::secrets::Masked;

    fn found(name: &str, text: &str, is_log: bool) -> Found {
        Found {
            name: name.to_owned(),
            subject: Subject::Journal,
            command: format!("journalctl -t {name}"),
            end: End::Exited(0),
            seconds: 0.5,
            total: text.len() as u64,
            is_cut: false,
            is_log,
            text: Masked {
                text: text.to_owned(),
                count: 2,
            },
        }
    }

    #[test]
    fn a_summary_says_what_is_fatal_and_nothing_ends_its_blocks() {
        let log = found("kata", "an error ```\n</details> fatal error: x\n", true);
        let other = found(
            "kata-configuration",
            "# /etc/x\n# comment\nfatal error = 1\n",
            false,
        );
        let text = summary(&[log, other], "@1");
        assert!(text.contains("**1 fatal lines**") && text.contains("4 secrets were masked"));
        assert!(
            text.contains("````\n") && !text.contains("# comment") && text.contains("# /etc/x")
        );
        assert!(text.contains("Last 2 problems of kata"), "{text}");
        let big = found("kata-configuration", &"x = 1\n".repeat(50_000), false);
        assert!(summary(&[big], "@1").len() < 65_536);
    }
}
