//! Asking for cache lines before they are needed.
//!
//! A cell that crosses threads costs its reader one trip to the other core a
//! line, about 0.1 µs each, and a plain load fetches a line that the write
//! after it has to ask for again. Asked for early and *for writing*, the trips
//! overlap with other work.

use std::cell::Cell;

/// Asks for the cache line of `address`, to be written soon. A hint: it never
/// faults, whatever the address.
#[inline(always)]
pub(crate) fn prefetch_write<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    // SAFETY: PREFETCHW touches no register, no flag and no memory that the
    // program can see; processors without it treat it as no operation.
    unsafe {
        std::arch::asm!(
            "prefetchw [{0}]",
            in(reg) address,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(all(target_arch = "aarch64", not(loom)))]
    // SAFETY: as above; PRFM is a hint.
    unsafe {
        std::arch::asm!(
            "prfm pstl1keep, [{0}]",
            in(reg) address,
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(any(loom, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = address;
}

/// Asks for the first `lines` cache lines from `address` on.
#[inline(always)]
pub(crate) fn prefetch_lines<T>(address: *const T, lines: usize) {
    for line in 0..lines {
        prefetch_write(address.cast::<u8>().wrapping_add(line * 64));
    }
}

/// How many sends lie between a cell and its trail: enough to hide a trip to
/// the other core behind the work on the cells between.
const TRAIL: usize = 8;

std::thread_local! {
    static RECENT: [Cell<usize>; TRAIL] = const { [const { Cell::new(0) }; TRAIL] };
    static NEXT: Cell<usize> = const { Cell::new(0) };
}

/// Notes that this thread sends the cell at `address`, and answers the address
/// of the one that it sent [`TRAIL`] sends ago. The mailbox's list links each
/// cell to the one before it, so whoever walks it would wait for one trip after
/// the other; with this he can ask for a later cell in good time. It is a number
/// to ask for lines by: the cell may be long gone.
#[inline]
pub(crate) fn trail(address: usize) -> usize {
    let place = NEXT
        .try_with(|next| next.replace((next.get() + 1) % TRAIL))
        .unwrap_or(0);
    RECENT
        .try_with(|recent| recent[place].replace(address))
        .unwrap_or(0)
}
