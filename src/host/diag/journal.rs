//! The journal: entries as `journalctl -o json` prints them become lines for people.
//!
//! Only the fields of a line are asked for, so that the environment and the arguments of programs
//! stay in the journal.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The fields that a line shows.
const FIELDS: &str = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_COMM,_PID,SYSLOG_PID";

/// The most entries of a part.
const MOST: usize = 20_000;

/// The journal that is read.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    /// A file or directory of another one than this host's.
    pub place: Option<PathBuf>,
    /// The time that entries begin at, as `journalctl --since` takes it.
    pub since: String,
}

impl Journal {
    /// Returns the arguments that show entries up to now.
    pub(super) fn arguments(&self, selection: &[&str]) -> Vec<String> {
        let mut arguments = self.common(selection);
        arguments.extend(["--lines".to_owned(), MOST.to_string(), "--quiet".to_owned()]);
        arguments
    }

    /// Returns the arguments that show entries of a tag as they come.
    pub(super) fn follow(&self, tag: &str) -> Vec<String> {
        let mut arguments = self.common(&["-t", tag]);
        arguments.extend(["--follow", "--no-tail"].map(str::to_owned));
        arguments
    }

    fn common(&self, selection: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = selection.iter().map(|word| (*word).to_owned()).collect();
        let output = [
            "--output",
            "json",
            "--all",
            "--no-pager",
            "--output-fields",
            FIELDS,
        ];
        arguments.extend(output.map(str::to_owned));
        arguments.extend(["--since".to_owned(), self.since.clone()]);
        if let Some(place) = &self.place {
            let option = if place.is_dir() {
                "--directory"
            } else {
                "--file"
            };
            arguments.extend([option.to_owned(), shown(place)]);
        }
        arguments
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Renders the output of `journalctl -o json`: an entry a line, further lines of a message
/// indented. A line that is no entry stays as it is.
pub(super) fn render(output: &str) -> String {
    let mut text = String::with_capacity(output.len() / 2);
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        text.push_str(&entry(line).unwrap_or_else(|| line.to_owned()));
        text.push('\n');
    }
    text
}

/// Renders an entry: `2026-11-28T10:16:11.5Z kata[123] warning: message`.
pub(super) fn entry(line: &str) -> Option<String> {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
        return None;
    };
    let field = |name: &str| fields.get(name).map(text).filter(|text| !text.is_empty());
    let message = field("MESSAGE").unwrap_or_default();
    let time = field("__REALTIME_TIMESTAMP").and_then(|micros| time(&micros));
    let tag = field("SYSLOG_IDENTIFIER").or_else(|| field("_COMM"));
    let pid = field("_PID").or_else(|| field("SYSLOG_PID"));
    let mut shown = time.unwrap_or_else(|| "-".to_owned());
    shown.push(' ');
    shown.push_str(&tag.unwrap_or_else(|| "-".to_owned()));
    shown.extend(pid.map(|pid| format!("[{pid}]")));
    shown.extend(
        field("PRIORITY")
            .and_then(|number| priority(&number))
            .map(|word| format!(" {word}")),
    );
    shown.push_str(": ");
    shown.push_str(&message.trim_end().replace('\n', "\n    "));
    Some(shown)
}

/// Returns the text of a field: a string, an array of bytes if it is no text, an array of strings
/// if the entry has the field more than once.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(all) => {
            let bytes: Option<Vec<u8>> = all
                .iter()
                .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect();
            match bytes {
                Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                None => all.iter().map(text).collect::<Vec<_>>().join(" "),
            }
        }
        _ => String::new(),
    }
}

fn time(micros: &str) -> Option<String> {
    let micros = micros.parse().ok()?;
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// Returns the word for a priority that matters. Notices and less are not marked.
fn priority(number: &str) -> Option<&'static str> {
    let words = ["emergency", "alert", "critical", "error", "warning"];
    words.get(number.parse::<usize>().ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_become_lines() {
        let lines = [
            r#"{"__REALTIME_TIMESTAMP":"1795860199000000","SYSLOG_IDENTIFIER":"kata","_PID":"7","PRIORITY":"3","MESSAGE":"a\nb"}"#,
            r#"{"MESSAGE":[97,255,98],"_COMM":"qemu","PRIORITY":"6"}"#,
            r#"{"MESSAGE":null,"SYSLOG_IDENTIFIER":["kata","shim"]}"#,
            "-- No entries --",
        ];
        let expected = "2026-11-28T10:03:19.000Z kata[7] error: a\n    b\n- qemu: a\u{fffd}b\n- kata shim: \n-- No entries --\n";
        assert_eq!(render(&lines.join("\n")), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn a_mutated_entry_is_rendered_or_kept(at in 0usize..140, byte in any::<u8>(), cut in 0usize..140) {
            let mut line = br#"{"__REALTIME_TIMESTAMP":"1795860199000000","SYSLOG_IDENTIFIER":"kata","_PID":"7","MESSAGE":[104,105],"PRIORITY":"3"}"#.to_vec();
            let length = line.len();
            line[at % length] = byte;
            line.truncate(length - cut % 40);
            let text = String::from_utf8_lossy(&line).into_owned();
            prop_assert!(!render(&text).is_empty() || text.trim().is_empty());
        }
    }
}
