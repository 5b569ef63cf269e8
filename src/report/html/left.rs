//! Lists the leftovers of jobs.

use maud::{Markup, html};

use super::tables::job_link;
use super::visible::visible;
use crate::report::model::Document;

/// The most jobs listed.
const JOBS: usize = 200;

/// Returns a list of jobs with their leftovers; nothing if there are none.
pub(super) fn section(document: &Document) -> Markup {
    let all: Vec<_> = (document.suites.iter())
        .map(|suite| (suite, suite.left_behind()))
        .filter(|(_, left)| !left.is_empty())
        .collect();
    let more = all.len().saturating_sub(JOBS);
    if all.is_empty() {
        return html! {};
    }
    html! {
        section.card aria-labelledby="left" {
            h2 #left { "Left behind" }
            ul { @for (suite, left) in all.iter().take(JOBS) { li {
                a.foreign href=(job_link(suite)) { (visible(&suite.name)) }
                ul { @for (what, names) in left { li { span.dim { (what) ": " } span.foreign { (visible(names)) } } } }
            } } }
            @if more > 0 { p.dim { "and " (more) " more jobs" } }
        }
    }
}
