//! Shows the shards of a submission: a line for each on a terminal, else a line for each change.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::ShardState;
use crate::say;
use crate::text::for_terminal;

/// The most lines of shards that a terminal shows; of more, only changes are told.
const LINES: usize = 40;

/// The most bytes of a line.
const LINE_CAP: usize = 200;

/// The shards on the screen.
pub(super) struct Board {
    plan: String,
    lines: Vec<ProgressBar>,
    shown: Vec<Option<ShardState>>,
}

impl Board {
    /// Makes the board of so many shards.
    pub(super) fn new(count: usize, plan: &str) -> Self {
        let is_drawn = std::io::stderr().is_terminal() && count <= LINES;
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:>5}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        let lines = (0..count).filter(|_| is_drawn).map(|_| {
            let line = all.add(ProgressBar::new_spinner().with_style(style.clone()));
            line.enable_steady_tick(Duration::from_millis(200));
            line
        });
        Self {
            plan: plan.to_owned(),
            lines: lines.collect(),
            shown: vec![None; count],
        }
    }

    /// Shows the states of all shards.
    pub(super) fn show(&mut self, states: &[ShardState]) {
        for (index, state) in states.iter().enumerate() {
            let before = self.shown.get(index).cloned().flatten();
            if before.as_ref() == Some(state) {
                continue;
            }
            let text = format!("shard {index:<3} {}", words(state, before.as_ref()));
            let text = for_terminal(&text, LINE_CAP);
            match self.lines.get(index) {
                Some(line) if matches!(state, ShardState::Over(_)) => {
                    line.finish_with_message(text);
                }
                Some(line) => line.set_message(text),
                None => say::aside(format_args!("plan {}: {text}", self.plan)),
            }
            if let Some(shown) = self.shown.get_mut(index) {
                *shown = Some(state.clone());
            }
        }
    }

    /// Says something about all shards.
    pub(super) fn say(&self, text: &str) {
        match self.lines.first() {
            Some(line) => line.println(format!("plan {}: {text}", self.plan)),
            None => say::aside(format_args!("plan {}: {text}", self.plan)),
        }
    }

    /// Leaves the lines as they are.
    pub(super) fn finish(&self) {
        for line in self.lines.iter().filter(|line| !line.is_finished()) {
            line.abandon();
        }
    }
}

fn words(state: &ShardState, before: Option<&ShardState>) -> String {
    match (state, before) {
        (ShardState::Queued, None) => "queued".to_owned(),
        (ShardState::Queued, Some(_)) => "queued again".to_owned(),
        (ShardState::Running(on), _) => format!("running on {on}"),
        (ShardState::Over(word), _) => word.clone(),
    }
}
