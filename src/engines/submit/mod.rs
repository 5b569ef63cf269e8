//! Hands a plan over to an engine, and follows it to its end.
//!
//! A submission is a directory: `plan.json`, `submission.json` with the engine's own numbers, and
//! `results`. So one whose terminal was lost can be taken up again, from any machine that sees it.

mod board;
mod slurm;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use serde::{Deserialize, Serialize};

use crate::env::Environment;
use crate::exec::{Control, signals};
use crate::model::CommandError;
use crate::plan::PlanFile;
use board::Board;
use slurm::Slurm;

/// The time between two questions to the engine.
const TICK: Duration = Duration::from_millis(500);

/// The time that cancelled tasks get to end.
const CANCELLING: Duration = Duration::from_secs(60);

/// A plan to hand over.
#[derive(Debug)]
pub struct Submission<'a> {
    /// The plan.
    pub plan: &'a PlanFile,
    /// The directory of the submission, absolute, which all machines share.
    pub place: &'a Path,
    /// The workspace, absolute.
    pub workspace: &'a Path,
    /// The most attempts of a shard.
    pub attempts: u32,
    /// The environment of the engine's programs.
    pub environment: &'a Environment,
}

/// The engine's numbers of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Numbers {
    engine: String,
    plan_id: String,
    /// The number of the array.
    array: String,
    /// The number of the merge.
    merge: String,
}

/// The state of a shard at the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ShardState {
    /// Waiting for a machine, perhaps again, after one was lost.
    Queued,
    /// Running on this machine.
    Running(String),
    /// Over, in words.
    Over(String),
}

/// Returns the directory of the results.
pub fn results(place: &Path) -> PathBuf {
    place.join("results")
}

/// Returns the path of the plan.
pub fn plan_path(place: &Path) -> PathBuf {
    place.join("plan.json")
}

/// Hands the plan over, and follows it until all shards are over. With `is_resumed`, the plan was
/// handed over before. Returns the signal that cancelled it.
///
/// # Errors
/// Fails if the engine takes no jobs, or cannot be asked.
pub fn submit(submission: &Submission<'_>, is_resumed: bool) -> Result<Option<i32>, CommandError> {
    let slurm = Slurm::find(submission.environment)?;
    let (control, controlled) = crossbeam_channel::unbounded();
    let _signals = signals::listen(control)
        .map_err(|error| CommandError::machine(format!("signals cannot be caught: {error}")))?;
    let file = submission.place.join("submission.json");
    let numbers = match is_resumed {
        true => read(&file, submission.plan)?,
        false => {
            let numbers = hand_over(&slurm, submission)?;
            let text = serde_json::to_vec_pretty(&numbers).map_err(CommandError::machine)?;
            write(&file, &text)?;
            numbers
        }
    };
    follow(&slurm, submission, &numbers, &controlled)
}

fn read(file: &Path, plan: &PlanFile) -> Result<Numbers, CommandError> {
    let hint = "name the directory of the submission with --report-dir, or submit without --resume";
    let bytes =
        crate::fs::read(file, 1 << 20).map_err(|error| CommandError::path(file, &error, hint))?;
    let numbers: Numbers = serde_json::from_slice(&bytes)
        .map_err(|error| CommandError::usage(format!("{}: {error}", file.display())).hint(hint))?;
    match numbers.plan_id == plan.plan_id {
        true => Ok(numbers),
        false => {
            Err(CommandError::usage(format!("{} is of another plan", file.display())).hint(hint))
        }
    }
}

fn hand_over(slurm: &Slurm, submission: &Submission<'_>) -> Result<Numbers, CommandError> {
    let results = results(submission.place);
    fs::create_dir_all(&results).map_err(|error| {
        CommandError::path(&results, &error, "name another place with --report-dir DIR")
    })?;
    write(&plan_path(submission.place), &submission.plan.to_bytes())?;
    slurm.hand_over(submission)
}

fn write(path: &Path, content: &[u8]) -> Result<(), CommandError> {
    crate::fs::replace(path, 0o644, content).map_err(|error| {
        CommandError::path(path, &error, "name another place with --report-dir DIR")
    })
}

/// Follows the shards until all are over. The first signal cancels them.
fn follow(
    slurm: &Slurm,
    submission: &Submission<'_>,
    numbers: &Numbers,
    controlled: &Receiver<Control>,
) -> Result<Option<i32>, CommandError> {
    let count = submission.plan.filled().len();
    let mut board = Board::new(count, submission.plan.short_id());
    let mut cancelled: Option<(i32, Instant)> = None;
    loop {
        if let Ok(Control::Cancel(signal) | Control::Kill(signal)) = controlled.try_recv() {
            board.say("cancelling");
            slurm.cancel(numbers)?;
            cancelled.get_or_insert((signal, Instant::now()));
        }
        let states = slurm.states(numbers, count)?;
        board.show(&states);
        let is_over = |state: &ShardState| matches!(state, ShardState::Over(_));
        let is_late = cancelled.is_some_and(|(_, since)| since.elapsed() > CANCELLING);
        if states.iter().all(is_over) || is_late {
            board.finish();
            return Ok(cancelled.map(|(signal, _)| signal));
        }
        thread::sleep(TICK);
    }
}
