//! Fits a document to GitLab's limits (docs.gitlab.com, "Unit test reports").
//!
//! GitLab takes at most 500,000 cases and 30 MB. Of two cases with the same name it takes only the
//! first. It shows a failure's text, and no output beside it.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use super::shorten::{JENKINS_TEXT, details, shorten};
use super::{Dialect, write_document};
use crate::report::model::{Case, CaseState, Details, Document, Problem, ProblemKind, Text};

/// The most cases of a report.
const CASES: u64 = 500_000;

/// The most bytes of a report.
const BYTES: u64 = 30_000_000;

/// Makes a document fit, and describes the parts that were left out.
pub(super) fn fit(document: Document) -> io::Result<(Document, Vec<String>)> {
    fit_within(document, BYTES)
}

/// Makes a document fit into this many bytes. Texts lose their middles if a third of the bytes is
/// not enough for them. Passed cases are left out if the cases take more than the rest.
fn fit_within(mut document: Document, bytes: u64) -> io::Result<(Document, Vec<String>)> {
    only_what_is_shown(&mut document)?;
    let over = document.counts().total().saturating_sub(CASES);
    let mut dropped = drop_passed(&mut document, over);
    number_names(&mut document);
    dropped += drop_passed_for_size(&mut document, bytes)?;
    let document = shorten_for_size(document, bytes)?;
    let mut said = Vec::new();
    if dropped > 0 {
        said.push(format!(
            "GitLab takes {CASES} cases and 30 MB: {dropped} that passed are left out"
        ));
    }
    let size = size(&document)?;
    if size > bytes {
        said.push(format!(
            "GitLab takes 30 MB, and will not read this file of {size} bytes: too many cases did not pass"
        ));
    }
    Ok((document, said))
}

/// Moves the output of bad cases into their failure, and removes the parts that GitLab ignores.
fn only_what_is_shown(document: &mut Document) -> io::Result<()> {
    for suite in &mut document.suites {
        (suite.out, suite.err) = (Text::Empty, Text::Empty);
    }
    for details in details(document) {
        for attempt in &mut details.attempts {
            for text in [&mut attempt.body, &mut attempt.out, &mut attempt.err] {
                *text = Text::Empty;
            }
        }
        let out = std::mem::take(&mut details.out);
        let err = std::mem::take(&mut details.err);
        let Some(problem) = shown(details) else {
            continue;
        };
        let mut body = problem.body.load()?.into_owned();
        for text in [&out, &err] {
            if !text.is_empty() {
                body.push('\n');
                body.push_str(&text.load()?);
            }
        }
        problem.body = Text::here(body.trim_start_matches('\n'));
    }
    Ok(())
}

/// Returns the problem whose text GitLab shows.
fn shown(details: &mut Details) -> Option<&mut Problem> {
    let problems = details.problems.iter_mut();
    problems.min_by_key(|problem| match problem.kind {
        ProblemKind::Failure => 0,
        ProblemKind::Error => 1,
        ProblemKind::Skipped => 2,
    })
}

/// Leaves out this many passed cases, the last first. Returns how many were left out.
fn drop_passed(document: &mut Document, count: u64) -> u64 {
    let dropped = count.min(document.counts().of(CaseState::Passed));
    let mut over = dropped;
    for suite in document.suites.iter_mut().rev() {
        let mut kept: Vec<Case> = Vec::with_capacity(suite.cases.len());
        for case in std::mem::take(&mut suite.cases).into_iter().rev() {
            if over > 0 && case.state == CaseState::Passed {
                over -= 1;
            } else {
                kept.push(case);
            }
        }
        kept.reverse();
        suite.cases = kept;
    }
    dropped
}

/// Leaves out passed cases until the rest leaves room for texts. Returns how many were left out.
fn drop_passed_for_size(document: &mut Document, bytes: u64) -> io::Result<u64> {
    let bare = |document: &Document| size(&with_texts(document, 0)?);
    let texts = size(&with_texts(document, JENKINS_TEXT)?)?.saturating_sub(bare(document)?);
    let room = bytes - texts.min(bytes / 3);
    let mut dropped = 0;
    loop {
        let size = bare(document)?;
        let cases = document.counts().total();
        // As many cases as make up the excess at the average length of a case.
        let over = size.saturating_sub(room) * cases.max(1) / size.max(1) + 1;
        if size <= room || document.counts().of(CaseState::Passed) == 0 {
            return Ok(dropped);
        }
        dropped += drop_passed(document, over);
    }
}

/// Cuts texts shorter and shorter until the document fits.
fn shorten_for_size(document: Document, bytes: u64) -> io::Result<Document> {
    let mut cap = JENKINS_TEXT;
    loop {
        let fitted = with_texts(&document, cap)?;
        if cap == 0 || size(&fitted)? <= bytes {
            return Ok(fitted);
        }
        cap = if cap > 64 { cap / 2 } else { 0 };
    }
}

fn with_texts(document: &Document, cap: usize) -> io::Result<Document> {
    let mut document = document.clone();
    shorten(&mut document, cap)?;
    Ok(document)
}

fn size(document: &Document) -> io::Result<u64> {
    let mut size = Size(0);
    write_document(document, Dialect::GitLab, &mut size)?;
    Ok(size.0)
}

/// A writer that counts bytes.
struct Size(u64);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the names unique with numbers, because GitLab shows only the first of two cases with the
/// same name. A number that another case has already is skipped.
fn number_names(document: &mut Document) {
    let of = |case: &Case| (case.class.clone(), case.name.clone());
    let cases = document.suites.iter().flat_map(|suite| &suite.cases);
    let mut taken: HashSet<_> = cases.map(of).collect();
    let mut numbers: HashMap<(Arc<str>, Box<str>), u32> = HashMap::new();
    let cases = document.suites.iter_mut();
    for case in cases.flat_map(|suite| &mut suite.cases) {
        let key = of(case);
        let number = numbers.entry(key).or_default();
        *number += 1;
        while *number > 1 {
            let name: Box<str> = format!("{} #{number}", case.name).trim_start().into();
            if taken.insert((case.class.clone(), name.clone())) {
                case.name = name;
                break;
            }
            *number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::read;

    fn names(names: &[&str]) -> Vec<String> {
        let case = |name: &&str| format!("<testcase classname=\"c\" name=\"{name}\"/>");
        let cases: String = names.iter().map(case).collect();
        let xml = format!("<testsuite name=\"s\">{cases}</testsuite>");
        let document = read::read_junit(xml.as_bytes(), &Default::default()).unwrap();
        let (fitted, said) = fit(document).unwrap();
        assert!(said.is_empty());
        let cases = fitted.suites.iter().flat_map(|suite| &suite.cases);
        cases.map(|case| case.name.to_string()).collect()
    }

    /// Returns the cases that are left in this many bytes as they are written, and the notes.
    fn within(bytes: u64, cases: &str) -> (String, Vec<String>) {
        let xml = format!("<testsuite name=\"s\">{cases}</testsuite>");
        let document = read::read_junit(xml.as_bytes(), &Default::default()).unwrap();
        let (fitted, said) = fit_within(document, bytes).unwrap();
        let mut written = Vec::new();
        write_document(&fitted, Dialect::GitLab, &mut written).unwrap();
        (String::from_utf8(written).unwrap(), said)
    }

    #[test]
    fn no_file_is_longer_than_gitlab_takes() {
        let long = |count: usize| "&lt;x> &amp; y\n".repeat(count);
        let failed = |count| {
            let text = long(count);
            format!(
                "<testcase name='f'><failure>{text}</failure><system-out>{text}</system-out></testcase>"
            )
        };
        let passed = format!(
            "<testcase name='p'><system-out>{}</system-out></testcase>",
            long(100)
        );
        let named = "<testcase classname='a.class' name='some.name.of.a.test.that.is.not.short'/>";
        for (cases, left, says) in [
            (passed.repeat(300), 300, false),
            (failed(200).repeat(150), 150, false),
            (failed(10).repeat(1000), 1000, false),
            (named.repeat(4500), 2500, true),
            (
                format!("{}{}", named.repeat(4500), failed(10_000)),
                1600,
                true,
            ),
            (
                format!(
                    "<testcase name='p'/><system-out>{}</system-out>",
                    long(40_000)
                ),
                1,
                false,
            ),
        ] {
            let (xml, said) = within(300_000, &cases);
            assert!((1..=300_000).contains(&xml.len()), "{}", xml.len());
            assert!(xml.matches("<testcase").count() >= left, "{left}");
            assert_eq!(xml.contains("</failure>"), cases.contains("</failure>"));
            assert_eq!(said.len(), usize::from(says), "{said:?}");
        }
    }

    #[test]
    fn a_file_that_gitlab_will_not_take_is_said() {
        let cases = "<testcase name='n'><failure/></testcase>".repeat(20);
        let (xml, said) = within(300, &cases);
        assert_eq!(xml.matches("<failure").count(), 20);
        assert!(said[0].contains("will not read this file"), "{said:?}");
    }

    #[test]
    fn output_goes_where_gitlab_looks_first() {
        let case = "<testcase name='n'><error>one</error><failure>two</failure><system-out>out</system-out></testcase>";
        let (xml, _) = within(BYTES, case);
        assert!(
            xml.contains("<error>one</error>") && xml.contains("<failure>two\nout</failure>"),
            "{xml}"
        );
    }

    #[test]
    fn no_two_cases_have_the_same_name_even_where_names_have_numbers() {
        assert_eq!(names(&["a", "b", "a"]), ["a", "b", "a #2"]);
        assert_eq!(names(&["", ""]), ["", "#2"]);
        assert_eq!(
            names(&["a", "a #2", "a", "a #2", "a"]),
            ["a", "a #2", "a #3", "a #2 #2", "a #4"]
        );
    }
}
