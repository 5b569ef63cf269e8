//! Estimates the time that a run still takes, from the durations of its jobs in earlier runs.

use super::format;
use crate::outcome::{JobResult, Run};

/// Returns the least number of seconds until the end. Dependencies between jobs are ignored.
///
/// Returns `None` if nothing is left, or if a remaining job has no estimate.
pub(super) fn seconds(run: &Run, now: jiff::Timestamp) -> Option<f64> {
    let parallel = run.started.as_ref()?.parallel.max(1);
    let left: Vec<f64> = (run.jobs())
        .filter(|job| job.finished.is_none())
        .map(|job| of_job(job, now))
        .collect::<Option<_>>()?;
    let longest = left.iter().copied().reduce(f64::max)?;
    let shared = left.iter().sum::<f64>() / parallel as f64;
    Some(longest.max(shared))
}

fn of_job(job: &JobResult, now: jiff::Timestamp) -> Option<f64> {
    let elapsed = job
        .started
        .map_or(0.0, |start| format::seconds_between(start, now));
    Some((job.queued.estimate? - elapsed).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::model::JobOutcome;
    use crate::report::tests::sample::{Script, end, fold};

    fn run(estimates: &[Option<f64>]) -> Run {
        let mut records = Script::new(&["a.test", "b.test", "c.test"])
            .start("a.test")
            .end(end("a.test", JobOutcome::Passed, ""))
            .start("b.test")
            .records();
        let mut estimates = estimates.iter();
        for record in &mut records {
            if let Event::JobQueued(queued) = &mut record.event {
                queued.estimate = estimates.next().copied().flatten();
            }
        }
        fold(&records)
    }

    fn after(run: &Run, seconds: i64) -> Option<f64> {
        let now = run.start_time.unwrap() + jiff::SignedDuration::from_secs(seconds);
        super::seconds(run, now)
    }

    #[test]
    fn what_is_left_is_shared_by_those_side_by_side_but_no_job_is_split() {
        let known = run(&[Some(9.0), Some(10.0), Some(4.0)]);
        assert_eq!(after(&known, 0), Some(10.0));
        assert_eq!(after(&known, 8), Some(4.0));
        // The job b takes longer than before.
        assert_eq!(after(&known, 30), Some(4.0));
    }

    #[test]
    fn where_a_job_is_not_known_nothing_is_said() {
        assert_eq!(after(&run(&[None, Some(10.0), None]), 0), None);
        assert_eq!(after(&run(&[None, Some(10.0), Some(1.0)]), 0), Some(10.0));
    }
}
