//! Stories of `kata-ci run`.

mod bad_input;
mod cost;
mod depends;
mod environment;
mod estimates;
mod exit_codes;
mod findings;
mod first_config;
mod junit_files;
mod kata_workspace;
pub mod misbehaving;
mod names;
mod odd_files;
mod one_case;
mod output;
mod proxy;
mod requirements;
mod resume;
mod retries;
mod rev;
mod runners;
mod scarcity;
mod signals;
mod since;
mod stamps;
mod tap;
mod terminal;
