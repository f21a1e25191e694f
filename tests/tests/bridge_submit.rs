//! Submissions with wishes: what becomes of those that are cancelled, bounds,
//! classes, deadlines, contexts.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, LoopHandle, yield_now};
use polyloop_bridge::submit::{Class, Outcome};
use polyloop_bridge::{
    LoopGroup, SubmitError, Submitter, call_soon_threadsafe, channel, run_coroutine_threadsafe,
    submission, try_run_coroutine_threadsafe,
};
use polyloop_tests::with_watchdog;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const HANG: Duration = Duration::from_secs(300);

/// A loop that does nothing until it is let go.
struct Stuck {
    group: LoopGroup,
    release: channel::oneshot::Sender<()>,
}

impl Stuck {
    fn new() -> Self {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let (release, released) = channel::oneshot::channel::<()>();
        let (begun, begins) = channel::oneshot::channel();
        drop(run_coroutine_threadsafe(group.handle(0), || async move {
            let _ = begun.send(());
            let _ = released.recv_blocking();
        }));
        begins.recv_blocking().unwrap();
        Self { group, release }
    }

    fn handle(&self) -> LoopHandle {
        self.group.handle(0).clone()
    }

    fn let_go(self) -> LoopGroup {
        let _ = self.release.send(());
        self.group
    }
}

#[test]
fn a_cancel_says_what_became_of_the_work() {
    with_watchdog(HANG, || {
        let stuck = Stuck::new();
        let called = Arc::new(AtomicBool::new(false));
        let flag = called.clone();
        let unbegun = run_coroutine_threadsafe(&stuck.handle(), move || {
            flag.store(true, SeqCst);
            async {}
        });
        assert!(unbegun.cancel());
        let group = stuck.let_go();
        let target = group.handle(0).clone();
        let became = polyloop::run(unbegun.cancel_and_wait()).unwrap();
        assert!(became.is_never_started() && became.is_cancelled());
        assert!(!called.load(SeqCst));

        let (begun, begins) = channel::oneshot::channel();
        let running = run_coroutine_threadsafe(&target, || async move {
            let _ = begun.send(());
            pending::<()>().await;
        });
        begins.recv_blocking().unwrap();
        let became = polyloop::run(running.cancel_and_wait()).unwrap();
        assert!(matches!(became, Outcome::Cancelled), "{became:?}");

        let finished = run_coroutine_threadsafe(&target, || async { 5 });
        while !finished.is_done() {
            thread::yield_now();
        }
        let became = polyloop::run(finished.cancel_and_wait()).unwrap();
        assert_eq!(became.finished(), Some(5));

        let panics = run_coroutine_threadsafe(&target, || async {
            std::panic::resume_unwind(Box::new("planted"));
        });
        while !panics.is_done() {
            thread::yield_now();
        }
        let became = polyloop::run(panics.cancel_and_wait()).unwrap();
        assert!(matches!(became, Outcome::Panicked(payload) if payload.message() == "planted"));

        group.shutdown(Duration::from_secs(1));
        let refused = run_coroutine_threadsafe(&target, || async {});
        let became = polyloop::run(refused.cancel_and_wait()).unwrap();
        assert!(became.is_never_started());
    });
}

#[test]
fn an_outcome_that_was_told_before_is_not_said_to_have_never_begun() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let mut told = run_coroutine_threadsafe(group.handle(0), || async { 6 });
        assert_eq!(told.result_timeout(HANG).unwrap(), 6);
        let became = polyloop::run(told.cancel_and_wait()).unwrap();
        assert!(matches!(became, Outcome::Taken), "{became:?}");
        assert!(!became.is_never_started() && !became.is_cancelled());
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn a_cancel_that_nobody_waits_for_is_asked_for_by_the_call() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let (sender, receiver) = channel::oneshot::channel::<()>();
        let work = run_coroutine_threadsafe(group.handle(0), || async move {
            let _sender = sender;
            pending::<()>().await;
        });
        drop(work.cancel_and_wait());
        assert!(receiver.recv_blocking().is_err(), "its future was dropped");
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn a_dropped_handle_detaches_or_cancels_as_was_chosen() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        for cancels in [false, true] {
            let (sender, receiver) = channel::oneshot::channel::<u8>();
            let (release, released) = channel::oneshot::channel::<()>();
            let work = run_coroutine_threadsafe(group.handle(0), || async move {
                let _ = released.await;
                let _ = sender.send(1);
            });
            if cancels {
                drop(work.cancel_on_drop());
                assert!(receiver.recv_blocking().is_err(), "its future was dropped");
            } else {
                drop(work);
                release.send(()).unwrap();
                assert_eq!(receiver.recv_blocking(), Ok(1), "it ran on");
            }
        }
        // A result that was taken, and a handle that was made ordinary again.
        let kept = run_coroutine_threadsafe(group.handle(0), || async { 2 }).cancel_on_drop();
        assert_eq!(kept.result().unwrap(), 2);
        let plain = run_coroutine_threadsafe(group.handle(0), || async { 3 });
        assert_eq!(plain.cancel_on_drop().into_inner().result().unwrap(), 3);
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn work_that_is_too_late_to_begin_is_dropped_and_says_so() {
    with_watchdog(HANG, || {
        let stuck = Stuck::new();
        let called = Arc::new(AtomicUsize::new(0));
        let send = |deadline| {
            let count = called.clone();
            let work = move || async move { count.fetch_add(1, SeqCst) };
            submission(&stuck.handle())
                .deadline(deadline)
                .try_start(work)
                .unwrap()
        };
        let late = send(Instant::now());
        let in_time = send(Instant::now() + Duration::from_secs(3600));
        drop(send(Instant::now()));
        let never = submission(&stuck.handle())
            .expires_after(Duration::MAX)
            .try_start(|| async { 9 })
            .unwrap();
        let group = stuck.let_go();
        assert!(late.result().unwrap_err().is_expired());
        assert_eq!(in_time.result().unwrap(), 0);
        assert_eq!(never.result().unwrap(), 9);
        assert_eq!(called.load(SeqCst), 1);
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn a_full_mailbox_refuses_data_and_lets_control_pass() {
    with_watchdog(HANG, || {
        let stuck = Stuck::new();
        let submitter = Submitter::bounded(&stuck.handle(), 2).limit(Class::CONTROL, 1);
        let send = |class, n: u8| {
            submitter
                .submission()
                .class(class)
                .try_start(move || async move { n })
        };
        let first = send(Class::DATA, 1).unwrap();
        let second = send(Class::DATA, 2).unwrap();
        let refused = send(Class::DATA, 3).unwrap_err();
        assert!(refused.is_full());
        let closure = refused.into_inner();
        assert_eq!(polyloop::run(closure()).unwrap(), 3, "it came back whole");
        let control = send(Class::CONTROL, 4).unwrap();
        assert!(send(Class::CONTROL, 5).unwrap_err().is_full());
        let unbounded = send(Class::new(2), 6).unwrap();
        let figures = submitter.statistics(Class::DATA).unwrap();
        assert_eq!((figures.limit, figures.queued, figures.waiting), (2, 2, 0));
        assert!(submitter.statistics(Class::new(2)).is_none());
        // A cancel makes room at once the loop has come to it.
        assert!(second.cancel());
        let figures = submitter.statistics(Class::DATA).unwrap();
        assert_eq!(figures.queued, 2, "it is in the mailbox until then");
        let group = stuck.let_go();
        assert_eq!(first.result().unwrap(), 1);
        assert!(second.result().unwrap_err().is_cancelled());
        assert_eq!(control.result().unwrap(), 4);
        assert_eq!(unbounded.result().unwrap(), 6);
        assert_eq!(submitter.statistics(Class::DATA).unwrap().queued, 0);
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn senders_wait_for_room_as_tasks_and_as_threads() {
    with_watchdog(HANG, || {
        let stuck = Stuck::new();
        let submitter = Submitter::bounded(&stuck.handle(), 1);
        let first = submitter.submission().try_start(|| async { 1 }).unwrap();
        let late = submitter
            .submission()
            .start_blocking_timeout(|| async { 2 }, Duration::from_millis(2));
        assert!(late.unwrap_err().is_timed_out());
        // Somebody in line who goes away holds nobody up.
        let mut impatient = Box::pin(submitter.submission().start(|| async { 3 }));
        let poll = impatient
            .as_mut()
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(poll.is_pending());
        let by_task = {
            let submitter = submitter.clone();
            thread::spawn(move || {
                polyloop::run(async {
                    let sent = submitter.submission().start(|| async { 4 }).await;
                    sent.unwrap().await.unwrap()
                })
            })
        };
        let by_thread = {
            let submitter = submitter.clone();
            thread::spawn(move || {
                let sent = submitter.submission().start_blocking(|| async { 5 });
                sent.unwrap().result().unwrap()
            })
        };
        while submitter.statistics(Class::DATA).unwrap().waiting < 3 {
            thread::yield_now();
        }
        drop(impatient);
        let group = stuck.let_go();
        assert_eq!(first.result().unwrap(), 1);
        assert_eq!(by_task.join().unwrap().unwrap(), 4);
        assert_eq!(by_thread.join().unwrap(), 5);
        group.shutdown(Duration::from_secs(1));
    });
}

#[test]
fn who_waits_for_room_hears_of_the_close() {
    with_watchdog(HANG, || {
        let looped = EventLoop::new().unwrap();
        let submitter = Submitter::bounded(&looped.handle(), 1);
        let queued = submitter.submission().try_start(|| async { 1 }).unwrap();
        let own = submitter.submission().start_blocking(|| async { 2 });
        assert!(own.unwrap_err().is_would_deadlock());
        let waiters: Vec<_> = (0..3)
            .map(|n| {
                let submitter = submitter.clone();
                thread::spawn(move || {
                    submitter
                        .submission()
                        .start_blocking(move || async move { n })
                })
            })
            .collect();
        while submitter.statistics(Class::DATA).unwrap().waiting < 3 {
            thread::yield_now();
        }
        looped.close(Duration::ZERO);
        assert!(queued.result().unwrap_err().is_loop_closed());
        for (n, waiter) in waiters.into_iter().enumerate() {
            match waiter.join().unwrap() {
                Err(SubmitError::Closed(f)) => assert_eq!(polyloop::run(f()).unwrap(), n),
                other => panic!("{other:?}"),
            }
        }
        let closed = submitter.submission().try_start(|| async { 3 });
        assert!(closed.unwrap_err().is_closed());
    });
}

#[test]
fn what_one_source_sends_through_a_bound_begins_in_order() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let submitter = Submitter::bounded(group.handle(0), 3);
        let (sender, order) = channel::unbounded();
        let sources: Vec<_> = (0..3)
            .map(|source| {
                let (submitter, sender) = (submitter.clone(), sender.clone());
                thread::spawn(move || {
                    for n in 0..500 {
                        let sender = sender.clone();
                        let work = move || async move { sender.try_send((source, n)).unwrap() };
                        match n % 2 {
                            0 => drop(submitter.submission().start_blocking(work).unwrap()),
                            _ => {
                                let sent = polyloop::run(submitter.submission().start(work));
                                drop(sent.unwrap().unwrap());
                            }
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let mut next = [0; 3];
        while let Ok((source, n)) = order.recv_blocking() {
            assert_eq!(next[source], n);
            next[source] += 1;
        }
        assert_eq!(next, [500; 3]);
        for source in sources {
            source.join().unwrap();
        }
        group.shutdown(Duration::from_secs(1));
    });
}

polyloop::context_var! { static REQUEST: &'static str; }

#[test]
fn work_for_a_loop_takes_its_senders_context_along() {
    with_watchdog(HANG, || {
        let group = LoopGroup::builder().loops(1).build().unwrap();
        let target = group.handle(0);
        let read = || async { REQUEST.get() };
        assert_eq!(
            run_coroutine_threadsafe(target, read).result().unwrap(),
            None
        );
        REQUEST.set("ours");
        let inherits = || async {
            yield_now().await;
            let inner = polyloop::create_task(async { REQUEST.get() });
            REQUEST.set("the task's own");
            inner.await.unwrap()
        };
        let carried = run_coroutine_threadsafe(target, inherits);
        assert_eq!(carried.result().unwrap(), Some("ours"));
        let (sender, told) = channel::oneshot::channel();
        let call = call_soon_threadsafe(target, move || {
            let _ = sender.send(REQUEST.get());
        });
        drop(call.unwrap());
        assert_eq!(told.recv_blocking(), Ok(Some("ours")));
        let mut other = polyloop::copy_context();
        other.run(|| REQUEST.set("another's"));
        let chosen = submission(target).context(other).try_start(read).unwrap();
        assert_eq!(chosen.result().unwrap(), Some("another's"));
        assert_eq!(REQUEST.get(), Some("ours"));
        // A closed loop gives the closure back all the same.
        let target = target.clone();
        group.shutdown(Duration::from_secs(1));
        let back = try_run_coroutine_threadsafe(&target, || async { 1 }).unwrap_err();
        assert_eq!(polyloop::run(back.into_inner()()).unwrap(), 1);
    });
}
