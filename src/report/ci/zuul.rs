//! Writes `zuul-return.json`, which a playbook can hand to Zuul, so that failing cases become
//! comments on the change.
//!
//! Zuul reads no log and no report. Its Ansible module takes a file, on the executor, of this form
//! (zuul-ci.org, Job Content, "Return Values", "Leaving file comments", "Leaving warnings"):
//!
//! ```yaml
//! - zuul_return: { file: "{{ zuul.executor.log_root }}/zuul-return.json" }
//! ```
//!
//! Comments go to files of the change's project, by their path in it. The variables of
//! `zuul_legacy_vars` name its repository, else it is the one with the most failing cases. Failures
//! in other repositories, and those without a file and a line, become warnings, which Zuul adds to
//! its comment on the change.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::SourceTree;
use super::source_tree::repository;
use crate::report::format::sentence;
use crate::report::model::Document;

/// The most comments, and the most warnings. They are for people.
const SHOWN: usize = 50;

#[derive(Debug, Serialize)]
struct Comment {
    line: u32,
    message: String,
    level: &'static str,
}

/// A failing case: its text, and its repository, path and line if they are known.
struct FailingCase<'a> {
    words: String,
    place: Option<(&'a Path, String, u32)>,
}

/// Writes the file. `project` is the last part of the project's name, if it is known.
pub(super) fn write(
    document: &Document,
    checkout: &SourceTree,
    project: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut files = Vec::new();
    for suite in &document.suites {
        for case in suite.cases.iter().filter(|case| case.state.is_bad()) {
            let line = case.details.as_ref().and_then(|details| details.line);
            let file = checkout.find(suite, case);
            files.push((sentence(suite, case), file.zip(line)));
        }
    }
    let failing: Vec<_> = files
        .iter()
        .map(|(words, place)| FailingCase {
            words: words.clone(),
            place: place.as_ref().and_then(|(file, line)| {
                let repository = repository(file)?;
                let path = file.strip_prefix(repository).ok()?;
                Some((repository, path.display().to_string(), *line))
            }),
        })
        .collect();
    let chosen = choose(&failing, project);
    let data = returned(&failing, chosen);
    serde_json::to_writer_pretty(&mut *out, &data)?;
    out.write_all(b"\n")
}

fn choose<'a>(failing: &[FailingCase<'a>], project: Option<&str>) -> Option<&'a Path> {
    let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
    for (repository, _, _) in failing.iter().filter_map(|one| one.place.as_ref()) {
        *counts.entry(repository).or_default() += 1;
    }
    if let Some(project) = project {
        return counts
            .into_keys()
            .find(|repository| repository.ends_with(project));
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(repository, _)| repository)
}

fn returned(failing: &[FailingCase<'_>], chosen: Option<&Path>) -> serde_json::Value {
    let mut comments: BTreeMap<&str, Vec<Comment>> = BTreeMap::new();
    let mut warnings: Vec<String> = Vec::new();
    let (mut commented, mut left_out) = (0, 0);
    for one in failing {
        match &one.place {
            Some((repository, path, line)) if Some(*repository) == chosen && commented < SHOWN => {
                commented += 1;
                comments.entry(path).or_default().push(Comment {
                    line: *line,
                    message: one.words.clone(),
                    level: "error",
                });
            }
            _ if warnings.len() < SHOWN => warnings.push(one.words.clone()),
            _ => left_out += 1,
        }
    }
    if left_out > 0 {
        warnings.push(format!("and {left_out} more that failed: see the report"));
    }
    serde_json::json!({ "zuul": { "file_comments": comments, "warnings": warnings } })
}
