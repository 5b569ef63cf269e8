//! The pulse of the watcher, for `/healthz` and the metrics.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The longest time between two turns of a loop that is well.
const LONGEST_TURN: Duration = Duration::from_secs(60);

/// The state of the stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamState {
    /// The server is asked from time to time instead.
    NotUsed,
    /// No connection is open.
    Closed,
    /// A connection is open.
    Open,
}

/// The values, as they were last told.
#[derive(Debug, Clone)]
pub struct Pulse {
    last_turn: Instant,
    /// The state of the stream.
    pub stream: StreamState,
    /// The error of the last question to the server, if it failed.
    pub server_error: Option<String>,
    /// The number of times that the stream was opened.
    pub opened: u64,
    /// The number of events, by the words `understood`, `damaged` and `other`.
    pub events: [(&'static str, u64); 3],
    /// The number of questions that the server failed to answer.
    pub failures: u64,
    /// The number of changes that are to be looked at.
    pub agenda: usize,
}

impl Pulse {
    /// Returns true if the loop turns.
    pub fn is_alive(&self) -> bool {
        self.last_turn.elapsed() < LONGEST_TURN
    }
}

/// The pulse, shared with the service.
#[derive(Debug)]
pub struct Health(Mutex<Pulse>);

impl Default for Health {
    fn default() -> Self {
        Self(Mutex::new(Pulse {
            last_turn: Instant::now(),
            stream: StreamState::NotUsed,
            server_error: None,
            opened: 0,
            events: [("understood", 0), ("damaged", 0), ("other", 0)],
            failures: 0,
            agenda: 0,
        }))
    }
}

impl Health {
    /// Records a turn of the loop, and what has changed.
    pub fn beat(&self, change: impl FnOnce(&mut Pulse)) {
        let mut pulse = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pulse.last_turn = Instant::now();
        change(&mut pulse);
    }

    /// Returns the values.
    pub fn read(&self) -> Pulse {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
