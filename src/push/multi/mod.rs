//! Pushes several repositories as one: all are prepared and checked before the first connection is
//! opened.
//!
//! ```text
//! prepare all ─▶ one topic ─▶ all fit? ─▶ confirm once ─▶ check all ─▶ all passed? ─▶ deliver each
//! ```
//! Gerrit cannot push several projects atomically, so a delivery can fail after others succeeded.
//! Repositories that need a failed one are held back, the rest goes on. The next push takes what is
//! left, under the same topic.

mod report;
mod targets;
mod topic;
mod view;

pub use report::{MultiReport, RepositoryReport};
pub use targets::{PushTarget, in_order_of_needs};
pub(super) use targets::{project, targets};
pub use view::{outcome, plan};

use super::check::Check;
use super::report::{Outcome, PushReport};
use super::request::{PushError, PushUi};
use super::session::{FEW, Push};
use crate::model::ExitCode;

/// The state of the push of one repository.
enum TargetState<'a> {
    Going(Box<Push<'a>>),
    Over(Box<PushReport>),
    Broken(PushError),
}

struct TargetRow<'a> {
    target: &'a PushTarget,
    state: TargetState<'a>,
}

/// Receives the report of a push of several repositories.
pub trait MultiPushUi: PushUi {
    /// Receives the plan, before anything is asked, checked or sent.
    fn plans(&mut self, report: &MultiReport);
}

/// Pushes these repositories in this order.
pub fn push_multi(
    targets: &[PushTarget],
    check: &dyn Check,
    ui: &mut dyn MultiPushUi,
) -> MultiReport {
    let mut several = Several::prepare(targets);
    ui.plans(&several.report());
    several.end_unfit();
    if several.is_good() {
        several.ask(ui);
    }
    if several.is_good() {
        several.check(check);
    }
    if several.is_good() {
        several.deliver();
    }
    several.hold("nothing is pushed unless all of it can be");
    several.report()
}

struct Several<'a> {
    rows: Vec<TargetRow<'a>>,
    topic: Option<String>,
}

impl<'a> Several<'a> {
    fn prepare(targets: &'a [PushTarget]) -> Self {
        let prepared = targets.iter().map(|target| TargetRow {
            target,
            state: match Push::prepare(&target.repository, &target.request) {
                Ok(push) => TargetState::Going(Box::new(push)),
                Err(error) => TargetState::Broken(error),
            },
        });
        let mut several = Self {
            rows: prepared.collect(),
            topic: None,
        };
        several.agree_on_a_topic();
        several
    }

    fn agree_on_a_topic(&mut self) {
        let pushes: Vec<&Push<'_>> = self.going().filter(|push| push.facts.count > 0).collect();
        let Some(topic) = topic::choose(&pushes) else {
            return;
        };
        self.topic = topic.value().map(str::to_owned);
        for row in &mut self.rows {
            if let TargetState::Going(push) = &mut row.state {
                push.put_option(topic.clone());
            }
        }
    }

    fn going(&self) -> impl Iterator<Item = &Push<'a>> {
        self.rows.iter().filter_map(|row| match &row.state {
            TargetState::Going(push) => Some(&**push),
            TargetState::Over(_) | TargetState::Broken(_) => None,
        })
    }

    /// Returns true if no push has failed so far.
    fn is_good(&self) -> bool {
        self.rows.iter().all(TargetRow::is_good)
    }

    fn end_unfit(&mut self) {
        for row in &mut self.rows {
            row.step(|push| push.unfit());
        }
    }

    fn ask(&mut self, ui: &mut dyn MultiPushUi) {
        let count: usize = self.going().map(|push| push.facts.count).sum();
        let mut going = self.going();
        let Some(first) = going.next() else { return };
        if first.request.yes || first.request.destination.direct || count <= FEW {
            return;
        }
        let repositories = 1 + going.count();
        let question = format!("push {count} changes of {repositories} repositories?");
        let (note, code) = match ui.confirm(&question) {
            Some(true) => return,
            Some(false) => ("nothing was pushed".to_owned(), ExitCode::Failed),
            None => (
                format!(
                    "{count} changes are more than {FEW}, and there is no terminal to ask on: --yes pushes them"
                ),
                ExitCode::Usage,
            ),
        };
        for row in &mut self.rows {
            row.step(|push| {
                Some(
                    push.report()
                        .clone()
                        .noted(note.clone())
                        .ended(Outcome::Declined, code),
                )
            });
        }
    }

    /// Checks all repositories, also after a failure, so that all failures are reported at once.
    fn check(&mut self, check: &dyn Check) {
        for row in &mut self.rows {
            row.step(|push| push.check(check));
        }
    }

    fn deliver(&mut self) {
        for at in 0..self.rows.len() {
            let target = self.rows[at].target;
            let failed = self.rows[..at]
                .iter()
                .find(|row| !row.is_taken() && target.needs(row.target));
            match failed.map(|row| row.target.components.join(", ")) {
                Some(needed) => self.rows[at].hold(&format!("it needs {needed}")),
                None => self.rows[at].deliver(),
            }
        }
    }

    /// Holds back the pushes that have not ended.
    fn hold(&mut self, reason: &str) {
        for row in &mut self.rows {
            row.hold(reason);
        }
    }

    fn report(&self) -> MultiReport {
        let repositories = self.rows.iter().map(TargetRow::report).collect();
        MultiReport::new(self.topic.clone(), repositories)
    }
}

impl<'a> TargetRow<'a> {
    fn is_good(&self) -> bool {
        match &self.state {
            TargetState::Going(_) => true,
            TargetState::Over(report) => matches!(
                report.outcome,
                Outcome::Pushed | Outcome::NothingNew | Outcome::DryRun
            ),
            TargetState::Broken(_) => false,
        }
    }

    /// Returns true if the server has accepted all of it.
    fn is_taken(&self) -> bool {
        matches!(&self.state, TargetState::Over(report) if matches!(report.outcome, Outcome::Pushed | Outcome::NothingNew))
    }

    /// Carries out a step, which may end the push.
    fn step(&mut self, step: impl FnOnce(&mut Push<'a>) -> Option<PushReport>) {
        if let TargetState::Going(push) = &mut self.state
            && let Some(report) = step(push)
        {
            self.state = TargetState::Over(Box::new(report));
        }
    }

    fn hold(&mut self, reason: &str) {
        self.step(|push| {
            let report = push.report().clone().noted(reason.to_owned());
            Some(report.ended(Outcome::Held, ExitCode::Failed))
        });
    }

    fn deliver(&mut self) {
        if let TargetState::Going(push) = &mut self.state {
            self.state = match push.deliver() {
                Ok(report) => TargetState::Over(Box::new(report)),
                Err(error) => TargetState::Broken(error),
            };
        }
    }

    fn report(&self) -> RepositoryReport {
        let (push, error) = match &self.state {
            TargetState::Going(push) => (Some(push.report().clone()), None),
            TargetState::Over(report) => (Some((**report).clone()), None),
            TargetState::Broken(error) => (None, Some(error.to_string())),
        };
        RepositoryReport {
            components: self.target.components.clone(),
            directory: self.target.repository.directory().display().to_string(),
            push,
            error,
        }
    }
}
