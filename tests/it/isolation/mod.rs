//! Stories of isolation: the reach of a job at each level.

mod after;
mod as_root;
mod before;
mod builds;
mod collisions;
mod compare;
mod escape;
mod kill;
mod levels;
mod links;
mod network_tried;
mod next_command;
mod planted;
mod privileges;
mod started_programs;
mod trust;
