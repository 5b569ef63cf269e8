//! Packages that are known and were never met.

use super::CaseContext;
use super::cases::{Details, Out, WHOLE_PACKAGE};
use super::go::package;
use super::observations::Seen;
use crate::model::Ending;

/// Hands out a case for each package that is known and was not met.
///
/// Where no test of its language was met and the job ended well, nothing says that its packages should have run. Of crates
/// nothing is said either when tests ran of which the crate is not known.
pub(super) fn hand_out(
    context: &CaseContext,
    seen: &Seen,
    ending: Option<Ending>,
    out: &mut Out<'_>,
) {
    let badly = !ending.is_some_and(Ending::is_success);
    for known in context.packages.iter().flatten() {
        let go = context.go_root.is_some() || known.contains('/');
        let (met, possible, name) = if go {
            let name = package::package(context, known).unwrap_or(known);
            (
                met_go(known, context, seen),
                badly || !seen.go_packages.is_empty(),
                name,
            )
        } else {
            let met = seen.crates.contains(&known.replace('-', "_"));
            let possible = !seen.nameless_crate && (badly || !seen.crates.is_empty());
            (met, possible, known.as_str())
        };
        if possible && !met {
            out.never_ran(
                name,
                WHOLE_PACKAGE,
                Details::saying("the job ended before it, or never came to it"),
            );
        }
    }
}

fn met_go(known: &str, context: &CaseContext, seen: &Seen) -> bool {
    let below = |root: &String| seen.go_packages.contains(&format!("{root}/{known}"));
    seen.go_packages.contains(known) || context.go_root.as_ref().is_some_and(below)
}
