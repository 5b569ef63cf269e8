//! Writes GitHub's workflow commands: a line for each bad case, which GitHub shows at the case's
//! file and line. A check that failed has a line for each of its findings.

use std::io::{self, Write};

use super::ci::SourceTree;
use super::model::{Case, Document, Suite};
use crate::model::{CheckFinding, FindingLevel};
use crate::text::one_line;

/// The most errors that GitHub shows of one step ("limited to 10 warning annotations and 10 error
/// annotations per step", docs.github.com, REST API, Create a check run). The last of them says how
/// many more there are.
const SHOWN: usize = 10;

/// The most bytes of a text in one line.
const LINE_CAP: usize = 1024;

/// Writes the commands. Files have their names in the checkout, if they are found there.
pub fn write_annotations(
    document: &Document,
    checkout: &SourceTree,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bad = document
        .suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
        .filter(|(_, case)| case.state.is_bad());
    let mut commands = Vec::new();
    for (suite, case) in bad {
        match case.findings().as_slice() {
            [] => commands.push(command(suite, case, checkout)?),
            findings => commands.extend(
                (findings.iter()).map(|finding| at_finding(suite, case, finding, checkout)),
            ),
        }
    }
    let shown = if commands.len() > SHOWN {
        SHOWN - 1
    } else {
        commands.len()
    };
    for command in &commands[..shown] {
        writeln!(out, "{command}")?;
    }
    match commands.len() - shown {
        0 => Ok(()),
        more => writeln!(
            out,
            "::error title=kata-ci::and {more} more that failed: see the summary"
        ),
    }
}

fn command(suite: &Suite, case: &Case, checkout: &SourceTree) -> io::Result<String> {
    let mut properties = Vec::new();
    if let Some(details) = &case.details
        && let Some(file) = &details.file
    {
        let file = match checkout.find(suite, case) {
            Some(found) => checkout.name(&found),
            None => file.to_string(),
        };
        properties.push(format!("file={}", property(&file)));
        properties.extend(details.line.map(|line| format!("line={line}")));
    }
    let title = format!("{} {} {}", suite.name, case.name, case.word());
    properties.push(format!("title={}", property(&title)));
    let message = message(case)?;
    Ok(format!(
        "::error {}::{}",
        properties.join(","),
        data(&message)
    ))
}

/// Formats the command for a finding, at its own place.
fn at_finding(suite: &Suite, case: &Case, finding: &CheckFinding, checkout: &SourceTree) -> String {
    let mut properties = Vec::new();
    if let Some(file) = &finding.file {
        let found = checkout.find_file(suite, case, file);
        let name = found.map_or_else(|| file.clone(), |found| checkout.name(&found));
        properties.push(format!("file={}", property(&name)));
        properties.extend(finding.line.map(|line| format!("line={line}")));
        properties.extend(finding.column.map(|column| format!("col={column}")));
    }
    let origin = match finding.origin() {
        origin if origin.is_empty() => case.name.to_string(),
        origin => origin,
    };
    let title = format!("{} {origin}", suite.name);
    properties.push(format!("title={}", property(&one_line(&title, LINE_CAP))));
    let level = match finding.level {
        FindingLevel::Error => "error",
        FindingLevel::Warning => "warning",
    };
    let message = one_line(&finding.message, LINE_CAP);
    format!("::{level} {}::{}", properties.join(","), data(&message))
}

/// Returns the message of the case, else the first line of its text (PHPUnit writes no more), else
/// its state.
fn message(case: &Case) -> io::Result<String> {
    if !case.message().is_empty() {
        return Ok(case.message().to_owned());
    }
    let body = match case.problem() {
        Some(problem) => problem.body.load()?,
        None => "".into(),
    };
    let first = body.lines().find(|line| !line.trim().is_empty());
    Ok(one_line(first.unwrap_or(case.word()), LINE_CAP))
}

/// Escapes the text behind the second `::`, as actions/toolkit does.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the text of a property, with the characters that separate properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::read;
    use std::path::Path;

    fn annotations(cases: &str, root: &Path) -> String {
        let xml = format!(
            "<testsuite name=\"a.test\"><properties><property name=\"directory\" value=\"agent\"/></properties>{cases}</testsuite>"
        );
        let document = read::read_junit(xml.as_bytes(), &Default::default()).unwrap();
        let mut bytes = Vec::new();
        write_annotations(&document, &SourceTree::at(root), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_file_is_found_in_the_checkout_and_text_is_escaped() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("agent/pkg/net")).unwrap();
        std::fs::write(root.path().join("agent/pkg/net/a_test.go"), "").unwrap();
        let case = r#"<testcase classname="a.test.pkg.net" name="T, a: b" file="a_test.go" line="7"><failure message="100% ::no::"/></testcase>"#;
        assert_eq!(
            annotations(case, root.path()),
            "::error file=agent/pkg/net/a_test.go,line=7,title=a.test T%2C a%3A b failed::100%25 ::no::\n"
        );
    }

    #[test]
    fn an_absolute_file_is_named_as_in_the_checkout_and_one_elsewhere_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a_test.go");
        std::fs::write(&file, "").unwrap();
        let names = |file: &Path| {
            let case = format!(
                "<testcase name=\"t\" file=\"{}\" line=\"7\"><failure/></testcase>",
                file.display()
            );
            annotations(&case, root.path())
        };
        assert!(names(&file).starts_with("::error file=a_test.go,line=7,"));
        let elsewhere = names(Path::new("/etc/passwd"));
        assert!(elsewhere.starts_with("::error file=/etc/passwd,"));
        let back = names(&root.path().join("x/../a_test.go"));
        assert!(back.contains("/x/../a_test.go,"), "{back}");
    }

    #[test]
    fn where_there_is_no_message_the_text_says_why() {
        let text = |inside: &str| {
            let case =
                format!("<testcase name='t' file='a' line='0'><error>{inside}</error></testcase>");
            annotations(&case, Path::new("/nonexistent"))
        };
        assert_eq!(
            text("\n  no such device\n at a.php:7"),
            "::error file=a,title=a.test t error::no such device\n"
        );
        assert!(text("").ends_with("::error\n"));
    }

    #[test]
    fn no_more_than_are_shown() {
        let case = r#"<testcase name="t"><failure/></testcase>"#;
        let text = annotations(&case.repeat(40), Path::new("/nonexistent"));
        assert_eq!(text.lines().count(), SHOWN);
        assert!(text.ends_with("and 31 more that failed: see the summary\n"));
    }
}
