//! What the bench asks of the machine.

use perf_event::events::Tracepoint;
use perf_event::{Builder, Counter};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::io;
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

/// Counts the system calls of this process, without those of the thread that
/// counts.
#[derive(Debug)]
pub struct Calls(Vec<Counter>);

impl Calls {
    /// Why this machine does not let them be counted; `None`: it does.
    pub fn lacks() -> Option<String> {
        let error = Self::count().err()?;
        Some(format!("system calls cannot be counted here: {error}"))
    }

    /// Begins.
    ///
    /// # Errors
    /// The kernel has no tracepoints, or keeps them for the superuser.
    pub fn count() -> io::Result<Self> {
        let tracepoint = tracepoint()?;
        let own = rustix::thread::gettid().as_raw_pid();
        let mut counters = Vec::new();
        for thread in fs::read_dir("/proc/self/task")? {
            let name = thread?.file_name();
            let thread = name.to_str().and_then(|name| name.parse().ok());
            let thread: i32 = thread.expect("its files are numbers of threads");
            if thread == own {
                continue;
            }
            let mut builder = Builder::new(tracepoint);
            // With the threads that it starts from now on.
            let builder = builder.observe_pid(thread).inherit(true);
            match builder.include_kernel().enabled(true).build() {
                Ok(counter) => counters.push(counter),
                // It has ended meanwhile.
                Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self(counters))
    }

    /// Ends: how many they were.
    ///
    /// # Errors
    /// The kernel's.
    pub fn end(mut self) -> io::Result<u64> {
        self.0.iter_mut().map(Counter::read).sum()
    }
}

/// The entry into any system call.
fn tracepoint() -> io::Result<Tracepoint> {
    let path = "tracing/events/raw_syscalls/sys_enter/id";
    // Its own place, and where it was before there was one.
    let id = fs::read_to_string(format!("/sys/kernel/{path}"))
        .or_else(|_| fs::read_to_string(format!("/sys/kernel/debug/{path}")))?;
    let id = id.trim().parse().map_err(io::Error::other)?;
    Ok(Tracepoint::with_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn calls_of_other_threads_are_counted_or_there_is_a_reason() {
        if let Some(reason) = Calls::lacks() {
            assert!(reason.starts_with("system calls cannot be counted here: "));
            return;
        }
        let (go, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let _ = tell.send(());
            wait.recv().expect("it says go");
            for _ in 0..1_000 {
                rustix::thread::sched_yield();
            }
            let _ = tell.send(());
            let _ = wait.recv();
        });
        told.recv().expect("it has started");
        let calls = Calls::count().unwrap();
        go.send(()).expect("it waits");
        for _ in 0..10_000 {
            rustix::thread::sched_yield();
        }
        told.recv().expect("it has yielded");
        let count = calls.end().unwrap();
        // With some of its channel's, and of whatever test runs meanwhile.
        assert!(count >= 1_000, "{count}");
    }
}
