//! Mistakes planted on purpose, so that a check that stopped finding them shows
//! itself: `planted race`, `planted leak`, `planted use-after-free`. CI runs it
//! under the sanitizers, and each run has to fail.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("race") => race(),
        Some("leak") => leak(),
        Some("use-after-free") => use_after_free(),
        _ => {
            eprintln!("usage: planted race|leak|use-after-free");
            return ExitCode::from(2);
        }
    }
    println!("nobody noticed");
    ExitCode::SUCCESS
}

/// A counter that claims to be shareable and is not.
struct Racy(UnsafeCell<u64>);

// SAFETY: none; that is the mistake.
unsafe impl Sync for Racy {}

/// Two threads add to one plain counter.
fn race() {
    let counter = Arc::new(Racy(UnsafeCell::new(0)));
    let add = |counter: Arc<Racy>| {
        thread::spawn(move || {
            for _ in 0..10_000 {
                // SAFETY: none; that is the mistake.
                unsafe { *counter.0.get() += 1 };
            }
        })
    };
    for thread in [add(counter.clone()), add(counter.clone())] {
        thread.join().expect("adding does not panic");
    }
    // SAFETY: both threads are gone.
    black_box(unsafe { *counter.0.get() });
}

/// Memory that nothing points to any more.
fn leak() {
    let text = black_box("x".repeat(4_321));
    let address = Box::into_raw(Box::new(text)) as usize;
    // A number that is no address hides it from the search for pointers.
    black_box(!address);
}

/// A read through a pointer to what was freed.
fn use_after_free() {
    let boxed = Box::new(black_box(7_u64));
    let pointer = &raw const *boxed;
    drop(boxed);
    // SAFETY: none; that is the mistake.
    black_box(unsafe { pointer.read_volatile() });
}
