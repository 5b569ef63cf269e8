//! Inline comments: failures and findings at their lines, if these are part of the patch set.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::diff::ChangedLines;
use super::inert;
use crate::gerrit::rest::CommentInput;
use crate::outcome::Run;
use crate::report::compare::{Classes, ComparedCase};
use crate::workspace::IMPORT_ROOT;

/// The most bytes of a message in a comment.
const LINE: usize = 1000;

/// The most bytes of a comment; the server takes 16 KiB.
const COMMENT: usize = 12 << 10;

/// The rules for comments.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommentRules {
    /// The most comments.
    pub most: usize,
    /// True if somebody has to resolve them.
    pub unresolved: bool,
}

/// Returns the comments by path, and the number of those beyond the most.
pub(super) fn comments(
    run: &Run,
    classes: &Classes,
    lines: &ChangedLines,
    rules: CommentRules,
) -> (BTreeMap<String, Vec<CommentInput>>, usize) {
    let mut texts: BTreeMap<(String, u32), Vec<String>> = BTreeMap::new();
    for case in &classes.new_failures {
        for (file, line, text) in places(case) {
            let found = paths(run, case, file)
                .into_iter()
                .find(|path| lines.has_file(path));
            if let Some(path) = found.filter(|path| lines.has_line(path, line)) {
                let texts = texts.entry((path, line)).or_default();
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
    }
    let left_out = texts.len().saturating_sub(rules.most);
    let mut comments: BTreeMap<String, Vec<CommentInput>> = BTreeMap::new();
    for ((path, line), texts) in texts.into_iter().take(rules.most) {
        comments.entry(path).or_default().push(CommentInput {
            line: Some(line),
            message: joined(&texts),
            unresolved: rules.unresolved,
        });
    }
    (comments, left_out)
}

/// Joins texts, as many as fit.
fn joined(texts: &[String]) -> String {
    let mut joined = String::new();
    for (index, text) in texts.iter().enumerate() {
        if joined.len() + text.len() > COMMENT {
            joined.push_str(&format!("\n\nand {} more here", texts.len() - index));
            break;
        }
        let gap = if index > 0 { "\n\n" } else { "" };
        joined.push_str(&format!("{gap}{text}"));
    }
    joined
}

/// Returns file, line and text of each place that a case names.
fn places(case: &ComparedCase) -> Vec<(&str, u32, String)> {
    let of_findings = case.findings.iter().filter_map(|finding| {
        let origin = match finding.origin() {
            origin if origin.is_empty() => case.label(),
            origin => origin,
        };
        let text = format!(
            "{}: {}",
            inert::code(&origin, 200),
            inert::code(&finding.message, LINE)
        );
        Some((finding.file.as_deref()?, finding.line?, text))
    });
    let mut places: Vec<_> = of_findings.collect();
    if let (Some(file), Some(line), true) = (case.file.as_deref(), case.line, places.is_empty()) {
        let message = match case.message.as_str() {
            "" => String::new(),
            message => format!(": {}", inert::code(message, LINE)),
        };
        let text = format!("{} fails{message}", inert::code(&case.label(), 300));
        places.push((file, line, text));
    }
    places
}

/// Returns the paths below the top of the repository that a file of a case may mean: it is named
/// relative to the package, the component or the repository, or absolutely in the checkout.
fn paths(run: &Run, case: &ComparedCase, file: &str) -> Vec<String> {
    let job = run.jobs().find(|job| job.queued.job.as_str() == case.suite);
    let directory = job.and_then(|job| in_repository(Path::new(&job.queued.directory)));
    let directory = directory.unwrap_or_default();
    let package = case.class.strip_prefix(&case.suite).unwrap_or("");
    let package = package.trim_start_matches('.').replace('.', "/");
    let file = Path::new(file);
    let candidates = match in_repository(file) {
        Some(below) => vec![below],
        None if file.is_absolute() => Vec::new(),
        None => vec![
            directory.join(package).join(file),
            directory.join(file),
            file.to_owned(),
        ],
    };
    let shown = |path: PathBuf| normal(&path)?.to_str().map(str::to_owned);
    candidates.into_iter().filter_map(shown).collect()
}

/// Returns the part of a path below the top of its checkout.
fn in_repository(path: &Path) -> Option<PathBuf> {
    let text = path.to_str()?;
    let (_, below) = text.split_once(IMPORT_ROOT)?;
    let mut parts = Path::new(below.trim_start_matches('/')).components();
    parts.next()?;
    Some(parts.as_path().to_owned())
}

/// Resolves `.` and `..`; `None` for a path that leads out.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir if clean.pop() => {}
            _ => return None,
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_below_the_checkout() {
        let case = ComparedCase {
            suite: "agent.test".to_owned(),
            class: "agent.test.pkg.net".to_owned(),
            ..ComparedCase::default()
        };
        let run = Run::default();
        let of = |file: &str| paths(&run, &case, file);
        assert_eq!(of("./a_test.go")[0], "pkg/net/a_test.go");
        assert_eq!(of("a_test.go")[1], "a_test.go");
        assert_eq!(
            of(&format!("/c/x/{IMPORT_ROOT}/agent/src/../main.go")),
            ["main.go"]
        );
        assert_eq!(of("/etc/passwd"), Vec::<String>::new());
        assert!(of("../../../../etc/passwd").is_empty());
    }

    #[test]
    fn many_texts_at_one_line_keep_within_the_limit() {
        let texts: Vec<_> = (0..100)
            .map(|number| format!("{number}{}", "x".repeat(1000)))
            .collect();
        let joined = joined(&texts);
        assert!(
            joined.len() < 16 << 10 && joined.ends_with("more here"),
            "{}",
            joined.len()
        );
    }
}
