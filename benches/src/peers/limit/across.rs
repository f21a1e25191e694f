//! Numbers to another thread and back.

use crate::machine::pin_to;
use crate::scenario::Run;
use crate::scenario::submitting::{Cores, ONE_CORE, TWO_CORES, cold_trips, warm_trips};
use crate::work::{Answer, Work};
use std::array;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::thread::{self, Thread};

pub const RUNS: [(&str, Run); 8] = [
    ("submit-cold", futex),
    ("submit-warm", spinning),
    ("submit-1", ring),
    ("loop-to-loop", spinning),
    ("offload", spinning),
    ("offload-1000", ring),
    ("channel-1-1024", ring),
    ("channel-trip", spinning),
];

#[cfg(target_os = "linux")]
pub const EVENTFD_RUNS: [(&str, Run); 5] = [
    ("submit-cold", |work| eventfds(work, true, None)),
    ("submit-warm", |work| eventfds(work, false, None)),
    ("loop-to-loop", |work| eventfds(work, false, None)),
    ("loop-to-loop-one-core", |work| {
        eventfds(work, false, Some(ONE_CORE))
    }),
    ("loop-to-loop-two-cores", |work| {
        eventfds(work, false, Some(TWO_CORES))
    }),
];

/// Told to a partner that it is over.
const END: u64 = u64::MAX;

/// A word to and fro; never on a line with another one.
#[derive(Default)]
#[repr(align(128))]
struct Word(AtomicU64);

impl Word {
    /// Waits for another value than `seen`, spinning.
    fn spin(&self, seen: u64) -> u64 {
        spin_until(|| Some(self.0.load(Acquire)).filter(|value| *value != seen))
    }

    /// Waits for another value than `seen`, asleep; whoever writes it unparks.
    fn sleep(&self, seen: u64) -> u64 {
        loop {
            let value = self.0.load(Acquire);
            if value != seen {
                return value;
            }
            thread::park();
        }
    }
}

/// Looks until there is something. Now and then it offers its core, in case the
/// other thread has none.
fn spin_until(mut look: impl FnMut() -> Option<u64>) -> u64 {
    loop {
        for _ in 0..LOOKS {
            if let Some(value) = look() {
                return value;
            }
            spin_loop();
        }
        thread::yield_now();
    }
}

/// About 100 µs: longer than any answer takes while both threads run.
const LOOKS: u32 = 2_000;

/// Two words; values are numbers and one more, so that 0 is nothing.
type Words = Arc<[Word; 2]>;

fn spinning(work: &Work) -> Answer {
    let words = Words::default();
    let theirs = words.clone();
    let partner = thread::spawn(move || {
        let mut seen = 0;
        while seen != END {
            seen = theirs[0].spin(seen);
            theirs[1].0.store(seen, Release);
        }
    });
    let mut seen = 0;
    let answer = warm_trips(work, |value| {
        words[0].0.store(value + 1, Release);
        seen = words[1].spin(seen);
        seen - 1
    });
    words[0].0.store(END, Release);
    partner.join().expect("it ends with END");
    answer
}

fn futex(work: &Work) -> Answer {
    let words = Words::default();
    let (theirs, me): (Words, Thread) = (words.clone(), thread::current());
    let partner = thread::spawn(move || {
        let mut seen = 0;
        while seen != END {
            seen = theirs[0].sleep(seen);
            theirs[1].0.store(seen, Release);
            me.unpark();
        }
    });
    let mut seen = 0;
    let answer = cold_trips(work, |value| {
        words[0].0.store(value + 1, Release);
        partner.thread().unpark();
        seen = words[1].sleep(seen);
        seen - 1
    });
    words[0].0.store(END, Release);
    partner.thread().unpark();
    partner.join().expect("it ends with END");
    answer
}

const SLOTS: usize = 1024;
/// Numbers that are sent before an answer is looked for.
const BATCH: u64 = 1_000;

/// A thousand slots there, a thousand back, both threads spinning.
fn ring(work: &Work) -> Answer {
    type Slots = [AtomicU64; SLOTS];
    let slots: Arc<[Slots; 2]> =
        Arc::new(array::from_fn(|_| array::from_fn(|_| AtomicU64::new(0))));
    let theirs = slots.clone();
    let take = |slot: &AtomicU64| {
        let value = spin_until(|| Some(slot.load(Acquire)).filter(|value| *value != 0));
        slot.store(0, Relaxed);
        value
    };
    let partner = thread::spawn(move || {
        for place in (0..SLOTS).cycle() {
            let value = take(&theirs[0][place]);
            if value == END {
                return;
            }
            theirs[1][place].store(value, Release);
        }
    });
    let mut pace = work.pace();
    let mut next = 0;
    while pace.goes_on() {
        for value in next..next + BATCH {
            slots[0][value as usize % SLOTS].store(value + 1, Release);
        }
        for value in next..next + BATCH {
            assert_eq!(take(&slots[1][value as usize % SLOTS]), value + 1);
        }
        next += BATCH;
        pace.did(BATCH);
    }
    slots[0][next as usize % SLOTS].store(END, Release);
    partner.join().expect("it ends with END");
    Answer::of([pace.ns_each()])
}

#[cfg(target_os = "linux")]
fn eventfds(work: &Work, cold: bool, cores: Option<Cores>) -> Answer {
    use rustix::event::{EventfdFlags, eventfd};
    use rustix::fd::OwnedFd;
    use rustix::io::{read, write};

    let make = || eventfd(0, EventfdFlags::empty()).expect("descriptors to spare");
    let fds: Arc<[OwnedFd; 2]> = Arc::new([make(), make()]);
    let tell = |fd: &OwnedFd, value: u64| {
        write(fd, &value.to_ne_bytes()).expect("a number fits");
    };
    let hear = |fd: &OwnedFd| {
        let mut bytes = [0; 8];
        read(fd, &mut bytes).expect("somebody tells");
        u64::from_ne_bytes(bytes)
    };
    // The largest number that an eventfd takes.
    let end = u64::MAX - 1;
    let theirs = fds.clone();
    let partner = thread::spawn(move || {
        cores.map(|cores| pin_to(cores[0]));
        loop {
            let value = hear(&theirs[0]);
            if value == end {
                return;
            }
            tell(&theirs[1], value);
        }
    });
    cores.map(|cores| pin_to(cores[1]));
    let trip = |value| {
        tell(&fds[0], value + 1);
        hear(&fds[1]) - 1
    };
    let answer = if cold {
        cold_trips(work, trip)
    } else {
        warm_trips(work, trip)
    };
    tell(&fds[0], end);
    partner.join().expect("it ends when told");
    answer
}
