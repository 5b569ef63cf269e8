//! Writes `summary.md`: a run for the page of a CI system, in GitHub's Markdown, which GitLab and
//! others read too.
//!
//! Untrusted text is never markup: its punctuation is written as character references, and output
//! stands in fences longer than any in it.
//!
//! The file has at most [`CAP`] bytes. Entries that do not fit are counted in the last line; none
//! is cut in its middle.

use std::io::{self, Write};

use super::excerpt::ends;
use super::format::{duration, plural};
use super::model::{Case, CaseState, Document, Suite, properties};
use crate::text::{is_deceptive, undeceptive};

/// The most bytes of a document. GitHub takes 1 MiB a step, and the last line has to fit too.
const CAP: usize = 1024 * 1024 - TAIL;

/// The bytes reserved for the last line.
const TAIL: usize = 1024;

/// The most bytes of one case's output.
const OUTPUT_CAP: usize = 4 * 1024;

/// The most lines of a list.
const LINES: usize = 500;

/// Writes the summary.
pub fn write_markdown(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    write_within(document, CAP, out)
}

/// Returns the summary in at most `room` bytes; `None` if not even its head fits.
pub(super) fn markdown_within(document: &Document, room: usize) -> io::Result<Option<Vec<u8>>> {
    let room = room.saturating_sub(TAIL).min(CAP);
    let mut text = Vec::new();
    if head(document).len() > room {
        return Ok(None);
    }
    write_within(document, room, &mut text)?;
    Ok(Some(text))
}

fn write_within(document: &Document, room: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page {
        room,
        text: String::new(),
        full: false,
    };
    page.add(&head(document));
    jobs(document, &mut page);
    left_behind(document, &mut page);
    let mut left_out = 0;
    for suite in &document.suites {
        for case in suite.cases.iter().filter(|case| case.state.is_bad()) {
            if !page.add(&details(suite, case)?) {
                left_out += 1;
            }
        }
    }
    out.write_all(page.text.as_bytes())?;
    match left_out {
        0 => Ok(()),
        count => writeln!(
            out,
            "\n… and {count} more failures: they do not fit here, see the report."
        ),
    }
}

struct Page {
    room: usize,
    text: String,
    full: bool,
}

impl Page {
    /// Adds a piece whole, or not at all. Nothing follows the first piece that does not fit.
    fn add(&mut self, piece: &str) -> bool {
        self.full |= self.text.len() + piece.len() > self.room;
        if !self.full {
            self.text.push_str(piece);
        }
        !self.full
    }

    /// Adds a list of lines below its heading, as many as leave half of the room to the next lists.
    /// The rest is counted.
    fn add_list(&mut self, heading: &str, lines: Vec<String>, end: &str) {
        if lines.is_empty() {
            return;
        }
        let mut size = heading.len() + self.text.len();
        let fitting = lines.iter().take(LINES).take_while(|line| {
            size += line.len();
            size <= self.room / 2
        });
        let shown = fitting.count();
        self.add(&format!("{heading}{}", lines[..shown].concat()));
        if shown < lines.len() {
            self.add(&format!("\n… and {} more.\n", lines.len() - shown));
        }
        self.add(end);
    }
}

fn head(document: &Document) -> String {
    let counts = document.counts();
    let time = document
        .seconds
        .map_or_else(String::new, |seconds| format!(" · {}", duration(seconds)));
    let title = match document.title.as_str() {
        "" => "kata-ci",
        title => title,
    };
    let total = match counts.total() {
        0 => String::new(),
        total => format!("**{}**: ", plural(total as usize, "case")),
    };
    let mut head = format!(
        "## {}\n\n{total}{}{time}\n\n",
        escape(title),
        counts.sentence()
    );
    let isolation: Vec<_> = (document.facts.iter())
        .filter(|(name, _)| properties::ISOLATION.contains(name))
        .map(|(name, reach)| format!("{name} {}", escape(reach)))
        .collect();
    if !isolation.is_empty() {
        head.push_str(&format!("Isolation: {}\n\n", isolation.join(" · ")));
    }
    for notice in &document.notices {
        head.push_str(&format!("> {}\n\n", escape(&notice.text)));
    }
    head
}

fn jobs(document: &Document, page: &mut Page) {
    let heading = "| | job | cases | time |\n|---|---|---|---|\n";
    page.add_list(heading, document.suites.iter().map(row).collect(), "\n");
}

fn row(suite: &Suite) -> String {
    let word = suite.property(properties::OUTCOME);
    let has = |states: &[CaseState]| suite.cases.iter().any(|case| states.contains(&case.state));
    let sign = match word {
        Some("passed") => "✓",
        Some("failed" | "error" | "timed-out") => "✗",
        Some("vacuous") => "!",
        None if has(&[CaseState::Failed, CaseState::Error]) => "✗",
        None if has(&[CaseState::Passed, CaseState::Flaky]) => "✓",
        // Nothing was tested.
        _ => "–",
    };
    let reason = suite
        .reason()
        .map_or_else(String::new, |reason| format!("<br>{}", escape(reason)));
    let time = suite.seconds.map(duration).unwrap_or_default();
    format!(
        "| {sign} {} | {} | {}{reason} | {time} |\n",
        word.map(escape).unwrap_or_default(),
        escape(&suite.name),
        suite.counts().sentence()
    )
}

fn left_behind(document: &Document, page: &mut Page) {
    let all = document
        .suites
        .iter()
        .map(|suite| (suite, suite.left_behind()));
    let left = all.filter(|(_, left)| !left.is_empty());
    let lines = left.map(|(suite, left)| {
        let mut lines = format!("- {}\n", escape(&suite.name));
        for (what, names) in left {
            lines.push_str(&format!("  - {what}: {}\n", escape(names)));
        }
        lines
    });
    page.add_list("**Left behind**\n\n", lines.collect(), "\n");
}

fn details(suite: &Suite, case: &Case) -> io::Result<String> {
    let place = match &case.details {
        Some(details) => match (&details.file, details.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        },
        None => String::new(),
    };
    let mut text = format!(
        "<details><summary>✗ {} {} – {}{}</summary>\n\n",
        escape(&suite.name),
        escape(&case.name),
        escape(&place),
        escape(case.message())
    );
    let output = output(case)?;
    if !output.trim().is_empty() {
        text.push_str(&fenced(&ends(&output, OUTPUT_CAP)));
    }
    if let Some(again) = suite.property(properties::AGAIN) {
        text.push_str(&format!("again:\n\n{}", fenced(again)));
    }
    text.push_str("</details>\n\n");
    Ok(text)
}

fn output(case: &Case) -> io::Result<String> {
    let Some(details) = &case.details else {
        return Ok(String::new());
    };
    let bodies = details.problems.iter().map(|problem| &problem.body);
    let longest = bodies
        .chain([&details.out, &details.err])
        .max_by_key(|text| text.len());
    longest.map_or(Ok(String::new()), |text| Ok(text.load()?.into_owned()))
}

fn fenced(text: &str) -> String {
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let text = undeceptive(text.trim_end());
    format!("{fence}text\n{text}\n{fence}\n\n")
}

/// Escapes text on one line, so that nothing in it is markup, a mention or a link. GitHub looks for
/// mentions and mail addresses after it has resolved references, so only a comment can break them.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '@' | '#' => escaped.push_str(&format!("{character}<!-- -->")),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '!' | '$' => {
                escaped.push_str(&format!("&#{};", u32::from(character)));
            }
            other if is_deceptive(other) => {
                escaped.push_str(&format!("U+{:04X}", u32::from(other)));
            }
            other => escaped.push(other),
        }
    }
    escaped
        .replace("://", "&#58;//")
        .replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{from_run, read};

    fn markdown(document: &Document) -> String {
        let mut bytes = Vec::new();
        write_markdown(document, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn failing(count: usize, name: &str, output: &str) -> Document {
        let case = format!(
            "<testcase name=\"{name}\"><failure message=\"{name}\">{output}</failure></testcase>"
        );
        let xml = format!("<testsuite name=\"s\">{}</testsuite>", case.repeat(count));
        read::read_junit(xml.as_bytes(), &Default::default()).unwrap()
    }

    #[test]
    fn everything_at_once() {
        let run = crate::report::tests::sample::everything().run();
        insta::assert_snapshot!(markdown(&from_run(
            &run,
            &crate::report::tests::sample::nowhere()
        )));
    }

    #[test]
    fn it_stays_below_a_mebibyte_and_says_what_is_missing() {
        let text = markdown(&failing(2000, "t", &"x".repeat(3000)));
        assert!(text.len() < 1024 * 1024, "{}", text.len());
        assert!(text.ends_with("see the report.\n"));
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
    }

    #[test]
    fn a_long_list_of_jobs_leaves_room_and_says_how_many_are_missing() {
        let name = "&amp;".repeat(1000);
        let suite = format!("<testsuite name='{name}'><testcase name='t'/></testsuite>");
        let failed = "<testsuite name='s'><testcase name='bad'><failure/></testcase></testsuite>";
        let xml = format!("<testsuites>{}{failed}</testsuites>", suite.repeat(400));
        let text = markdown(&read::read_junit(xml.as_bytes(), &Default::default()).unwrap());
        assert!(text.len() < 1024 * 1024, "{}", text.len());
        let rows = text.matches("| ✓").count();
        assert!(
            text.contains(&format!("\n… and {} more.\n", 401 - rows)),
            "{rows}"
        );
        assert!(rows > 50 && text.contains("<details><summary>✗ s bad"));
    }

    #[test]
    fn a_suite_that_tested_nothing_has_not_passed() {
        for (cases, sign) in [
            ("", "–"),
            ("<testcase name='a'><skipped/></testcase>", "–"),
            (
                "<testcase name='a'><skipped/></testcase><testcase name='b'/>",
                "✓",
            ),
            (
                "<testcase name='a'/><testcase name='b'><error/></testcase>",
                "✗",
            ),
        ] {
            let xml = format!("<testsuite name='s'>{cases}</testsuite>");
            let text = markdown(&read::read_junit(xml.as_bytes(), &Default::default()).unwrap());
            assert!(
                text.contains(&format!("\n| {sign}  | s | ")),
                "{cases}: {text}"
            );
        }
    }

    #[test]
    fn foreign_text_is_no_markup() {
        let text = markdown(&failing(
            1,
            "&lt;b&gt;*x* @team [a](b) | #7 http://a.example www.a.example a@a.example",
            "a ``` b\n````\nc \u{202e}",
        ));
        for markup in ["<b>", "*x*", "@team", "[a]", "#7", "://", "www."] {
            assert!(!text.contains(markup), "{markup}: {text}");
        }
        assert!(!text.contains(is_deceptive), "{text}");
        assert!(text.contains("\n`````text\n"), "{text}");
    }
}
