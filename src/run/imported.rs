//! Durations of jobs from reports: of runs of kata-ci, and JUnit files of any writer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::durations::median;
use crate::model::CommandError;
use crate::report::model::{Spool, Suite};
use crate::report::read;

/// A report to take durations from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationSource {
    /// The job that all of the report is about; `None` if its suites name their jobs.
    pub job: Option<String>,
    /// The file or directory.
    pub path: PathBuf,
}

/// Returns the seconds of each job: the median over all reports that tell of a pass of it. `jobs`
/// are the names that suites can have; `is_known` tells them from others.
///
/// # Errors
/// Fails for a report that cannot be read.
pub(super) fn durations(
    sources: &[DurationSource],
    is_known: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, f64>, CommandError> {
    let spool = Spool::default();
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for source in sources {
        for found in read::find(&source.path) {
            let document = found.and_then(|one| read::read(&one, &spool));
            let document = document.map_err(|error| {
                CommandError::usage(format!("--durations: {error}"))
                    .hint("name a JUnit file, a report directory, or a directory of them")
            })?;
            let mut of_report: BTreeMap<String, f64> = BTreeMap::new();
            for suite in &document.suites {
                let job = match &source.job {
                    Some(job) => Some(job.clone()),
                    None => job_of(suite, &is_known),
                };
                if let (Some(job), Some(seconds)) = (job, passed_seconds(suite)) {
                    *of_report.entry(job).or_default() += seconds;
                }
            }
            for (job, seconds) in of_report {
                all.entry(job).or_default().push(seconds);
            }
        }
    }
    Ok((all.into_iter())
        .map(|(job, seconds)| (job, median(seconds)))
        .collect())
}

/// Returns the job of a suite: its name, else what its cases have as their class (`proxy.test`, or
/// `proxy.test.PACKAGE`).
fn job_of(suite: &Suite, is_known: &impl Fn(&str) -> bool) -> Option<String> {
    let of_text = |text: &str| {
        let mut dots = text.match_indices('.').map(|(at, _)| at);
        let (_, second) = (dots.next()?, dots.next());
        let job = &text[..second.unwrap_or(text.len())];
        is_known(job).then(|| job.to_owned())
    };
    of_text(&suite.name).or_else(|| of_text(&suite.cases.first()?.class))
}

/// Returns the seconds of a suite without a bad case: its own, else those of its cases.
fn passed_seconds(suite: &Suite) -> Option<f64> {
    if suite.cases.iter().any(|case| case.state.is_bad()) {
        return None;
    }
    let of_cases = || {
        let known = suite.cases.iter().filter_map(|case| case.seconds);
        Some(known.sum::<f64>()).filter(|sum| *sum > 0.0)
    };
    let seconds = suite.seconds.filter(|seconds| *seconds > 0.0);
    seconds
        .or_else(of_cases)
        .filter(|seconds| seconds.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_come_from_reports_of_any_writer() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ours = r#"<testsuites>
<testsuite name="proxy.test" time="12.5"><testcase classname="proxy.test" name="a" time="1"/></testsuite>
<testsuite name="shim.test" time="3"><testcase name="a"><failure message="m"/></testcase></testsuite>
<testsuite name="other.test" time="3"><testcase name="a"/></testsuite></testsuites>"#;
        let theirs = r#"<testsuite name="github.com/kata/agent"><testcase name="a" time="2"/>
<testcase name="b" time="0.5"/></testsuite>"#;
        let sources = [
            DurationSource {
                job: None,
                path: write("ours.xml", ours),
            },
            DurationSource {
                job: Some("agent.test".to_owned()),
                path: write("theirs.xml", theirs),
            },
        ];
        let is_known = |job: &str| ["proxy.test", "shim.test", "agent.test"].contains(&job);
        let found = durations(&sources, is_known).unwrap();
        let expected = [("agent.test", 2.5), ("proxy.test", 12.5)];
        assert_eq!(
            found,
            expected.map(|(job, time)| (job.to_owned(), time)).into()
        );
        let gone = [DurationSource {
            job: None,
            path: place.path().join("gone.xml"),
        }];
        let error = durations(&gone, is_known).unwrap_err().to_string();
        assert!(
            error.contains("--durations") && error.contains("gone.xml"),
            "{error}"
        );
    }
}
