//! The queue's ends, waiting and closing, over the real storage.

use super::list::List;
use super::ring::Ring;
use super::*;
use concurrent_queue::PopError;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[test]
fn loom_a_value_reaches_a_blocked_receiver() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        let producer = loom::thread::spawn(move || sender.send_blocking(1));
        assert_eq!(receiver.recv_blocking(), Ok(1));
        assert!(producer.join().unwrap().is_ok());
    });
}

#[test]
fn loom_a_full_channel_lets_its_sender_through() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let producer = loom::thread::spawn(move || sender.send_blocking(2));
        assert_eq!(receiver.recv_blocking(), Ok(1));
        assert_eq!(receiver.recv_blocking(), Ok(2));
        assert!(producer.join().unwrap().is_ok());
    });
}

#[test]
fn loom_trap_092_close_and_send_agree() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        let producer = loom::thread::spawn(move || sender.try_send(7));
        receiver.close();
        let received = receiver.recv_blocking();
        let sent = producer.join().unwrap();
        assert_eq!(sent.is_ok(), received.is_ok());
    });
}

#[test]
fn loom_an_unbounded_value_reaches_a_blocked_receiver() {
    loom::model(|| {
        let (sender, receiver) = unbounded();
        let producer = loom::thread::spawn(move || sender.try_send(1));
        assert_eq!(receiver.recv_blocking(), Ok(1));
        assert!(producer.join().unwrap().is_ok());
    });
}

#[test]
fn loom_a_priority_value_reaches_a_blocked_receiver() {
    loom::model(|| {
        let (sender, receiver) = priority(1);
        let producer = loom::thread::spawn(move || sender.send_blocking(1));
        assert_eq!(receiver.recv_blocking(), Ok(1));
        assert!(producer.join().unwrap().is_ok());
    });
}

/// Two producers and a consumer, through a ring that all of them meet in.
#[test]
fn loom_the_ring_gives_each_value_once() {
    loom::model(|| {
        let ring = Arc::new(Ring::new(2));
        let producers: Vec<_> = [1, 2]
            .map(|value| {
                let ring = ring.clone();
                loom::thread::spawn(move || ring.push(value).is_ok())
            })
            .into();
        let early = ring.pop().ok();
        for producer in producers {
            assert!(producer.join().unwrap(), "there is room for both");
        }
        let mut values: Vec<i32> = early.into_iter().collect();
        while let Ok(value) = ring.pop() {
            values.push(value);
        }
        values.sort_unstable();
        assert_eq!(values, [1, 2]);
    });
}

/// A batch and a single pop share out what a producer sends, over the lap's edge.
#[test]
fn loom_a_batch_and_a_pop_take_each_value_once() {
    loom::model(|| {
        let ring = Arc::new(Ring::new(2));
        ring.push(0).unwrap();
        ring.push(1).unwrap();
        let other = {
            let ring = ring.clone();
            loom::thread::spawn(move || {
                let popped = ring.pop().ok();
                let pushed = ring.push(2).is_ok();
                (popped, pushed)
            })
        };
        let mut values = Vec::new();
        let _ = ring.pop_many(&mut values, 2);
        let (popped, pushed) = other.join().unwrap();
        values.extend(popped);
        while let Ok(value) = ring.pop() {
            values.push(value);
        }
        values.sort_unstable();
        let expected: &[i32] = if pushed { &[0, 1, 2] } else { &[0, 1] };
        assert_eq!(values, expected);
    });
}

#[test]
fn loom_a_push_is_before_the_close_or_comes_back() {
    loom::model(|| {
        let ring = Arc::new(Ring::new(1));
        let producer = {
            let ring = ring.clone();
            loom::thread::spawn(move || ring.push(1).is_ok())
        };
        ring.close();
        let popped = ring.pop();
        assert_ne!(popped, Err(PopError::Empty));
        assert_eq!(producer.join().unwrap(), popped.is_ok());
    });
}

/// Two producers meet at a block's end, which a consumer passes after them.
#[test]
fn loom_the_list_gives_each_value_once_from_block_to_block() {
    loom::model(|| {
        let list = Arc::new(List::new());
        list.push(0).unwrap();
        let producers: Vec<_> = [1, 2]
            .map(|value| {
                let list = list.clone();
                loom::thread::spawn(move || list.push(value).is_ok())
            })
            .into();
        let mut values = Vec::from_iter(list.pop().ok());
        values.extend(list.pop().ok());
        for producer in producers {
            assert!(producer.join().unwrap(), "nothing is ever full");
        }
        assert_eq!(list.len(), 3 - values.len());
        while let Ok(value) = list.pop() {
            values.push(value);
        }
        assert_eq!(values[0], 0, "it was there before the others");
        values.sort_unstable();
        assert_eq!(values, [0, 1, 2]);
    });
}

/// A producer uses the block that a consumer gives away, and a look passes by.
#[test]
fn loom_a_block_is_used_again_when_nobody_is_in_it() {
    loom::model(|| {
        let list = Arc::new(List::new());
        for value in 0..3 {
            list.push(value).unwrap();
        }
        let consumer = {
            let list = list.clone();
            loom::thread::spawn(move || {
                let mut values = Vec::new();
                list.pop_many(&mut values, 3).unwrap();
                values
            })
        };
        list.push(3).unwrap();
        let _ = list.has_value(1);
        list.push(4).unwrap();
        let mut values = consumer.join().unwrap();
        while let Ok(value) = list.pop() {
            values.push(value);
        }
        assert_eq!(values, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn loom_two_consumers_take_turns_at_the_end_of_a_block() {
    loom::model(|| {
        let list = Arc::new(List::new());
        for value in 0..4 {
            list.push(value).unwrap();
        }
        let other = {
            let list = list.clone();
            loom::thread::spawn(move || [list.pop(), list.pop()])
        };
        let mut values = vec![list.pop(), list.pop()];
        assert!(values[0].unwrap() < values[1].unwrap(), "in order");
        values.extend(other.join().unwrap());
        values.sort_unstable_by_key(|value| value.unwrap());
        assert_eq!(values, [0, 1, 2, 3].map(Ok));
        assert_eq!(list.pop(), Err(PopError::Empty));
    });
}

#[test]
fn loom_a_push_to_a_list_is_before_the_close_or_comes_back() {
    loom::model(|| {
        let list = Arc::new(List::new());
        list.push(0).unwrap();
        let producer = {
            let list = list.clone();
            // The last of its block: closed while the next is put in place.
            loom::thread::spawn(move || list.push(1).is_ok())
        };
        list.close();
        assert_eq!(list.pop(), Ok(0));
        let popped = list.pop();
        assert_ne!(popped, Err(PopError::Empty));
        assert_eq!(producer.join().unwrap(), popped.is_ok());
        assert_eq!(list.pop(), Err(PopError::Closed));
        assert!(list.push(2).is_err());
    });
}

/// Both of two receivers wait, and the close wakes both.
#[test]
fn loom_the_last_sender_wakes_two_blocked_receivers() {
    loom::model(|| {
        let (sender, receiver) = bounded::<u8>(1);
        let ended = Arc::new(AtomicBool::new(false));
        let other = {
            let receiver = receiver.clone();
            loom::thread::spawn(move || receiver.recv_blocking())
        };
        let closer = {
            let ended = ended.clone();
            loom::thread::spawn(move || {
                ended.store(true, Relaxed);
                drop(sender);
            })
        };
        assert_eq!(receiver.recv_blocking(), Err(RecvError));
        assert!(ended.load(Relaxed), "what the sender did before is seen");
        assert_eq!(other.join().unwrap(), Err(RecvError));
        closer.join().unwrap();
    });
}

#[test]
fn loom_a_broadcast_reaches_two_blocked_receivers_and_ends() {
    loom::model(|| {
        let (sender, mut first) = broadcast::channel(1);
        let mut second = first.clone();
        let other = loom::thread::spawn(move || {
            let value = second.recv_blocking();
            (value, second.recv_blocking())
        });
        sender.send(7).unwrap();
        drop(sender);
        assert_eq!(first.recv_blocking(), Ok(7));
        assert!(first.recv_blocking().is_err());
        let (value, end) = other.join().unwrap();
        assert_eq!(value, Ok(7));
        assert_eq!(end, Err(broadcast::RecvError::Closed));
    });
}

#[test]
fn loom_a_watcher_sees_the_change_and_the_end() {
    loom::model(|| {
        let (sender, mut receiver) = watch::channel(0);
        let watcher = loom::thread::spawn(move || {
            let changed = receiver.changed_blocking();
            assert_eq!(changed, Ok(()));
            assert_eq!(*receiver.get(), 1);
            assert_eq!(receiver.changed_blocking(), Err(RecvError));
        });
        sender.replace(1);
        drop(sender);
        watcher.join().unwrap();
    });
}
