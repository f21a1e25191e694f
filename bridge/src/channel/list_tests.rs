//! The unbounded storage: order, blocks that come and go, and drops.

use super::list::List;
use super::*;
use concurrent_queue::PopError;
use std::thread;

/// More than a block holds, and no multiple of that.
const MANY: usize = 1_000;

#[test]
fn a_list_is_in_order_and_counts_over_many_blocks() {
    let list = List::new();
    assert_eq!(list.pop(), Err(PopError::Empty));
    let (mut pushed, mut popped) = (0, 0);
    for step in 1..MANY {
        for _ in 0..step % 50 {
            list.push(pushed).expect("it is open");
            pushed += 1;
            assert_eq!(list.len(), pushed - popped);
        }
        for _ in 0..step % 47 {
            let expected = (popped < pushed).then_some(popped);
            assert_eq!(list.has_value(0), expected.is_some());
            assert_eq!(list.pop().ok(), expected);
            popped += usize::from(expected.is_some());
        }
    }
    assert!(list.close());
    assert!(!list.close(), "it was closed before");
    assert!(list.push(0).is_err());
    let mut rest = Vec::new();
    assert_eq!(list.pop_many(&mut rest, usize::MAX), Ok(pushed - popped));
    assert!(rest.into_iter().eq(popped..pushed));
    assert_eq!(list.pop(), Err(PopError::Closed));
    assert!(!list.has_value(0));
}

#[test]
fn what_is_left_in_a_list_is_dropped_with_it() {
    let value = Arc::new(());
    for left in [0, 1, 30, 31, 32, 100] {
        let list = List::new();
        for _ in 0..left + 40 {
            list.push(value.clone()).expect("it is open");
        }
        for _ in 0..40 {
            list.pop().expect("there are more");
        }
        assert_eq!(Arc::strong_count(&value), 1 + left);
        drop(list);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

#[test]
fn a_block_of_large_values_is_not_made_on_the_stack() {
    const LARGE: usize = 100_000;
    // Without optimization every move of a value has its place on the stack.
    let small_stack = thread::Builder::new().stack_size(25 * LARGE);
    let user = small_stack.spawn(|| {
        let list = List::new();
        list.push([7_u8; LARGE]).expect("it is open");
        list.pop().expect("it was pushed")[LARGE - 1]
    });
    let last = user.expect("the machine has a thread left").join();
    assert_eq!(last.expect("no overflow"), 7);
}

#[test]
fn producers_and_consumers_share_a_list() {
    const THREADS: usize = 3;
    let list = List::new();
    let sums: Vec<usize> = thread::scope(|scope| {
        for producer in 0..THREADS {
            let list = &list;
            scope.spawn(move || {
                for n in 0..MANY {
                    list.push(producer * MANY + n).expect("it is open");
                }
            });
        }
        let consume = |limit: usize| {
            let list = &list;
            move || {
                let (mut values, mut next) = (Vec::new(), [0; THREADS]);
                while values.len() < MANY {
                    let before = values.len();
                    match list.pop_many(&mut values, limit.min(MANY - before)) {
                        Ok(count) => assert_eq!(values.len(), before + count),
                        Err(_) => thread::yield_now(),
                    }
                }
                for value in &values {
                    let (producer, n) = (value / MANY, value % MANY);
                    assert!(n >= next[producer], "a producer's values stay in order");
                    next[producer] = n + 1;
                }
                values.into_iter().sum()
            }
        };
        let consumers: Vec<_> = [1, 1, 7].map(|limit| scope.spawn(consume(limit))).into();
        let sums = consumers.into_iter().map(|thread| thread.join());
        sums.map(|sum| sum.expect("in order")).collect()
    });
    let all = THREADS * MANY;
    assert_eq!(sums.iter().sum::<usize>(), all * (all - 1) / 2);
    assert_eq!(list.pop(), Err(PopError::Empty));
}
