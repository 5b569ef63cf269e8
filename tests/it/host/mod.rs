//! Stories of the commands for a kata host.

mod docker;
mod docker_daemon;
