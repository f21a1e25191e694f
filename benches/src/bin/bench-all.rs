//! The one command: every scenario with every peer.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    polyloop_benches::command::main()
}
