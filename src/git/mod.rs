//! git, by its own program: revisions, ranges, what differs.
