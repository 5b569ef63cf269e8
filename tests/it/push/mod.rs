//! Stories of pushes to Gerrit and of the git hooks.

mod advice;
mod change_id;
mod check;
mod fix;
mod hook;
mod hook_managers;
mod hook_places;
mod hook_pre_push;
mod multi;
mod options;
mod pipeline;
mod preflight;
mod refusals;
mod rejections;
mod review;
mod rewriting;
mod submodules;
mod trailers;
