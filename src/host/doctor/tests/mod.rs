//! Made-up hosts: healthy ones, and ones with faults.

mod fault;
mod faults;
mod healthy;
mod made_up;
mod of_developer;
mod of_engines;
mod of_kata;
mod of_machine;
