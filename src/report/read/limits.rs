//! How much of a file is read before it counts as hostile. Each is far above what a real writer writes.

/// Elements inside elements.
pub(super) const DEPTH: usize = 100;

/// Bytes of one tag with its attributes.
pub(super) const TAG: usize = 1024 * 1024;

/// Bytes of one piece of text. Outputs of a hundred megabytes belong into a file of their own.
pub(super) const TEXT: usize = 64 * 1024 * 1024;

/// Cases of one file. GitLab takes half of that.
pub(super) const CASES: usize = 1_000_000;

/// Elements of one file that are not cases: suites, properties, problems.
pub(super) const ELEMENTS: usize = 10_000_000;
