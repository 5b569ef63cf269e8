//! Tests of the whole room. Sample files lie in `fixtures/configurations`.

mod invalid;
mod merging;
mod precedence;
mod sources;
mod support;
mod valid;
