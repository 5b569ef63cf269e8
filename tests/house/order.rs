//! The rules of the house, in one place: the order of the rooms, and how large a file and a function may be.

/// The rooms, from the roof to the ground: a room imports from rooms after it only.
pub const ROOMS: &[&str] = &[
    "main",
    "cli",
    "push",
    "run",
    "stamp",
    "exec",
    "report",
    "gerrit",
    "plan",
    "workspace",
    "parse",
    "outcome",
    "config",
    "event",
    "git",
    "probe",
    "say",
    "model",
    "clock",
    "dirs",
    "env",
    "fs",
    "text",
];

/// The most lines of a file.
pub const FILE_LINES: usize = 600;

/// The most lines of a function, from its `fn` to its last brace.
pub const FUNCTION_LINES: usize = 80;
