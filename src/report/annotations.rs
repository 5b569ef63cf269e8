//! GitHub's workflow commands: a line for each case that went wrong, which GitHub shows at its file and line.

use std::io::{self, Write};
use std::path::Path;

use super::model::{Case, Document, Suite, facts};

/// Errors that GitHub shows of one step; the last of them says how many more there are.
const SHOWN: usize = 10;

/// Writes the commands. Files are named relative to `root`, the checkout, where they can be found in it.
pub fn write_annotations(document: &Document, root: &Path, out: &mut dyn Write) -> io::Result<()> {
    let bad: Vec<_> = document
        .suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
        .filter(|(_, case)| case.state.is_bad())
        .collect();
    let shown = if bad.len() > SHOWN {
        SHOWN - 1
    } else {
        bad.len()
    };
    for (suite, case) in &bad[..shown] {
        writeln!(out, "{}", command(suite, case, root))?;
    }
    match bad.len() - shown {
        0 => Ok(()),
        more => writeln!(
            out,
            "::error title=kata-ci::and {more} more that failed: see the summary"
        ),
    }
}

fn command(suite: &Suite, case: &Case, root: &Path) -> String {
    let mut properties = Vec::new();
    if let Some(details) = &case.details
        && let Some(file) = &details.file
    {
        properties.push(format!(
            "file={}",
            property(&place(suite, case, file, root))
        ));
        properties.extend(details.line.map(|line| format!("line={line}")));
    }
    let title = format!("{} {} {}", suite.name, case.name, case.word());
    properties.push(format!("title={}", property(&title)));
    let message = match case.message() {
        "" => case.word(),
        message => message,
    };
    format!("::error {}::{}", properties.join(","), data(message))
}

/// A file as the checkout knows it: outputs name it relative to a package, a component, or not at all.
fn place(suite: &Suite, case: &Case, file: &str, root: &Path) -> String {
    let directory = suite.property(facts::DIRECTORY).unwrap_or("");
    let package = case
        .class
        .strip_prefix(&*suite.name)
        .unwrap_or("")
        .trim_start_matches('.')
        .replace('.', "/");
    let inside = |path: &Path| {
        path.components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
    };
    [
        Path::new(directory).join(&package).join(file),
        Path::new(directory).join(file),
    ]
    .into_iter()
    .find(|path| inside(path) && root.join(path).is_file())
    .map_or_else(|| file.to_owned(), |path| path.display().to_string())
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::read;

    fn annotations(cases: &str, root: &Path) -> String {
        let xml = format!(
            "<testsuite name=\"a.test\"><properties><property name=\"directory\" value=\"agent\"/></properties>{cases}</testsuite>"
        );
        let document = read::read_junit(xml.as_bytes(), &Default::default()).unwrap();
        let mut bytes = Vec::new();
        write_annotations(&document, root, &mut bytes).unwrap();
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
    fn no_more_than_are_shown() {
        let case = r#"<testcase name="t"><failure/></testcase>"#;
        let text = annotations(&case.repeat(40), Path::new("/nonexistent"));
        assert_eq!(text.lines().count(), SHOWN);
        assert!(text.ends_with("and 31 more that failed: see the summary\n"));
    }
}
