//! The rules of the house, in one place: the order of the rooms, the size of files and functions,
//! and the form of doc comments.

/// The rooms, from the roof to the ground: a room imports from rooms after it only.
pub const ROOMS: &[&str] = &[
    "main",
    "cli",
    "push",
    "review",
    "engines",
    "host",
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

/// The most columns of a line of a doc comment.
pub const DOC_COLUMNS: usize = 100;

/// The words that no doc comment opens with: such sentences must be read twice.
pub const OPENINGS: &[&str] = &["What", "Whether", "Where", "Who", "How", "It"];
