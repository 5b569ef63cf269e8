//! Stories of runs on several machines: plans, shards, merging, and the engines that distribute.

mod emitted;
mod plan;
mod shards;
mod slurm;
