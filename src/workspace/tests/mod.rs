//! Tests of the room on real directories and git repositories.

mod detecting;
mod opening;
mod preflight;
mod static_checks;
mod support;
mod views;
