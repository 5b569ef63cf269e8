//! Timeouts for poll(2).

use std::time::{Duration, Instant};

use nix::poll::PollTimeout;

/// Returns the time until `deadline`, rounded up so that poll never wakes early and spins. `None`
/// waits forever.
pub(super) fn poll_timeout(deadline: Option<Instant>) -> PollTimeout {
    const LONGEST: Duration = Duration::from_secs(3600);
    let Some(deadline) = deadline else {
        return PollTimeout::NONE;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return PollTimeout::ZERO;
    }
    PollTimeout::try_from(left.min(LONGEST) + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
}
