//! Single jobs: what a supervisor does, whatever the job does.

mod control;
mod jobs;
mod left_behind;
mod limits;
mod misbehaving;
mod trouble;
