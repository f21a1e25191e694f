//! A Redis-protocol server; see [`polyloop_examples::kv`].
//!
//! ```sh
//! cargo run --release --bin kv                  # serves 127.0.0.1:6379 until Ctrl-C
//! redis-benchmark -t set,get,incr -P 16 -q      # in another terminal
//! ```
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    polyloop_examples::kv::main()
}
