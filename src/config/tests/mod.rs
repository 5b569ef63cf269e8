//! What the room does as a whole. Sample files lie in `fixtures/configurations`.

mod invalid;
mod merging;
mod precedence;
mod sources;
mod support;
mod valid;
