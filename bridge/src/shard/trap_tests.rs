use super::tests::{Bomb, GRACE, group};
use super::*;
use crate::channel;
use crate::run_coroutine_threadsafe;
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread;

#[test]
fn trap_025_values_die_at_home_whoever_lets_go_last_and_when() {
    for _ in 0..20 {
        let (group, alive) = (group(2), Arc::new(AtomicUsize::new(0)));
        let begin = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (begin, count) = (begin.clone(), alive.clone());
                let home = group.handle(number % 2).clone();
                let make = move || async move { Bomb::new(&count) };
                let foreign = Foreign::make_on(&home, make).result().expect("a value");
                let used: Vec<_> = (0..8)
                    .map(|_| foreign.invoke(|_used| polyloop::yield_now()))
                    .collect();
                thread::spawn(move || {
                    while !begin.load(SeqCst) {
                        thread::yield_now();
                    }
                    drop(foreign);
                    drop(used);
                })
            })
            .collect();
        begin.store(true, SeqCst);
        group.shutdown(GRACE);
        for thread in threads {
            thread.join().expect("no drop panicked");
        }
        assert_eq!(alive.load(SeqCst), 0);
    }
}

#[test]
fn trap_033_a_cancel_from_elsewhere_drops_at_home() {
    let (group, alive) = (group(1), Arc::new(AtomicUsize::new(0)));
    let made = Sharded::start(&group, |_| async {});
    let sharded = made.result().expect("shards");
    let work: Vec<_> = (0..100)
        .map(|_| {
            let count = alive.clone();
            sharded.invoke_on(0, move |_shard| async move {
                let _bomb = Bomb::new(&count);
                pending::<()>().await;
            })
        })
        .collect();
    thread::scope(|scope| {
        for half in work.chunks(50) {
            scope.spawn(move || half.iter().for_each(|work| assert!(work.cancel())));
        }
    });
    for work in work {
        let error = work.result().expect_err("it never ends");
        assert!(error.is_cancelled(), "{error}");
    }
    assert_eq!(alive.load(SeqCst), 0);
}

#[test]
fn trap_035_here_is_where_the_code_runs_whoever_made_the_waker() {
    let group = group(2);
    let made = Sharded::start(&group, |number| async move { Rc::new(number) });
    let sharded = made.result().expect("shards");
    let (sender, wakers) = channel::unbounded();
    let inner = sharded.clone();
    drop(run_coroutine_threadsafe(
        group.handle(0),
        move || async move {
            assert_eq!(**inner.local(), 0);
            poll_fn(|cx| {
                let _ = sender.try_send(cx.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        },
    ));
    // A context of loop 0 in the hands of a thread, and of loop 1.
    let waker = wakers.recv_blocking().expect("it is sent");
    let inner = sharded.clone();
    let mut look = pin!(poll_fn(|_cx| Poll::Ready(inner.try_local().is_none())));
    let looked = look.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(looked, Poll::Ready(true));
    let inner = sharded.clone();
    let seen = run_coroutine_threadsafe(group.handle(1), move || async move {
        let mut look = pin!(poll_fn(|_cx| Poll::Ready(**inner.local())));
        look.as_mut().poll(&mut Context::from_waker(&waker))
    });
    assert_eq!(seen.result().expect("a value"), Poll::Ready(1));
}

async fn ask_for_ever(own: Here<RefCell<u64>>, all: Sharded<RefCell<u64>>) -> Infallible {
    loop {
        for peer in 0..all.len() {
            let asked = all.invoke_on(peer, |peer| async move {
                polyloop::yield_now().await;
                *peer.borrow_mut() += 1;
            });
            // Refused by a loop that is closed, or answered.
            let _ = asked.await;
            *own.borrow_mut() += 1;
        }
    }
}

#[test]
fn trap_068_shards_that_ask_each_other_are_answered_while_all_loops_stop() {
    for round in 0..20 {
        let group = group(3);
        let made = Sharded::start(&group, |_| async { RefCell::new(0_u64) });
        let sharded = made.result().expect("shards");
        let ask = |from: usize| {
            let inner = sharded.clone();
            sharded.invoke_on(from, move |own| ask_for_ever(own, inner))
        };
        let asking: Vec<_> = (0..12).map(|number| ask(number % 3)).collect();
        let asked: Vec<_> = (0..3)
            .map(|number| sharded.invoke_on(number, |own| async move { *own.borrow() }))
            .collect();
        if round % 2 == 0 {
            assert!(asked.into_iter().all(|asked| asked.result().is_ok()));
        }
        let report = group.shutdown(GRACE);
        assert!(report.is_complete(), "{report}");
        for asking in asking {
            let error = asking.result().expect_err("it never ends by itself");
            assert!(error.is_cancelled() || error.is_loop_closed(), "{error}");
        }
    }
}
