//! What it means for a job that it left something behind, where the pipeline says that it must not.

use crate::event::LeftBehind;
use crate::outcome::{JobOutcome, Verdict};

/// Entries of each kind named in a reason.
const NAMED: usize = 3;

const FIX: &str = "have the job clean up, ignore what it makes on purpose (.gitignore), or say left_behind = \"report\"";

/// The verdict on a job that must leave nothing behind. Only one that passed can become worse by it. `unknown`
/// says why it is not known which files it left, where it is not.
pub(in crate::exec) fn judge(
    verdict: Verdict,
    left: &LeftBehind,
    unknown: Option<&str>,
) -> Verdict {
    if verdict.outcome != JobOutcome::Passed {
        return verdict;
    }
    let words = left.in_words(NAMED);
    let (outcome, what, fix) = match unknown {
        _ if !words.is_empty() => {
            let what = format!("it left behind {}", words.join("; "));
            (JobOutcome::Failed, what, FIX)
        }
        Some(why) => (
            JobOutcome::Error,
            format!("it must leave no files behind, and which it left is unknown: {why}"),
            "see to it that git can be asked, or say left_behind = \"report\"",
        ),
        None => return verdict,
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
