//! The command line.

use super::resp::Limits;
use super::server::{Options, run};
use clap::Parser;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;

/// Keeps keys and values in memory and serves them by Redis's protocol, one
/// shard of the keys a loop.
///
/// Nothing is written to disk. redis-cli and redis-benchmark talk to it.
#[derive(Debug, Parser)]
#[command(name = "kv", version)]
struct Arguments {
    /// Where it is served; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6379")]
    listen: SocketAddr,

    /// Serve other machines too: whoever reaches the address reads and writes
    #[arg(long)]
    allow_remote: bool,

    /// Loops, one thread and one shard each [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    loops: Option<u16>,

    /// Memory for keys and values, in mebibytes; then writes are refused
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    memory: u32,

    /// The most clients at a time
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    clients: usize,

    /// The longest value, in kibibytes
    #[arg(long, value_name = "KIB", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    max_value: u32,
}

/// The program: 0 after an orderly end, 2 for a mistake in the arguments, 1 if
/// the service could not start.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.listen.ip().is_loopback() && !arguments.allow_remote {
        eprintln!(
            "kv: --listen {}: whoever reaches this address can read and write all keys; \
             say --allow-remote if that is wanted",
            arguments.listen
        );
        return ExitCode::from(2);
    }
    match run(options(&arguments), announce) {
        Ok(report) => {
            // Nobody may be reading any more; that is no failure of ours.
            let _ = writeln!(io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("kv: {why}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &Arguments) -> Options {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let value = (arguments.max_value as usize) << 10;
    let limits = Limits::default();
    Options {
        listen: arguments.listen,
        loops: arguments.loops.map_or(cores, usize::from),
        memory: (arguments.memory as usize) << 20,
        clients: arguments.clients,
        limits: Limits {
            value,
            request: limits.request.max(2 * value),
            ..limits
        },
    }
}

fn announce(address: SocketAddr) {
    let _ = writeln!(io::stdout(), "kv at {address}");
}
