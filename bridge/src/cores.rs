//! Pinning threads to cores, for all who start threads.
#![forbid(unsafe_code)]

use core_affinity::CoreId;

/// Pins the calling thread to the core of this number; false if the system does
/// not know it, or refuses.
///
/// Which cores the thread may use at present does not matter: a thread inherits
/// that from the one that started it, which may be pinned itself.
pub(crate) fn pin_to(id: usize) -> bool {
    id < CORES && core_affinity::set_for_current(CoreId { id })
}

/// How many cores the set has room for that the system is asked with. A number
/// beyond it must not be asked for: it would be a panic, or another core.
const CORES: usize = match cfg!(windows) {
    true => usize::BITS as usize,
    false => 1024,
};

/// Lets the calling thread run wherever the process's first thread may; false if
/// the system does not say, or refuses.
///
/// On Linux a thread inherits the cores of the one that started it: a worker that
/// a pinned loop needs would share that loop's core.
#[cfg(target_os = "linux")]
pub(crate) fn unpin() -> bool {
    use rustix::process::getpid;
    use rustix::thread::{sched_getaffinity, sched_setaffinity};

    let roamed = sched_getaffinity(Some(getpid())).and_then(|cores| {
        // Asked first, since it is so for nearly all.
        match sched_getaffinity(None)? == cores {
            true => Ok(()),
            false => sched_setaffinity(None, &cores),
        }
    });
    roamed.is_ok()
}

/// Elsewhere threads inherit no such thing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unpin() -> bool {
    true
}
