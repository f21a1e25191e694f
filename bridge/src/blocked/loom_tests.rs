//! Two threads block on each other, on the real graph.

use super::*;
use loom::sync::Condvar;
use std::sync::atomic::Ordering::Release;

/// An answer that a thread can sleep for.
struct Answer {
    byte: AtomicU8,
    lock: loom::sync::Mutex<()>,
    changed: Condvar,
}

impl Answer {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            byte: AtomicU8::new(0),
            lock: loom::sync::Mutex::new(()),
            changed: Condvar::new(),
        })
    }

    fn give(&self) {
        self.byte.store(1, Release);
        drop(self.lock.lock().unwrap());
        self.changed.notify_all();
    }

    fn sleep(&self) {
        let mut lock = self.lock.lock().unwrap();
        while self.byte.load(Acquire) == 0 {
            lock = self.changed.wait(lock).unwrap();
        }
    }
}

fn block(graph: &Graph, me: usize, on: usize, answer: &Answer) -> Result<(), Ring> {
    let [me, on] = [me, on].map(|address| {
        Node::Job(JobId {
            address,
            pool: PoolId::NONE,
        })
    });
    let wait = Wait {
        on,
        done: DoneBit::new(&answer.byte, 1),
    };
    graph.during([Some(me), None], iter::once(wait), true, true, |_| {
        answer.sleep()
    })
}

#[test]
fn loom_of_two_that_block_on_each_other_one_is_told() {
    loom::model(|| {
        let graph = Arc::new(Graph::default());
        let (a, b) = (Answer::new(), Answer::new());
        let other = {
            let (graph, a, b) = (graph.clone(), a.clone(), b.clone());
            loom::thread::spawn(move || {
                let told = block(&graph, 2, 1, &a).is_err();
                b.give();
                told
            })
        };
        let told = block(&graph, 1, 2, &b).is_err();
        a.give();
        assert!(!(told && other.join().unwrap()), "one is enough");
    });
}

#[test]
fn loom_an_answer_that_is_there_is_no_ring() {
    loom::model(|| {
        let graph = Arc::new(Graph::default());
        let (a, b) = (Answer::new(), Answer::new());
        let other = {
            let (graph, a, b) = (graph.clone(), a.clone(), b.clone());
            loom::thread::spawn(move || {
                b.give();
                block(&graph, 2, 1, &a).expect("the first is awake, or will be");
            })
        };
        block(&graph, 1, 2, &b).expect("it is answered before the other blocks");
        a.give();
        other.join().unwrap();
    });
}
