//! Parse, call, exit code.

use std::process::exit;

fn main() {
    exit(kata_ci::cli::main());
}
