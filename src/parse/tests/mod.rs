//! Tests of the room as a whole.

mod checks;
mod go;
mod inner;
mod laws;
mod markers;
mod proofs;
mod runners;
mod rust;
mod snippets;
mod tap;
mod transcripts;

use super::{CaseContext, CaseEnd, Finding, Observations, Parser};
use crate::model::Ending;

/// The whole result of parsing a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    pub findings: Vec<Finding>,
    pub observations: Observations,
}

impl Parsed {
    pub fn ends(&self) -> impl Iterator<Item = &CaseEnd> {
        self.findings.iter().filter_map(|finding| match finding {
            Finding::Finished(end) => Some(end),
            Finding::Started(..) => None,
        })
    }

    /// Returns `package|name|status` for each case, in order.
    pub fn cases(&self) -> Vec<String> {
        self.ends()
            .map(|end| format!("{}|{}|{}", end.key.package, end.key.name, end.status.word()))
            .collect()
    }

    pub fn end(&self, name: &str) -> &CaseEnd {
        self.ends().find(|end| end.key.name == name).unwrap()
    }
}

/// Parses bytes in pieces of this size.
pub(super) fn parse_in_pieces(
    context: &CaseContext,
    bytes: &[u8],
    size: usize,
    ending: Option<Ending>,
) -> Parsed {
    let mut findings = Vec::new();
    let mut parser = Parser::new(context.clone());
    for piece in bytes.chunks(size.max(1)) {
        parser.feed(piece, &mut |finding| findings.push(finding));
    }
    let observations = parser.finish(ending, &mut |finding| findings.push(finding));
    Parsed {
        findings,
        observations,
    }
}

/// Parses the output of a job that exited with this code.
pub(super) fn parse(context: &CaseContext, text: &str, code: i32) -> Parsed {
    parse_in_pieces(
        context,
        text.as_bytes(),
        usize::MAX,
        Some(Ending::ExitCode(code)),
    )
}
