//! Slurm's commands: sbatch, squeue, scancel, scontrol.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Numbers, ShardState, Submission, results, write};
use crate::engines::MERGE;
use crate::engines::slurm::Scripts;
use crate::env::Environment;
use crate::model::CommandError;
use crate::probe::{Answer, Probe, quoted};

/// The time that a command may take: a controller that restarts is waited for.
const DEADLINE: Duration = Duration::from_secs(120);

/// The commands of a Slurm.
pub(super) struct Slurm {
    sbatch: PathBuf,
    squeue: PathBuf,
    scancel: PathBuf,
    scontrol: PathBuf,
    environment: Environment,
}

impl Slurm {
    /// Finds the commands.
    pub(super) fn find(environment: &Environment) -> Result<Self, CommandError> {
        let find = |name: &str| {
            environment.find_program(name).ok_or_else(|| {
                CommandError::unavailable(format!("{name} is not on PATH"))
                    .hint("submit from a machine of the cluster (Debian's slurm-client)")
            })
        };
        Ok(Self {
            sbatch: find("sbatch")?,
            squeue: find("squeue")?,
            scancel: find("scancel")?,
            scontrol: find("scontrol")?,
            environment: environment.clone(),
        })
    }

    /// Submits the array, and the merge behind it.
    pub(super) fn hand_over(&self, submission: &Submission<'_>) -> Result<Numbers, CommandError> {
        let place = submission.place;
        let program = std::env::current_exe();
        let program = program.map_err(|error| CommandError::machine(format!("{error}")))?;
        let scripts = Scripts {
            program: &program,
            workspace: submission.workspace,
            results: quoted(place),
            attempts: submission.attempts,
        };
        let (shard, merge) = (place.join("shard.sh"), place.join("merge.sh"));
        write(&shard, scripts.shard().as_bytes())?;
        write(&merge, scripts.merge().as_bytes())?;
        let output = |name: &str| format!("--output={}", results(place).join(name).display());
        let last = submission.plan.filled().len().saturating_sub(1);
        let array = self.sbatch(&[
            "--job-name=kata-ci-shards".to_owned(),
            format!("--array=0-{last}"),
            "--requeue".to_owned(),
            "--open-mode=append".to_owned(),
            output("shard-%a.out"),
            shard.display().to_string(),
        ])?;
        let merge = self.sbatch(&[
            format!("--job-name={MERGE}"),
            format!("--dependency=afterany:{array}"),
            output("merge.out"),
            merge.display().to_string(),
        ])?;
        Ok(Numbers {
            engine: "slurm".to_owned(),
            plan_id: submission.plan.plan_id.clone(),
            array,
            merge,
        })
    }

    /// Submits a script, and returns the number of the job.
    fn sbatch(&self, words: &[String]) -> Result<String, CommandError> {
        let always = ["--parsable".to_owned(), "--export=ALL".to_owned()];
        let words: Vec<_> = always.iter().chain(words).map(String::as_str).collect();
        let answer = self.expect(&self.sbatch, &words)?;
        // A cluster's name may follow the number.
        let number = answer.trim().split(';').next().unwrap_or_default();
        Ok(number.to_owned())
    }

    /// Cancels all tasks and the merge.
    pub(super) fn cancel(&self, numbers: &Numbers) -> Result<(), CommandError> {
        self.expect(&self.scancel, &[&numbers.array, &numbers.merge])
            .map(drop)
    }

    /// Asks for the state of each shard. A task that Slurm has forgotten is over.
    pub(super) fn states(
        &self,
        numbers: &Numbers,
        count: usize,
    ) -> Result<Vec<ShardState>, CommandError> {
        let job = format!("--jobs={}", numbers.array);
        let words = [
            "--noheader",
            "--array",
            "--states=all",
            "--format=%i|%T|%N|%r",
            &job,
        ];
        let answer = self.ask(&self.squeue, &words)?;
        let output = String::from_utf8_lossy(&answer.output).into_owned();
        if !answer.status.success() && !answer.complaint().contains("Invalid job id") {
            return Err(failed("squeue", &answer));
        }
        let states = states(&output);
        for (task, _) in states
            .values()
            .filter(|(_, state)| *state == TaskState::Held)
        {
            // The node broke before the task began. Slurm holds it back until it is released.
            self.ask(&self.scontrol, &["release", task])?;
        }
        Ok((0..count)
            .map(|index| match states.get(&index) {
                None => ShardState::Over("over".to_owned()),
                Some((_, TaskState::Held)) => ShardState::Queued,
                Some((_, TaskState::Known(state))) => state.clone(),
            })
            .collect())
    }

    fn ask(&self, program: &Path, words: &[&str]) -> Result<Answer, CommandError> {
        let probe = Probe {
            program,
            arguments: words.iter().map(Into::into).collect(),
            directory: Path::new("/"),
            environment: &self.environment,
            deadline: DEADLINE,
        };
        probe.run().map_err(CommandError::machine)
    }

    fn expect(&self, program: &Path, words: &[&str]) -> Result<String, CommandError> {
        let answer = self.ask(program, words)?;
        match answer.status.success() {
            true => Ok(String::from_utf8_lossy(&answer.output).into_owned()),
            false => {
                let name = program.file_name().unwrap_or_default().to_string_lossy();
                Err(failed(&name, &answer))
            }
        }
    }
}

fn failed(name: &str, answer: &Answer) -> CommandError {
    CommandError::machine(format!("{name}: {}", answer.complaint()))
}

/// The state of a task, or that it is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TaskState {
    Known(ShardState),
    Held,
}

/// Parses lines `NUMBER_INDEX|STATE|NODES|REASON` of squeue. Of a task that was requeued, the last
/// line counts.
fn states(output: &str) -> BTreeMap<usize, (String, TaskState)> {
    let lines = output.lines().filter_map(|line| {
        let mut fields = line.trim().split('|');
        let (task, state) = (fields.next()?, fields.next()?);
        let (node, reason) = (fields.next()?, fields.next()?);
        let index = task.rsplit_once('_')?.1.parse().ok()?;
        Some((index, (task.to_owned(), task_state(state, node, reason))))
    });
    lines.collect()
}

fn task_state(state: &str, node: &str, reason: &str) -> TaskState {
    TaskState::Known(match state {
        "RUNNING" | "CONFIGURING" | "STAGE_OUT" | "SUSPENDED" | "STOPPED" => {
            ShardState::Running(node.to_owned())
        }
        "PENDING" if reason.contains("held") || reason.contains("JobHeld") => {
            return TaskState::Held;
        }
        "REQUEUE_HOLD" | "SPECIAL_EXIT" => return TaskState::Held,
        // A lost node's tasks become PENDING in a moment.
        "PENDING" | "COMPLETING" | "REQUEUED" | "NODE_FAIL" | "RESIZING" | "SIGNALING" => {
            ShardState::Queued
        }
        "COMPLETED" => ShardState::Over("done".to_owned()),
        "FAILED" => ShardState::Over("done, not passed".to_owned()),
        "CANCELLED" => ShardState::Over("cancelled".to_owned()),
        other => ShardState::Over(other.to_lowercase()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_queued_running_or_over() {
        let output = "7_0|RUNNING|w1|None\n7_1|PENDING||Resources\n7_2|COMPLETED|w2|None\n\
                      7_3|PENDING||launch failed requeued held\n7_4|NODE_FAIL|w2|None\n7_5|TIMEOUT|w1|x\n";
        let known = states(output);
        let state = |index: usize| known[&index].1.clone();
        let over = |word: &str| TaskState::Known(ShardState::Over(word.to_owned()));
        assert_eq!(
            state(0),
            TaskState::Known(ShardState::Running("w1".to_owned()))
        );
        assert_eq!(state(1), TaskState::Known(ShardState::Queued));
        assert_eq!((state(2), state(5)), (over("done"), over("timeout")));
        assert_eq!((state(3), state(4)), (TaskState::Held, state(1)));
    }
}
