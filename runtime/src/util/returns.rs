//! What a sleep in the kernel does to the returns after it.
//!
//! A processor predicts where a `ret` leads from a small stack of the calls it
//! has seen. A system call leaves the kernel's there: a thread that was switched
//! away finds none of its own, and a kernel with AMD's "safe RET" leaves one for
//! every function that it left. The first returns of the program are then sent
//! into the kernel's addresses, which costs far more than a plain miss: on the
//! machine that this was measured on 250 ns after a switch, and 50 ns after a
//! call that does nothing (`getppid`), where a few calls before the `ret`, wrong
//! as they are, cost 10. A round trip between two sleeping threads on one core
//! went from 1.16 times that of a bare eventfd to 0.97 (4, 6, 8, 12, 16 and 31
//! calls: 1.07, 0.97, 0.97, 0.97, 0.97, 0.98; one or two: no change).
//!
//! It works only where the system call is part of the same function: the return
//! out of libc's wrapper would have paid already.

/// How many returns are led back to the program's own addresses.
#[cfg(target_arch = "x86_64")]
const CALLS: usize = 8;

/// Fills the predictor with addresses of the program. To be called next to a
/// system call that sleeps or wakes, in the same function. A hint: what it does
/// cannot be seen but in time.
#[inline(always)]
pub(crate) fn refill_returns() {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: calls to the instruction after each (`int3` is never reached) push
    // addresses on the stack, which `lea` takes off again without a flag changed.
    // Without `nostack` the compiler keeps nothing below the stack pointer. No
    // frame is left, so a shadow stack, which would miss the returns, is the one
    // thing it does not go with; Rust's targets for x86-64 have none.
    unsafe {
        std::arch::asm!(
            ".rept {calls}",
            "call 2f",
            "int3",
            "2:",
            ".endr",
            "lea rsp, [rsp + 8 * {calls}]",
            calls = const CALLS,
            options(preserves_flags)
        );
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[inline(never)]
    fn deep(left: u64, numbers: [u64; 4]) -> u64 {
        let [a, b, c, d] = numbers;
        let below = match left {
            0 => 0,
            _ => deep(left - 1, [b, c, d, a + left]),
        };
        refill_returns();
        below.wrapping_mul(31) + a + (b << 1) + (c << 2) + (d << 3)
    }

    fn plain(left: u64, [a, b, c, d]: [u64; 4]) -> u64 {
        let below = match left {
            0 => 0,
            _ => plain(left - 1, [b, c, d, a + left]),
        };
        below.wrapping_mul(31) + a + (b << 1) + (c << 2) + (d << 3)
    }

    #[test]
    fn nobody_sees_it() {
        assert_eq!(deep(8, [1, 2, 3, 4]), plain(8, [1, 2, 3, 4]));
    }

    #[test]
    fn a_panic_passes_it() {
        let caught = std::panic::catch_unwind(|| {
            refill_returns();
            std::panic::resume_unwind(Box::new(7));
        });
        assert_eq!(caught.expect_err("it panics").downcast_ref(), Some(&7));
    }
}
