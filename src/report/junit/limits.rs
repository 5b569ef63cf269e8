//! Fits a document to its consumer: the length of texts, the number of cases, the names.

use std::io;

use super::shorten::{JENKINS_TEXT, shorten};
use super::{Dialect, gitlab};
use crate::report::model::Document;

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
