//! Writes `gl-code-quality-report.json`: failing cases with file and line, for
//! `artifacts:reports:codequality`.
//!
//! GitLab reads no annotations from a log. This is the nearest it has: a list of source locations,
//! shown in the merge request (docs.gitlab.com, Code Quality, "Code Quality report format", which
//! names these fields as all that is read).
//!
//! Cases whose file is not in the checkout are left out, because GitLab could not show them. They
//! are in the JUnit report.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{CheckFinding, FindingLevel};
use sha2::{Digest, Sha256};

use super::SourceTree;
use crate::report::format::{LINE_CAP, sentence};
use crate::report::model::{Case, Document, Suite};
use crate::text::one_line;

#[derive(Serialize)]
struct QualityIssue<'a> {
    description: String,
    check_name: &'a str,
    /// An id that the same test has in each run, so that GitLab can tell new findings.
    fingerprint: String,
    severity: &'static str,
    location: SourceLocation,
}

#[derive(Serialize)]
struct SourceLocation {
    path: String,
    lines: LineRange,
}

#[derive(Serialize)]
struct LineRange {
    begin: u32,
}

/// Writes the list. It is empty if nothing failed, so that earlier findings count as resolved.
pub(super) fn write(
    document: &Document,
    checkout: &SourceTree,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bad = document.suites.iter().flat_map(|suite| {
        let bad = suite.cases.iter().filter(|case| case.state.is_bad());
        bad.flat_map(move |case| issues(suite, case, checkout))
    });
    serde_json::to_writer_pretty(&mut *out, &bad.collect::<Vec<_>>())?;
    out.write_all(b"\n")
}

/// Returns an issue for each finding of a check, one for any other case.
fn issues<'a>(suite: &'a Suite, case: &Case, checkout: &SourceTree) -> Vec<QualityIssue<'a>> {
    let findings = case.findings();
    match findings.as_slice() {
        [] => finding(suite, case, checkout).into_iter().collect(),
        findings => (findings.iter())
            .filter_map(|one| of_check(suite, case, one, checkout))
            .collect(),
    }
}

fn of_check<'a>(
    suite: &'a Suite,
    case: &Case,
    finding: &CheckFinding,
    checkout: &SourceTree,
) -> Option<QualityIssue<'a>> {
    let file = checkout.find_file(suite, case, finding.file.as_deref()?)?;
    let path = checkout.name(&file);
    let origin = finding.origin();
    Some(QualityIssue {
        description: one_line(&format!("{} ({origin})", finding.message), LINE_CAP),
        check_name: &suite.name,
        fingerprint: fingerprint(&[&suite.name, &origin, &finding.message, &path]),
        severity: match finding.level {
            FindingLevel::Error => "major",
            FindingLevel::Warning => "minor",
        },
        location: SourceLocation {
            path,
            lines: LineRange {
                begin: finding.line.unwrap_or(1).max(1),
            },
        },
    })
}

fn finding<'a>(suite: &'a Suite, case: &Case, checkout: &SourceTree) -> Option<QualityIssue<'a>> {
    let path = checkout.name(&checkout.find(suite, case)?);
    let line = case.details.as_ref().and_then(|details| details.line);
    Some(QualityIssue {
        description: sentence(suite, case),
        check_name: &suite.name,
        fingerprint: fingerprint(&[&suite.name, &case.class, &case.name, &path]),
        severity: "major",
        location: SourceLocation {
            path,
            lines: LineRange {
                begin: line.unwrap_or(1).max(1),
            },
        },
    })
}

fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
