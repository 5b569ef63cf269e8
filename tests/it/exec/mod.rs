//! Stories of single jobs: supervisor and helper, whatever the job does.

mod control;
mod jobs;
mod left_behind;
mod limits;
mod misbehaving;
mod trouble;
