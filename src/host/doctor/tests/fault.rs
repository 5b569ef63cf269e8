//! A fault of a made-up host.

use super::made_up::MadeUp;
use crate::host::doctor::State;

/// A fault: its name, the change of a healthy host, and the rule that finds it. `can` stands for
/// something that works otherwise than it looks.
pub struct Fault {
    pub name: &'static str,
    pub change: fn(MadeUp) -> MadeUp,
    pub rule: &'static str,
    pub state: State,
}

pub const fn fault(
    name: &'static str,
    change: fn(MadeUp) -> MadeUp,
    rule: &'static str,
    state: State,
) -> Fault {
    Fault {
        name,
        change,
        rule,
        state,
    }
}
