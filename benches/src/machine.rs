//! What the bench asks of the machine.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The processor time that this process has used, all threads together.
pub fn process_time() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// The processor time that the calling thread has used.
pub fn thread_time() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Such clocks begin at zero and never run back.
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

/// Keeps the calling thread, with the threads and processes that it starts, on
/// one core: the `n`-th, counted round and round, of those that the thread may
/// use. Answers which that is; `None` if there is no choice, or it is not
/// allowed.
///
/// What a pinned thread starts has one core to choose from. So a thread that
/// starts a process for another core must not be pinned itself.
pub fn pin_to(n: usize) -> Option<usize> {
    let allowed = sched_getaffinity(None).ok()?;
    let cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    let cores: Vec<usize> = cores.collect();
    if cores.len() < 2 {
        return None;
    }
    let core = cores[n % cores.len()];
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).ok()?;
    Some(core)
}

/// As many descriptors as the system grants.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = setrlimit(Resource::Nofile, most);
}

/// The memory of this process that is in use, in bytes; `None` where the system
/// does not say.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
