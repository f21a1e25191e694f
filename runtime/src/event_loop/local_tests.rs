use super::EventLoop;
use crate::{LocalError, create_task, current_loop, loop_local, run, try_current_loop};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

thread_local! {
    static GONE: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Writes its end down.
struct Witness(&'static str);

impl Drop for Witness {
    fn drop(&mut self) {
        assert!(try_current_loop().is_some(), "dropped inside its loop");
        GONE.with_borrow_mut(|gone| gone.push(self.0));
    }
}

#[test]
fn values_end_in_reverse_order_after_the_tasks_and_inside_the_loop() {
    loop_local! {
        static FIRST: Witness = Witness("first");
        static SECOND: Witness = {
            FIRST.with(|_| ());
            Witness("second")
        };
        static THIRD: Witness = Witness("third");
    }
    run(async {
        THIRD.with(|_| ());
        SECOND.with(|_| ());
        drop(create_task(async {
            let _held = Witness("task");
            pending::<()>().await;
        }));
        crate::yield_now().await;
    })
    .unwrap();
    assert_eq!(
        GONE.take(),
        ["task", "second", "first", "third"],
        "SECOND needed FIRST, which was therefore made before it"
    );
}

#[test]
fn each_loop_has_its_own_and_each_thread_drops_its_own() {
    loop_local! {
        static OWN: (Cell<u32>, thread::ThreadId) = (Cell::new(0), thread::current().id());
    }
    let threads = [1, 2, 3].map(|number| {
        thread::spawn(move || {
            run(async move {
                OWN.with(|own| own.0.set(own.0.get() + number));
                crate::yield_now().await;
                OWN.with(|own| assert_eq!(own.1, thread::current().id()));
                OWN.with(|own| own.0.get())
            })
            .unwrap()
        })
    });
    assert_eq!(threads.map(|thread| thread.join().unwrap()), [1, 2, 3]);
}

#[test]
fn a_destructor_may_make_others_but_not_revive_what_is_gone() {
    thread_local! {
        static SEEN: Cell<Option<LocalError>> = const { Cell::new(None) };
    }
    struct Curious;
    impl Drop for Curious {
        fn drop(&mut self) {
            SEEN.set(CURIOUS.try_with(|_| ()).err());
            LATE.with(|_| ());
            // Made now, and ended with the rest.
            drop(create_task(async {
                let _held = Witness("task of a drop");
                pending::<()>().await;
            }));
        }
    }
    loop_local! {
        static CURIOUS: Curious = Curious;
        static LATE: Witness = Witness("late");
    }
    let mut looped = EventLoop::new().unwrap();
    looped
        .run_until_complete(async { CURIOUS.with(|_| ()) })
        .unwrap();
    let handle = looped.handle();
    let report = looped.close(Duration::ZERO);
    assert!(SEEN.get().is_some_and(|error| error.is_gone()));
    assert_eq!(GONE.take().len(), 1, "the task was never polled");
    assert_eq!(report.unfinished.len(), 1, "{report}");
    assert!(handle.is_closed());
}

#[test]
fn a_value_that_cannot_be_made_is_tried_again() {
    thread_local! {
        static TRIES: Cell<u32> = const { Cell::new(0) };
    }
    loop_local! {
        static FRAIL: u32 = {
            TRIES.set(TRIES.get() + 1);
            assert_ne!(TRIES.get(), 1, "not yet");
            TRIES.get()
        };
        static RECURSIVE: bool = RECURSIVE.try_with(|_| ()).is_err_and(|e| e.is_being_made());
    }
    run(async {
        assert!(catch_unwind(|| FRAIL.with(|_| ())).is_err());
        assert_eq!(FRAIL.with(|value| *value), 2);
        assert!(RECURSIVE.with(|was_refused| *was_refused));
    })
    .unwrap();
    let outside = catch_unwind(|| FRAIL.with(|_| ()));
    assert!(outside.is_err(), "there is no loop");
}

#[test]
fn a_destructor_that_panics_is_told_and_the_rest_go_on() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a value that panics");
        }
    }
    loop_local! {
        static QUIET: Witness = Witness("quiet");
        static LOUD: Bomb = Bomb;
    }
    let told = Rc::new(RefCell::new(Vec::new()));
    let inner = told.clone();
    let builder = EventLoop::builder().exception_handler(move |context| {
        let message = context.panic_message().unwrap_or_default().to_owned();
        inner.borrow_mut().push(message);
    });
    let mut looped = builder.build().unwrap();
    looped
        .run_until_complete(async {
            QUIET.with(|_| ());
            LOUD.with(|_| current_loop());
        })
        .unwrap();
    let closed = catch_unwind(AssertUnwindSafe(|| looped.close(Duration::ZERO)));
    assert!(closed.is_ok());
    assert_eq!(*told.borrow(), ["a value that panics"]);
    assert_eq!(GONE.take(), ["quiet"]);
}
