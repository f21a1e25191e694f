//! A job runner with a page: `cargo run --release --bin jobs`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    polyloop_examples::jobs::cli::main()
}
