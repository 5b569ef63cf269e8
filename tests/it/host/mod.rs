//! Stories of the commands for a kata host.

mod console;
mod debug;
mod debug_exec;
mod diag;
mod diag_network;
mod diag_secrets;
mod docker;
mod docker_daemon;
mod doctor;
mod doctor_gerrit;
mod notes;
