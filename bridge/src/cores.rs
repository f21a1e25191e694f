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
