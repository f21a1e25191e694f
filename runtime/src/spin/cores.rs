//! How many cores there are to spin on.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The cores this process may use, asked once.
pub(super) fn cores() -> usize {
    static CORES: AtomicUsize = AtomicUsize::new(0);
    match CORES.load(Relaxed) {
        0 => {
            let cores = cores_of_the_process();
            CORES.store(cores, Relaxed);
            cores
        }
        cores => cores,
    }
}

/// The calling thread may be kept on one core, as the loops of a group are, and
/// is told of that one only. The process's first thread has the others, too.
#[cfg(target_os = "linux")]
fn cores_of_the_process() -> usize {
    use rustix::thread::{Pid, sched_getaffinity};
    let mine = cores_of_this_thread();
    let allowed = |thread| sched_getaffinity(thread).map_or(0, |set| set.count() as usize);
    if mine < allowed(None) {
        // A quota of time allows fewer than there are.
        return mine;
    }
    let first = i32::try_from(std::process::id()).ok();
    let first = first.and_then(Pid::from_raw);
    mine.max(first.map_or(0, |first| allowed(Some(first))))
}

#[cfg(not(target_os = "linux"))]
use cores_of_this_thread as cores_of_the_process;

fn cores_of_this_thread() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_kept_on_one_core_knows_the_others() {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let everywhere = cores_of_the_process();
        let allowed = sched_getaffinity(None).expect("the system says");
        let first = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core));
        let mut one = CpuSet::new();
        one.set(first.expect("this test runs on a core"));
        sched_setaffinity(None, &one).expect("fewer cores are always allowed");
        assert_eq!(cores_of_this_thread(), 1);
        assert_eq!(cores_of_the_process(), everywhere);
    }
}
