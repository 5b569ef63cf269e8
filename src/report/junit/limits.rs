//! Fits a document to its consumer: the length of texts, the number of cases, the names.

use std::io;

use super::{Dialect, gitlab};
use crate::report::excerpt::ends;
use crate::report::model::{Details, Document, Text};

/// Jenkins keeps 50,000 characters at each end of a failing case's output.
pub(super) const JENKINS_TEXT: usize = 100_000;

/// GitHub's actions show a failure's text in an annotation, which takes 64 KB.
const GITHUB_TEXT: usize = 60_000;

/// Makes a document fit its consumer, and describes the parts that were left out.
pub fn fit(mut document: Document, dialect: Dialect) -> io::Result<(Document, Vec<String>)> {
    match dialect {
        Dialect::Full => {}
        Dialect::Jenkins => shorten(&mut document, JENKINS_TEXT)?,
        Dialect::GitHub => shorten(&mut document, GITHUB_TEXT)?,
        Dialect::GitLab => return gitlab::fit(document),
    }
    Ok((document, Vec::new()))
}

/// Iterates over the details of all cases.
pub(super) fn details(document: &mut Document) -> impl Iterator<Item = &mut Details> {
    let cases = document
        .suites
        .iter_mut()
        .flat_map(|suite| &mut suite.cases);
    cases.filter_map(|case| case.details.as_deref_mut())
}

/// Keeps the two ends of each text, in at most `cap` bytes. A `cap` of 0 removes the texts.
pub(super) fn shorten(document: &mut Document, cap: usize) -> io::Result<()> {
    for suite in &mut document.suites {
        cut(&mut suite.out, cap)?;
        cut(&mut suite.err, cap)?;
    }
    for details in details(document) {
        let bodies = details.problems.iter_mut().map(|problem| &mut problem.body);
        let attempts = details
            .attempts
            .iter_mut()
            .flat_map(|one| [&mut one.body, &mut one.out, &mut one.err]);
        let texts = bodies.chain(attempts);
        for text in texts.chain([&mut details.out, &mut details.err]) {
            cut(text, cap)?;
        }
    }
    Ok(())
}

fn cut(text: &mut Text, cap: usize) -> io::Result<()> {
    if cap == 0 {
        *text = Text::Empty;
    } else if text.len() > cap {
        *text = Text::here(ends(&text.load()?, cap));
    }
    Ok(())
}
