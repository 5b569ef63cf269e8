//! Stories of the commands for a kata host.

mod console;
mod diag;
mod diag_network;
mod diag_secrets;
mod docker;
mod docker_daemon;
mod doctor;
