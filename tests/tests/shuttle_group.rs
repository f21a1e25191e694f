//! The seats of a group under a scheduler that tries thousands of orders: loops
//! come, go and are replaced while others choose. The code is the bridge's own;
//! shuttle's lock and atomics stand in the place of its.
#![forbid(unsafe_code)]

use seats::Seats;
use shuttle::sync::Arc;
use shuttle::{check_pct, check_random, thread};

pub use polyloop_bridge::group::RetireError;

#[path = "../../bridge/src/group/arena.rs"]
mod arena;
#[allow(dead_code, reason = "a group asks for more than these tests")]
#[path = "../../bridge/src/group/seats.rs"]
mod seats;

#[path = "shuttle/mutex.rs"]
mod mutex;
mod primitives {
    pub(super) use crate::mutex::Mutex;
    pub(super) use shuttle::sync::atomic::{AtomicU64, AtomicUsize};
}

/// A member knows its number, and which of those it had is told by its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sitter {
    number: usize,
    mark: u64,
}

/// Two seats, taken.
fn two() -> Arc<Seats<Sitter>> {
    let seats = Seats::new();
    for mark in 0..2 {
        let number = seats.reserve(None, |number, _| number.to_string());
        seats.seat(number, Sitter { number, mark });
    }
    Arc::new(seats)
}

fn in_many_orders(test: fn()) {
    check_random(test, 3_000);
    check_pct(test, 3_000, 3);
}

fn consistent(seats: &Seats<Sitter>) {
    let open: Vec<_> = seats.open(None).collect();
    assert_eq!(open.len(), seats.len(), "the count is that of the seats");
    for (number, sitter) in open {
        assert_eq!(sitter.number, number, "nobody sits on another's seat");
    }
}

#[test]
fn loops_that_come_at_once_get_seats_of_their_own() {
    in_many_orders(|| {
        let seats = two();
        let come = |mark| {
            let seats = seats.clone();
            thread::spawn(move || {
                let number = seats.reserve(None, |number, _| number.to_string());
                seats.seat(number, Sitter { number, mark });
                number
            })
        };
        let going = seats.clone();
        let going = thread::spawn(move || going.retire(0).copied());
        let mut numbers = [come(10), come(11)].map(|coming| coming.join().expect("no panic"));
        assert_eq!(
            going.join().expect("no panic"),
            Ok(Sitter { number: 0, mark: 0 })
        );
        numbers.sort_unstable();
        // One of them may have got the seat that became vacant.
        assert!(numbers == [0, 2] || numbers == [2, 3], "{numbers:?}");
        assert_eq!(seats.len(), 3);
        consistent(&seats);
    });
}

#[test]
fn the_last_loop_stays_whoever_goes_at_the_same_time() {
    in_many_orders(|| {
        let seats = two();
        let going = [0, 1].map(|number| {
            let seats = seats.clone();
            thread::spawn(move || seats.retire(number).copied())
        });
        // Whoever chooses meanwhile finds somebody, who sits where it says.
        let (number, sitter) = seats.open(None).next().expect("never empty");
        assert_eq!(sitter.number, number);
        let gone = going.map(|going| going.join().expect("no panic"));
        let refused = gone.iter().filter(|gone| **gone == Err(RetireError::Last));
        assert_eq!((refused.count(), seats.len()), (1, 1));
        consistent(&seats);
    });
}

#[test]
fn a_loop_that_was_retired_is_not_replaced_nor_is_its_successor() {
    in_many_orders(|| {
        let seats = two();
        let (replacing, leaving) = (seats.clone(), seats.clone());
        let replacing = thread::spawn(move || {
            let new = Sitter {
                number: 1,
                mark: 20,
            };
            replacing.replace(1, |old| old.mark == 1, new)
        });
        let leaving = thread::spawn(move || {
            let gone = leaving.retire(1).map(|sitter| sitter.mark);
            let number = leaving.reserve(None, |number, _| number.to_string());
            leaving.seat(number, Sitter { number, mark: 30 });
            (gone, number)
        });
        let replaced = replacing.join().expect("no panic");
        let (gone, number) = leaving.join().expect("no panic");
        // The one that replaced it was retired in its stead, or nobody was.
        assert_eq!(gone, Ok(if replaced { 20 } else { 1 }));
        assert_eq!(number, 1, "the vacant seat is taken again");
        assert_eq!(seats.member(1).map(|sitter| sitter.mark), Some(30));
        assert_eq!(seats.len(), 2);
        consistent(&seats);
    });
}
