//! The limits beyond which a file counts as hostile. Each is far above anything that a real writer
//! writes.

/// The deepest nesting of elements.
pub(super) const DEPTH: usize = 100;

/// The most bytes of one tag with its attributes.
pub(super) const TAG: usize = 1024 * 1024;

/// The most bytes of one piece of text. Outputs of a hundred megabytes belong into a file of their
/// own.
pub(super) const TEXT: usize = 64 * 1024 * 1024;

/// The most cases of one file. GitLab takes half of that.
pub(super) const CASES: usize = 1_000_000;

/// The most elements of one file that are not cases: suites, properties, problems.
pub(super) const ELEMENTS: usize = 10_000_000;
