use super::CancelToken;
use crate::{create_task, yield_now};
use std::cell::Cell;
use std::future::{pending, ready};
use std::rc::Rc;

fn run<F: Future>(main: F) -> F::Output {
    crate::run(main).expect("a loop can be had")
}

#[test]
fn children_are_cancelled_with_their_parent_and_not_the_other_way() {
    let parent = CancelToken::new();
    let (one, two) = (parent.child(), parent.child());
    let grandchild = one.child();
    one.cancel();
    assert!(one.is_cancelled() && grandchild.is_cancelled());
    assert!(!parent.is_cancelled() && !two.is_cancelled());
    parent.cancel();
    assert!(two.is_cancelled());
    assert!(
        parent.child().is_cancelled(),
        "born under a cancelled parent"
    );
}

#[test]
fn all_who_wait_go_on() {
    run(async {
        let token = CancelToken::new();
        let woken = Rc::new(Cell::new(0));
        let waiters: Vec<_> = [token.clone(), token.child(), token.child().child()]
            .into_iter()
            .map(|token| {
                let woken = woken.clone();
                create_task(async move {
                    token.cancelled().await;
                    woken.set(woken.get() + 1);
                })
            })
            .collect();
        yield_now().await;
        assert_eq!(woken.get(), 0);
        token.cancel();
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(woken.get(), 3);
    });
}

#[test]
fn run_until_cancelled_gives_the_value_or_drops_the_future() {
    run(async {
        let token = CancelToken::new();
        assert_eq!(token.run_until_cancelled(ready(1)).await, Some(1));
        let alive = Rc::new(());
        let held = alive.clone();
        let canceller = token.clone();
        let stopped = token.run_until_cancelled(async move {
            let _held = held;
            canceller.cancel();
            pending::<()>().await;
        });
        assert_eq!(stopped.await, None);
        assert_eq!(Rc::strong_count(&alive), 1);
        let never_polled = async { unreachable!("the token is cancelled") };
        assert_eq!(token.run_until_cancelled(never_polled).await, None::<()>);
    });
}

#[test]
fn a_dropped_child_leaves_its_parents_list() {
    let parent = CancelToken::new();
    for _ in 0..1000 {
        drop(parent.child());
    }
    assert!(format!("{parent:?}").contains("children: 0"));
}

#[test]
fn a_long_chain_is_cancelled_and_dropped_without_a_deep_stack() {
    let root = CancelToken::new();
    let mut last = root.child();
    for _ in 0..200_000 {
        last = last.child();
    }
    root.cancel();
    assert!(last.is_cancelled());
    drop(root);
    drop(last);
}

#[test]
fn a_guard_cancels_when_it_goes() {
    let token = CancelToken::new();
    let guard = token.clone().drop_guard();
    assert!(!guard.token().is_cancelled());
    drop(guard);
    assert!(token.is_cancelled());
}
