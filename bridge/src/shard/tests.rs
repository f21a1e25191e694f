use super::*;
use crate::channel::{self, oneshot};
use crate::test_tools::wait;
use crate::{LoopGroup, run_coroutine_threadsafe};
use polyloop::EventLoop;
use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

pub(super) const GRACE: Duration = Duration::from_secs(20);

pub(super) fn group(loops: usize) -> LoopGroup {
    let group = LoopGroup::builder().loops(loops).build();
    group.expect("threads and loops")
}

/// Is not `Send`, dies on the thread that made it, and is counted.
pub(super) struct Bomb {
    thread: ThreadId,
    pub(super) alive: Arc<AtomicUsize>,
    _not_send: Rc<()>,
}

impl Bomb {
    pub(super) fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, SeqCst);
        Self {
            thread: thread::current().id(),
            alive: alive.clone(),
            _not_send: Rc::default(),
        }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert_eq!(self.thread, thread::current().id(), "dropped elsewhere");
        assert!(polyloop::try_current_loop().is_some(), "outside its loop");
        self.alive.fetch_sub(1, SeqCst);
    }
}

/// Writes down when it goes.
struct Witness(usize, channel::Sender<usize>);

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.1.try_send(self.0);
    }
}

fn drain(heard: &channel::Receiver<usize>) -> Vec<usize> {
    std::iter::from_fn(|| heard.try_recv().ok()).collect()
}

#[test]
fn a_foreign_value_is_used_at_home_from_anywhere() {
    let group = group(2);
    let made = Foreign::make_on(group.handle(0), || async { Rc::new(Cell::new(1)) });
    let foreign = made.result().expect("a value");
    assert_eq!(foreign.home(), group.handle(0));
    assert!(foreign.here().is_none(), "a plain thread is no loop");
    foreign.with(|n| n.set(n.get() + 1)).result().expect("done");
    let foreign = Arc::new(foreign);
    let on_each = group.on_each({
        let foreign = foreign.clone();
        move |number| {
            let foreign = foreign.clone();
            async move {
                assert_eq!(foreign.here().is_some(), number == 0);
                let invoked = foreign.invoke(|n| async move {
                    polyloop::yield_now().await;
                    n.set(n.get() + 1);
                });
                invoked.await.expect("done");
            }
        }
    });
    assert!(on_each.results().iter().all(Result::is_ok));
    let n = foreign.with(|n| n.get()).result().expect("a value");
    assert_eq!(n, 4);
    let error = foreign.with(|_| panic!("in there")).result();
    assert!(error.expect_err("a panic").is_panic());
}

#[test]
fn a_foreign_value_ends_when_it_is_dropped_and_its_uses_have_ended() {
    let (group, alive) = (group(1), Arc::new(AtomicUsize::new(0)));
    let (release, released) = oneshot::channel::<()>();
    let count = alive.clone();
    let made = Foreign::make_on(group.handle(0), || async move { Bomb::new(&count) });
    let foreign = made.result().expect("a value");
    let begun = foreign.invoke(|bomb| async move {
        let _ = released.await;
        assert_eq!(bomb.alive.load(SeqCst), 1, "it is used still");
    });
    let ended = thread::spawn(move || wait(foreign.end()));
    let after = run_coroutine_threadsafe(group.handle(0), polyloop::yield_now);
    after.result().expect("it turns");
    assert_eq!(alive.load(SeqCst), 1);
    drop(release);
    begun.result().expect("done");
    ended.join().expect("no panic");
    assert_eq!(alive.load(SeqCst), 0);
}

#[test]
fn a_foreign_value_goes_with_its_loop() {
    let (group, alive) = (group(1), Arc::new(AtomicUsize::new(0)));
    let make = |number: usize, sender: channel::Sender<usize>| {
        let count = alive.clone();
        let made = Foreign::make_on(group.handle(0), move || async move {
            (Witness(number, sender), Bomb::new(&count))
        });
        made.result().expect("a value")
    };
    let (sender, heard) = channel::unbounded();
    let values = [0, 1, 2].map(|number| make(number, sender.clone()));
    let waiting = values[0].invoke(|_used| pending::<()>());
    assert!(group.shutdown(GRACE).is_complete());
    assert_eq!(alive.load(SeqCst), 0);
    assert_eq!(drain(&heard), [2, 1, 0], "the last one made goes first");
    let error = waiting.result().expect_err("it ended");
    assert!(error.is_cancelled() || error.is_loop_closed(), "{error}");
    let error = values[1].with(|_| ()).result().expect_err("it is closed");
    assert!(error.is_loop_closed());
    assert!(error.to_string().contains("gone with it"), "{error}");
    let [first, ..] = values;
    wait(first.end());
}

#[test]
fn values_may_hold_each_other_and_make_others_while_they_go() {
    struct Parent {
        child: Option<Foreign<Bomb>>,
        alive: Arc<AtomicUsize>,
    }
    impl Drop for Parent {
        fn drop(&mut self) {
            assert!(
                self.child
                    .as_ref()
                    .is_some_and(|c| c.home().is_own_thread())
            );
            // The store is gone if the loop is being closed; a task is not.
            let alive = self.alive.clone();
            drop(polyloop::create_task(async move {
                let _bomb = Bomb::new(&alive);
                pending::<()>().await;
            }));
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let mut looped = EventLoop::new().expect("descriptors");
    let parents = looped.run_until_complete(async {
        let parent = || Parent {
            child: Some(Foreign::new(Bomb::new(&alive))),
            alive: alive.clone(),
        };
        let (first, second) = (Foreign::new(parent()), Foreign::new(parent()));
        drop(first);
        polyloop::yield_now().await;
        second
    });
    let _second = parents.expect("it ran");
    assert_eq!(alive.load(SeqCst), 2, "the second child, and a task's");
    looped.close(Duration::ZERO);
    assert_eq!(alive.load(SeqCst), 0);
}

#[test]
fn shards_are_local_and_invoked_and_folded() {
    let group = group(3);
    let made = Sharded::start(&group, |number| async move { Rc::new(Cell::new(number)) });
    let sharded = made.result().expect("shards");
    assert_eq!((sharded.len(), sharded.is_empty()), (3, false));
    for number in 0..3 {
        assert_eq!(sharded.home(number), group.handle(number));
        let value = sharded.invoke_on(number, |shard| async move { shard.get() });
        assert_eq!(value.result().expect("a value"), number);
    }
    let inner = sharded.clone();
    let locals = group.on_each(move |number| {
        let inner = inner.clone();
        async move {
            let shard = inner.local();
            shard.set(shard.get() * 10);
            assert_eq!(shard.get(), number * 10);
        }
    });
    assert!(locals.results().iter().all(Result::is_ok));
    assert!(sharded.try_local().is_none());
    let sum = sharded.map_reduce(|shard| async move { shard.get() }, 0, |a, b| a + b);
    assert_eq!(wait(sum).expect("a value"), 30);
    let all = sharded.invoke_on_all(|shard| async move {
        polyloop::yield_now().await;
        assert_ne!(shard.get(), 10, "one of them panics");
        shard.get()
    });
    let all = wait(all);
    assert!(matches!(&all[..], [Ok(0), Err(error), Ok(20)] if error.is_panic()));
}

#[test]
fn keys_belong_to_the_loop_that_the_group_says_too() {
    let group = group(4);
    let sharded = wait(Sharded::start(&group, |_| async {})).expect("shards");
    for key in 0..1_000 {
        assert_eq!(sharded.shard_by_key(&key), group.number_by_key(&key));
    }
}

#[test]
fn a_stop_ends_the_shards_in_order_and_answers_late_invocations() {
    let group = group(3);
    let (sender, heard) = channel::unbounded();
    let alive = Arc::new(AtomicUsize::new(0));
    let (tell, count) = (sender.clone(), alive.clone());
    let made = Sharded::start(&group, move |number| {
        let shard = (Witness(number, tell.clone()), Bomb::new(&count), number);
        async move { shard }
    });
    let sharded = wait(made).expect("shards");
    let (release, released) = oneshot::channel::<()>();
    let slow = sharded.invoke_on(2, |_used| async move {
        let _ = released.await;
    });
    let stopping = sharded.clone();
    let mut stop = pin!(stopping.stop_with(move |shard| {
        let sender = sender.clone();
        async move {
            polyloop::yield_now().await;
            let _ = sender.try_send(10 + shard.2);
            assert_ne!(shard.2, 1, "one of them panics");
        }
    }));
    let mut cx = Context::from_waker(Waker::noop());
    while heard.is_empty() {
        assert!(stop.as_mut().poll(&mut cx).is_pending(), "one is used");
        thread::yield_now();
    }
    drop(release);
    let error = wait(stop).expect_err("one of them panicked");
    assert!(error.is_panic(), "{error}");
    slow.result().expect("it had begun");
    assert_eq!(drain(&heard), [12, 2, 11, 1, 10, 0]);
    assert_eq!(alive.load(SeqCst), 0);
    let late = sharded.invoke_on(1, |_| async {}).result();
    assert!(late.expect_err("it is stopped").is_stopped());
    assert!(wait(sharded.stop()).expect_err("only once").is_stopped());
    assert!(group.shutdown(GRACE).is_complete());
}

#[test]
fn a_start_that_fails_leaves_no_shard() {
    let (group, alive) = (group(3), Arc::new(AtomicUsize::new(0)));
    let count = alive.clone();
    let made = Sharded::start(&group, move |number| {
        let count = count.clone();
        async move {
            assert_ne!(number, 1, "this one is not made");
            Bomb::new(&count)
        }
    });
    assert!(made.result().expect_err("one panics").is_panic());
    // The drops were sent before this.
    assert!(group.barrier_all().results().iter().all(Result::is_ok));
    group.shutdown(GRACE);
    assert_eq!(alive.load(SeqCst), 0);
}
