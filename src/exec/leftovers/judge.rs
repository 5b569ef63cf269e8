//! What it means for a job that it left something behind, where the pipeline says that it must not.

use crate::event::LeftBehind;
use crate::model::JobOutcome;
use crate::outcome::Verdict;

/// Entries of each kind named in a reason.
const NAMED: usize = 3;

const FIX: &str = "have the job clean up, ignore what it makes on purpose (.gitignore), or say left_behind = \"report\"";

const FIX_OF_UNKNOWN: &str = "see to it that this can be found out (in a git repository, with isolate = \"auto\"), or say left_behind = \"report\"";

/// The verdict on a job that must leave nothing behind. Only one that passed can become worse by it.
pub(in crate::exec) fn judge(verdict: Verdict, left: &LeftBehind) -> Verdict {
    if verdict.outcome != JobOutcome::Passed {
        return verdict;
    }
    let words = left.describe(NAMED);
    let (outcome, what, fix) = match left.unknown.as_slice() {
        _ if !words.is_empty() => {
            let what = format!("it left behind {}", words.join("; "));
            (JobOutcome::Failed, what, FIX)
        }
        [] => return verdict,
        unknown => (
            JobOutcome::Error,
            format!(
                "it must leave nothing behind, and what it left is unknown: {}",
                unknown.join("; ")
            ),
            FIX_OF_UNKNOWN,
        ),
    };
    Verdict {
        outcome,
        reason: match verdict.reason.as_str() {
            "" => what,
            reason => format!("{what} ({reason})"),
        },
        fix: Some(fix.to_owned()),
    }
}
