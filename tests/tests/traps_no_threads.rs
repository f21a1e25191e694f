//! The system refuses to start threads: what a pool had taken is run later or
//! answered, and the pool works again afterwards.
#![forbid(unsafe_code)]

use polyloop_bridge::{Shutdown, ThreadPoolExecutor, TrySubmitError};
use polyloop_tests::{require, with_watchdog};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

/// Set in the process that runs under the limit.
const INSIDE: &str = "POLYLOOP_TEST_FEW_THREADS";

fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs `test` of this file as a user who may have few threads. The limit is a
/// user's, so each run is a user of its own.
fn under_a_limit(test: &str) {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let user = 100_000 + 4 * std::process::id() + RUNS.fetch_add(1, SeqCst);
    let tools = [("setpriv", "util-linux"), ("prlimit", "util-linux")];
    if !tools.iter().all(|(tool, package)| require(tool, package)) {
        return;
    }
    let program = std::env::current_exe().expect("a test has a file");
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={user}")]);
    command.arg("--clear-groups");
    command.args(["prlimit", "--nproc=12", "--"]).arg(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let output = command.env(INSIDE, "1").output().expect("setpriv is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    if said.contains("setpriv: ") || said.contains("prlimit: ") {
        // Not root, or a folder that the other user cannot enter.
        let _ = polyloop_tests::require_that(false, "another user", "run the tests as root");
        return;
    }
    assert!(output.status.success(), "{said}");
}

/// As many threads as the system gives, until the sender is dropped.
fn take_all_threads() -> (mpsc::Sender<()>, Vec<thread::JoinHandle<()>>) {
    let (hold, held) = mpsc::channel::<()>();
    let held = std::sync::Arc::new(std::sync::Mutex::new(held));
    let mut threads = Vec::new();
    loop {
        let held = held.clone();
        let wait = move || {
            let _ = held.lock().map(|held| held.recv());
        };
        match thread::Builder::new().spawn(wait) {
            Ok(thread) => threads.push(thread),
            Err(_) => return (hold, threads),
        }
    }
}

fn pool() -> ThreadPoolExecutor {
    let builder = ThreadPoolExecutor::builder().max_workers(64);
    builder.build().expect("no thread is started yet")
}

#[test]
fn trap_066_with_few_threads_all_jobs_run() {
    if !inside() {
        return under_a_limit("trap_066_with_few_threads_all_jobs_run");
    }
    with_watchdog(HANG, || {
        let pool = pool();
        let job = |n: u32| {
            pool.submit(move || {
                thread::sleep(Duration::from_millis(1));
                n
            })
        };
        let jobs: Vec<_> = (0..300).map(job).collect();
        let sum: u32 = jobs.into_iter().map(|job| job.result().unwrap()).sum();
        assert_eq!(sum, 44_850);
        let figures = pool.metrics();
        assert!(figures.failed_starts > 0, "{figures:?}");
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}

#[test]
fn trap_057_a_pool_without_threads_says_so_and_recovers() {
    if !inside() {
        return under_a_limit("trap_057_a_pool_without_threads_says_so_and_recovers");
    }
    with_watchdog(HANG, || {
        let pool = pool();
        let (hold, threads) = take_all_threads();
        for _ in 0..3 {
            let refused = pool.submit(|| 1).result().unwrap_err();
            assert!(refused.is_no_thread(), "{refused}");
            match pool.try_submit(|| 2) {
                Err(TrySubmitError::NoThread(f, _)) => assert_eq!(f(), 2),
                other => panic!("{other:?}"),
            }
        }
        drop(hold);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(pool.submit(|| 3).result().unwrap(), 3, "it works again");
    });
}

/// Blocks on jobs of its own pool, `depth` deep.
fn nested(pool: &ThreadPoolExecutor, depth: usize) -> Result<usize, String> {
    if depth == 0 {
        return Ok(0);
    }
    let inner = pool.clone();
    let job = pool.submit(move || nested(&inner, depth - 1));
    Ok(job.result().map_err(|error| error.to_string())?? + 1)
}

#[test]
fn trap_066_jobs_that_block_on_jobs_are_refused_and_do_not_hang() {
    if !inside() {
        return under_a_limit("trap_066_jobs_that_block_on_jobs_are_refused_and_do_not_hang");
    }
    with_watchdog(HANG, || {
        let pool = ThreadPoolExecutor::builder()
            .max_workers(2)
            .build()
            .unwrap();
        for _ in 0..5 {
            let refused = nested(&pool, 100).unwrap_err();
            assert!(refused.contains("no thread"), "{refused}");
            assert_eq!(nested(&pool, 2), Ok(2), "it works on");
        }
        assert!(pool.shutdown(Shutdown::default()).is_complete());
    });
}
