//! A short look whether what an end waits for comes by itself.
//!
//! Joining the line and being woken costs both sides much more than a few words
//! that cross between two cores. So an end that finds nothing looks again for
//! about a microsecond, as long as that has paid lately.
//!
//! A look costs the *other* side time: it takes a cache line that the other
//! side is about to write. Three rules keep that small:
//!
//! - A look reads the stamp of the one slot that it waits for, and nothing else
//!   that the other side writes.
//! - What a look learns lies in a line of its own: the other side reads the
//!   count of the waiters at every operation, and must find it unchanged.
//! - Two ends that run in step hand the lines back and forth for every value,
//!   and either is as slow as that. So the one that had to look lets the other
//!   get a few values ahead, if there is more than one already; then a line
//!   crosses once for all the values in it. A lone value is taken at once, and
//!   the wait for more is [`PATIENCE`] looks at most.
#![forbid(unsafe_code)]

use crossbeam_utils::CachePadded;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// What one kind of end, or whoever else waits, has learnt about looking.
pub(crate) struct Look {
    /// How often in a row a look was in vain; advisory.
    misses: CachePadded<AtomicUsize>,
}

impl Look {
    pub(crate) const fn new() -> Self {
        Self {
            misses: CachePadded::new(AtomicUsize::new(0)),
        }
    }

    /// Looks until `ready` says that the first value (or free slot) is there,
    /// but only for a moment. `ready(n)` tells of the one `n` places behind it;
    /// `ahead` is how many it is worth to wait for.
    #[inline]
    pub(crate) fn for_a_moment(&self, ahead: usize, ready: impl Fn(usize) -> bool) {
        if !cfg!(loom) && !ready(0) {
            self.again(ahead, ready);
        }
    }

    #[cold]
    fn again(&self, ahead: usize, ready: impl Fn(usize) -> bool) {
        let misses = self.misses.load(Relaxed);
        let rests = misses >= MISSES && !misses.is_multiple_of(MISSES_TO_TRY_AGAIN);
        if !rests && come_within(LOOKS, || ready(0)) {
            if misses != 0 {
                self.misses.store(0, Relaxed);
            }
            if ahead > 1 && ready(1) {
                come_within(PATIENCE, || ready(ahead - 1));
            }
            return;
        }
        self.misses.store(misses.wrapping_add(1), Relaxed);
    }
}

fn come_within(looks: usize, ready: impl Fn() -> bool) -> bool {
    (0..looks).any(|_| {
        for _ in 0..PAUSES {
            std::hint::spin_loop();
        }
        ready()
    })
}

/// So many looks in vain in a row, and it is tried only now and then.
const MISSES: usize = 4;
const MISSES_TO_TRY_AGAIN: usize = 64;

/// About a microsecond in all.
const LOOKS: usize = 32;
const PAUSES: usize = 1;

/// So many looks are spent on letting the other side get ahead.
const PATIENCE: usize = 12;
