use super::Context;
use crate::task::Task;
use crate::{EventLoop, call_soon, copy_context, create_task, task, yield_now};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

crate::context_var! {
    static NAME: &'static str;
    static COUNT: u32 = 0;
    static KEPT: Arc<()>;
}

fn run<F: Future>(main: F) -> F::Output {
    crate::run(main).expect("a loop can be had")
}

#[test]
fn a_task_inherits_a_copy_and_keeps_what_it_sets() {
    run(async {
        COUNT.set(1);
        let task = create_task(async {
            COUNT.set(COUNT.get().unwrap() + 1);
            yield_now().await;
            COUNT.get()
        });
        COUNT.set(10);
        assert_eq!(task.await.unwrap(), Some(2));
        assert_eq!(COUNT.get(), Some(10));
    });
}

#[test]
fn tasks_without_a_value_do_not_see_their_neighbours() {
    run(async {
        let setter = create_task(async {
            NAME.set("setter");
            yield_now().await;
            NAME.get()
        });
        let reader = create_task(async {
            yield_now().await;
            NAME.get()
        });
        assert_eq!(reader.await.unwrap(), None);
        assert_eq!(setter.await.unwrap(), Some("setter"));
        assert!(copy_context().is_empty());
    });
}

#[test]
fn callbacks_have_the_context_of_the_code_that_added_them() {
    run(async {
        let seen = Rc::new(Cell::new([None; 3]));
        let note = |at: usize| {
            let seen = seen.clone();
            move || {
                let mut all = seen.get();
                all[at] = NAME.get();
                seen.set(all);
            }
        };
        let other = create_task(async { drop(NAME.set("the task's")) });
        let plain = create_task(async {});
        other.add_done_callback(note(0));
        NAME.set("here");
        other.add_done_callback(note(1));
        call_soon(note(2));
        NAME.set("changed afterwards");
        other.await.unwrap();
        plain.await.unwrap();
        yield_now().await;
        assert_eq!(seen.get(), [None, Some("here"), Some("here")]);
    });
}

#[test]
fn drops_of_a_cancelled_task_see_its_context() {
    struct Note(Rc<Cell<Option<&'static str>>>);
    impl Drop for Note {
        fn drop(&mut self) {
            self.0.set(NAME.get());
        }
    }
    run(async {
        let seen = Rc::new(Cell::new(None));
        let note = Note(seen.clone());
        let cancelled = create_task(async move {
            let _note = note;
            NAME.set("cancelled");
            std::future::pending::<()>().await;
        });
        yield_now().await;
        assert!(cancelled.cancel_and_wait().await.is_err());
        assert_eq!(seen.get(), Some("cancelled"));
    });
}

#[test]
fn run_switches_back_also_after_a_panic() {
    COUNT.set(5);
    let mut context = Context::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        context.run(|| {
            assert_eq!(COUNT.get(), Some(0));
            COUNT.set(6);
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!((COUNT.get(), context.get(&COUNT)), (Some(5), Some(6)));
}

#[test]
fn the_main_task_has_the_threads_context_and_keeps_its_own() {
    NAME.set("thread");
    let mut looped = EventLoop::new().unwrap();
    let early: Task<_> = looped.create_task(async { NAME.get() });
    let seen = looped.run_until_complete(async {
        let seen = NAME.get();
        NAME.set("main");
        (seen, early.await.unwrap())
    });
    assert_eq!(seen.unwrap(), (Some("thread"), Some("thread")));
    assert_eq!(NAME.get(), Some("thread"));
}

#[test]
fn a_builder_takes_a_context() {
    run(async {
        NAME.set("mine");
        let mut other = Context::new();
        other.run(|| NAME.set("given"));
        let given = task().context(other).start(|| async { NAME.get() });
        let empty = task()
            .context(Context::new())
            .start(|| async { NAME.get() });
        assert_eq!(given.await.unwrap(), Some("given"));
        assert_eq!(empty.await.unwrap(), None);
    });
}

#[test]
fn values_go_with_the_last_context_that_has_them() {
    let kept = Arc::new(());
    run(async {
        KEPT.set(kept.clone());
        let task = create_task(async {});
        assert_eq!(Arc::strong_count(&kept), 2);
        let token = KEPT.set(Arc::new(()));
        task.await.unwrap();
        KEPT.reset(token);
        assert!(KEPT.get().is_some());
    });
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
#[should_panic(expected = "another variable's")]
fn a_token_of_another_variable_is_refused() {
    crate::context_var! { static OTHER: u32; }
    let token = COUNT.set(1);
    OTHER.reset(token);
}
