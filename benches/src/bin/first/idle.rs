//! Idle: a process with four loops that have nothing to do, and the processor
//! time that it uses doing it.

use polyloop_benches::{Plan, Scenario, Side, process_time};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

const LOOPS: usize = 4;
/// For the loops to start and settle.
const SETTLE: Duration = Duration::from_millis(300);

/// Ten seconds of nothing; one, when in a hurry.
pub fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "idle",
        metrics: &["ns of processor time in a second of idling, 4 loops"],
        sides: sides![idle],
        once: true,
    }]
}

/// A runtime that can wait.
trait Idle {
    /// Its name on the command line.
    const NAME: &'static str;

    /// Waits on the calling thread, for ever.
    fn wait();
}

fn idle<R: Idle>(plan: &Plan) -> Vec<f64> {
    let milliseconds = plan.scale(10_000);
    let program = std::env::current_exe().expect("the system knows what it runs");
    let output = Command::new(program)
        .args(["idle-process", R::NAME, &milliseconds.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("this program starts once more");
    assert!(output.status.success(), "the idle process failed");
    let printed = String::from_utf8_lossy(&output.stdout);
    let used: f64 = printed.trim().parse().expect("it prints a number");
    vec![used * 1_000.0 / milliseconds as f64]
}

/// The idle process: prints the nanoseconds that it used after settling.
pub fn main(runtime: &str, milliseconds: &str) -> ExitCode {
    let wait: fn() = match runtime {
        Polyloop::NAME => Polyloop::wait,
        #[cfg(feature = "peers")]
        Tokio::NAME => Tokio::wait,
        _ => {
            eprintln!("the idle process does not know {runtime}");
            return ExitCode::from(2);
        }
    };
    let Ok(milliseconds) = milliseconds.parse() else {
        eprintln!("the idle process is given a number of milliseconds");
        return ExitCode::from(2);
    };
    for _ in 0..LOOPS {
        thread::spawn(wait);
    }
    thread::sleep(SETTLE);
    let before = process_time();
    thread::sleep(Duration::from_millis(milliseconds));
    println!("{}", (process_time() - before).as_nanos());
    ExitCode::SUCCESS
}

struct Polyloop;

impl Idle for Polyloop {
    const NAME: &'static str = "polyloop";

    fn wait() {
        let mut looped = polyloop::EventLoop::new().expect("descriptors to spare");
        looped.run_forever().expect("nobody stops it");
    }
}

#[cfg(feature = "peers")]
struct Tokio;

#[cfg(feature = "peers")]
impl Idle for Tokio {
    const NAME: &'static str = "tokio";

    fn wait() {
        crate::tasks::current_thread().block_on(std::future::pending())
    }
}
