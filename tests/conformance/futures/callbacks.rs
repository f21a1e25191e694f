//! test_futures.BaseFutureDoneCallbackTests.

use polyloop::sync::{CallbackId, Future, create_future};

use super::future::RuntimeError;
use crate::kit::{Log, on_loop, settle};

fn add(future: &Future<&'static str>, bag: &Log<u32>, thing: u32) -> CallbackId {
    let bag = bag.clone();
    future.add_done_callback(move || bag.push(thing))
}

/// Adds three callbacks, removes those of the given numbers, the first of them
/// twice, and says what the rest put into the bag.
fn after_removing(removed: &[usize]) -> Vec<u32> {
    on_loop(async {
        let (bag, (promise, future)) = (Log::new(), create_future());
        let ids = [42, 17, 100].map(|thing| add(&future, &bag, thing));
        for at in removed {
            assert!(future.remove_done_callback(ids[*at]));
        }
        assert!(!future.remove_done_callback(ids[removed[0]]));
        assert_eq!(bag.entries(), []);
        promise.set_result("foo").expect("it is pending");
        // Scheduled, not called.
        assert_eq!(bag.entries(), []);
        settle().await;
        assert_eq!(future.result().ok(), Some(&"foo"));
        bag.entries()
    })
}

/// same test_futures.BaseFutureDoneCallbackTests.test_callbacks_remove_first_callback
#[test]
fn test_callbacks_remove_first_callback() {
    assert_eq!(after_removing(&[0]), [17, 100]);
}

/// same test_futures.BaseFutureDoneCallbackTests.test_callbacks_remove_first_and_second_callback
#[test]
fn test_callbacks_remove_first_and_second_callback() {
    assert_eq!(after_removing(&[0, 1]), [100]);
}

/// same test_futures.BaseFutureDoneCallbackTests.test_callbacks_remove_third_callback
#[test]
fn test_callbacks_remove_third_callback() {
    assert_eq!(after_removing(&[2]), [42, 17]);
}

/// same test_futures.BaseFutureDoneCallbackTests.test_callbacks_invoked_on_set_result
#[test]
fn test_callbacks_invoked_on_set_result() {
    on_loop(async {
        let (bag, (promise, future)) = (Log::new(), create_future());
        add(&future, &bag, 42);
        add(&future, &bag, 17);
        promise.set_result("foo").expect("it is pending");
        assert_eq!(bag.entries(), []);
        // One that is added late is scheduled as well, not called.
        add(&future, &bag, 1);
        assert_eq!(bag.entries(), []);
        settle().await;
        assert_eq!(bag.entries(), [42, 17, 1]);
    });
}

/// same test_futures.BaseFutureDoneCallbackTests.test_callbacks_invoked_on_set_exception
#[test]
fn test_callbacks_invoked_on_set_exception() {
    on_loop(async {
        let (bag, (promise, future)) = (Log::new(), create_future());
        add(&future, &bag, 100);
        promise
            .set_exception(RuntimeError("boom"))
            .expect("it is pending");
        assert_eq!(bag.entries(), []);
        settle().await;
        assert_eq!(bag.entries(), [100]);
        assert!(future.exception().is_ok_and(|error| error.is_some()));
    });
}

/// adapted test_futures.BaseFutureDoneCallbackTests.test_remove_done_callback: closures cannot be compared, so each addition has a number and is removed by it
#[test]
fn test_remove_done_callback() {
    on_loop(async {
        let (bag, (promise, future)) = (Log::new(), create_future());
        let (_, other) = create_future::<()>();
        let ones: Vec<_> = (0..6).map(|_| add(&future, &bag, 1)).collect();
        let two = add(&future, &bag, 2);
        assert!(future.remove_done_callback(two));
        assert!(!future.remove_done_callback(two));
        assert!(!other.remove_done_callback(two));
        add(&future, &bag, 2);
        let removed = ones
            .into_iter()
            .filter(|id| future.remove_done_callback(*id));
        assert_eq!(removed.count(), 6);
        promise.set_result("foo").expect("it is pending");
        settle().await;
        assert_eq!(bag.entries(), [2]);
    });
}

/// adapted test_futures.BaseFutureDoneCallbackTests.test_remove_done_callbacks_list_mutation: nothing is compared; a drop changes the list instead
/// adapted test_futures.BaseFutureDoneCallbackTests.test_remove_done_callbacks_list_clear: nothing is compared; a drop changes the list instead
/// adapted test_futures.BaseFutureDoneCallbackTests.test_schedule_callbacks_list_mutation_2: nothing is compared; a drop changes the list instead
#[test]
fn test_remove_done_callbacks_list_mutation() {
    struct Evil(Future<&'static str>, Log<u32>, CallbackId);
    impl Drop for Evil {
        fn drop(&mut self) {
            self.0.remove_done_callback(self.2);
            add(&self.0, &self.1, 3);
        }
    }
    on_loop(async {
        let (bag, (promise, future)) = (Log::new(), create_future());
        let first = add(&future, &bag, 1);
        let evil = Evil(future.clone(), bag.clone(), first);
        let second = future.add_done_callback(move || drop(evil));
        add(&future, &bag, 2);
        assert!(future.remove_done_callback(second));
        promise.set_result("foo").expect("it is pending");
        settle().await;
        assert_eq!(bag.entries(), [2, 3]);
    });
}

/// same test_futures.BaseFutureDoneCallbackTests.test_schedule_callbacks_list_mutation_1
#[test]
fn test_schedule_callbacks_list_mutation_1() {
    on_loop(async {
        let (bag, (promise, future)) = (Log::new(), create_future());
        let ids = Log::new();
        let (again, removing) = (future.clone(), ids.clone());
        future.add_done_callback(move || {
            for id in removing.entries() {
                // They are scheduled already.
                assert!(!again.remove_done_callback(id));
            }
        });
        ids.push(add(&future, &bag, 1));
        ids.push(add(&future, &bag, 2));
        promise.set_result("foo").expect("it is pending");
        settle().await;
        assert_eq!(bag.entries(), [1, 2]);
    });
}
