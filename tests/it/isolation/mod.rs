//! What a job can reach, at each level of isolation.

mod after;
mod before;
mod builds;
mod collisions;
mod escape;
mod kill;
mod levels;
mod links;
mod network_tried;
mod planted;
mod privileges;
mod started_programs;
mod trust;
