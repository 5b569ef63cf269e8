//! What each consumer of JUnit takes: how long a text, how many cases, which names.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::Dialect;
use crate::report::excerpt::ends;
use crate::report::model::{Case, Details, Document, State, Text};

/// Jenkins keeps 50,000 characters at each end of a failing case's output.
const JENKINS_TEXT: usize = 100_000;

/// GitHub's actions show a failure's text in an annotation, which takes 64 KB.
const GITHUB_TEXT: usize = 60_000;

/// GitLab takes so many cases a report.
const GITLAB_CASES: u64 = 500_000;

/// GitLab takes 30 MB a file; escapes and tags need some of it.
const GITLAB_TEXTS: usize = 20_000_000;

/// Makes a document fit its consumer, and says what was left out for it.
pub fn fit(mut document: Document, dialect: Dialect) -> io::Result<(Document, Vec<String>)> {
    let mut said = Vec::new();
    match dialect {
        Dialect::Full => {}
        Dialect::Jenkins => shorten(&mut document, JENKINS_TEXT)?,
        Dialect::GitHub => shorten(&mut document, GITHUB_TEXT)?,
        Dialect::GitLab => {
            said.extend(drop_passed(&mut document));
            number_names(&mut document);
            let bad = document.counts().of(State::Failed) + document.counts().of(State::Error);
            let room = GITLAB_TEXTS / usize::try_from(bad).unwrap_or(usize::MAX).max(1);
            shorten(&mut document, room.clamp(200, JENKINS_TEXT))?;
            output_into_failures(&mut document)?;
        }
    }
    Ok((document, said))
}

fn details(document: &mut Document) -> impl Iterator<Item = &mut Details> {
    let cases = document
        .suites
        .iter_mut()
        .flat_map(|suite| &mut suite.cases);
    cases.filter_map(|case| case.details.as_deref_mut())
}

fn shorten(document: &mut Document, cap: usize) -> io::Result<()> {
    for details in details(document) {
        let bodies = details.problems.iter_mut().map(|problem| &mut problem.body);
        let attempts = details
            .attempts
            .iter_mut()
            .flat_map(|one| [&mut one.body, &mut one.out, &mut one.err]);
        for text in bodies
            .chain(attempts)
            .chain([&mut details.out, &mut details.err])
        {
            if text.len() > cap {
                *text = Text::here(ends(&text.load()?, cap));
            }
        }
    }
    Ok(())
}

/// Too many cases for GitLab: those that passed go first, the latest first, and it is said.
fn drop_passed(document: &mut Document) -> Option<String> {
    let mut over = document.counts().total().saturating_sub(GITLAB_CASES);
    let dropped = over.min(document.counts().of(State::Passed));
    over = dropped;
    for suite in document.suites.iter_mut().rev() {
        let mut kept: Vec<Case> = Vec::with_capacity(suite.cases.len());
        for case in std::mem::take(&mut suite.cases).into_iter().rev() {
            if over > 0 && case.state == State::Passed {
                over -= 1;
            } else {
                kept.push(case);
            }
        }
        kept.reverse();
        suite.cases = kept;
    }
    (dropped > 0)
        .then(|| format!("GitLab takes {GITLAB_CASES} cases: {dropped} that passed are left out"))
}

/// Of two cases with the same name GitLab shows the first only. A number that another case has already is passed over.
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

/// GitLab shows the text of a failure, not the case's output.
fn output_into_failures(document: &mut Document) -> io::Result<()> {
    for details in details(document) {
        let Some(problem) = details.problems.first_mut() else {
            continue;
        };
        let mut body = problem.body.load()?.into_owned();
        for text in [&details.out, &details.err] {
            if !text.is_empty() {
                body.push('\n');
                body.push_str(&text.load()?);
            }
        }
        problem.body = Text::here(body.trim_start_matches('\n'));
        (details.out, details.err) = (Text::Empty, Text::Empty);
    }
    Ok(())
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
        let (fitted, said) = fit(document, Dialect::GitLab).unwrap();
        assert!(said.is_empty());
        let cases = fitted.suites.iter().flat_map(|suite| &suite.cases);
        cases.map(|case| case.name.to_string()).collect()
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
